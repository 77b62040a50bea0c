package template

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// filterPEM keeps the PEM blocks of one type, for example "CERTIFICATE".
func filterPEM(blockType, input string) (string, error) {
	var out bytes.Buffer
	err := eachBlock("filterPEM", input, func(block *pem.Block) error {
		if block.Type == blockType {
			return pem.Encode(&out, block)
		}
		return nil
	})
	return out.String(), err
}

// The places in a certificate chain.
const (
	chainLeaf         = "leaf"
	chainIntermediate = "intermediate"
	chainRoot         = "root"
)

// filterCertChain keeps the certificates of one place in the chain: leaf,
// intermediate or root.
func filterCertChain(place, input string) (string, error) {
	switch place {
	case chainLeaf, chainIntermediate, chainRoot:
	default:
		return "", publicError("filterCertChain: the place is none of leaf, intermediate, root")
	}
	var out bytes.Buffer
	err := eachBlock("filterCertChain", input, func(block *pem.Block) error {
		if block.Type != "CERTIFICATE" {
			return nil
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return publicError("filterCertChain: a block is no certificate")
		}
		if placeOf(cert) == place {
			return pem.Encode(&out, block)
		}
		return nil
	})
	return out.String(), err
}

func placeOf(cert *x509.Certificate) string {
	selfSigned := bytes.Equal(cert.RawSubject, cert.RawIssuer)
	switch {
	case !cert.IsCA:
		return chainLeaf
	case selfSigned:
		return chainRoot
	}
	return chainIntermediate
}

// certSANs returns the names that a certificate is for.
func certSANs(input string) ([]string, error) {
	block, _ := pem.Decode([]byte(input))
	if block == nil {
		return nil, publicError("certSANs: the value is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, publicError("certSANs: the value is no certificate")
	}
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	for _, uri := range cert.URIs {
		names = append(names, uri.String())
	}
	return append(names, cert.EmailAddresses...), nil
}

func eachBlock(function, input string, visit func(*pem.Block) error) error {
	rest := []byte(input)
	for len(bytes.TrimSpace(rest)) > 0 {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return publicError(strings.Join([]string{function, "the value is not PEM"}, ": "))
		}
		if err := visit(block); err != nil {
			return err
		}
	}
	return nil
}
