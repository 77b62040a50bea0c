package oci

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// TrustedRoot is whom to trust with certificates and logs of signatures, in
// the format that Sigstore distributes as trusted_root.json.
// https://github.com/sigstore/protobuf-specs
type TrustedRoot struct {
	authorities []authority
	logs        []trustedLog // of signatures
	issued      []trustedLog // of certificates
}

const maxTrustedRoot = 1 << 20

type authority struct {
	root          *x509.Certificate
	intermediates []*x509.Certificate
	valid         period
}

type trustedLog struct {
	id    [sha256.Size]byte
	key   Key
	valid period
}

type period struct {
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end"`
}

func (p period) covers(t time.Time) bool {
	return !t.Before(p.Start) && (p.End == nil || !t.After(*p.End))
}

// rootLog is a log as a trusted root writes it.
type rootLog struct {
	PublicKey struct {
		Raw   []byte `json:"rawBytes"`
		Valid period `json:"validFor"`
	} `json:"publicKey"`
}

// ParseTrustedRoot reads a trusted root in JSON.
func ParseTrustedRoot(content []byte) (TrustedRoot, error) {
	if len(content) == 0 {
		return TrustedRoot{}, errors.New("it has no key 'trusted_root.json'")
	}
	var file struct {
		Logs        []rootLog `json:"tlogs"`
		Issued      []rootLog `json:"ctlogs"`
		Authorities []struct {
			Chain struct {
				Certificates []struct {
					Raw []byte `json:"rawBytes"`
				} `json:"certificates"`
			} `json:"certChain"`
			Valid period `json:"validFor"`
		} `json:"certificateAuthorities"`
	}
	if len(content) > maxTrustedRoot || json.Unmarshal(content, &file) != nil {
		return TrustedRoot{}, errors.New("the trusted root is too large, or no JSON that can be read")
	}
	root := TrustedRoot{}
	var err error
	if root.logs, err = logsOf(file.Logs); err != nil {
		return TrustedRoot{}, err
	}
	if root.issued, err = logsOf(file.Issued); err != nil {
		return TrustedRoot{}, err
	}
	for _, a := range file.Authorities {
		known := authority{valid: a.Valid}
		for i, raw := range a.Chain.Certificates {
			certificate, err := x509.ParseCertificate(raw.Raw)
			if err != nil {
				return TrustedRoot{}, errors.New("a certificate of the trusted root cannot be read")
			}
			if i == len(a.Chain.Certificates)-1 {
				known.root = certificate
			} else {
				known.intermediates = append(known.intermediates, certificate)
			}
		}
		if known.root != nil {
			root.authorities = append(root.authorities, known)
		}
	}
	if len(root.authorities) == 0 || len(root.logs) == 0 || len(root.issued) == 0 {
		return TrustedRoot{}, errors.New("the trusted root names no certificate authority, no log of signatures or no log of certificates")
	}
	return root, nil
}

func logsOf(written []rootLog) ([]trustedLog, error) {
	var logs []trustedLog
	for _, l := range written {
		public, err := x509.ParsePKIXPublicKey(l.PublicKey.Raw)
		if err != nil {
			return nil, errors.New("the public key of a log of the trusted root cannot be read")
		}
		key, err := keyOf(public)
		if err != nil {
			return nil, fmt.Errorf("a log of the trusted root: %w", err)
		}
		// A log is known by the digest of its key (RFC 6962, 3.2).
		logs = append(logs, trustedLog{sha256.Sum256(l.PublicKey.Raw), key, l.PublicKey.Valid})
	}
	return logs, nil
}

// logOf returns the log of an id that was trusted at a time.
func logOf(logs []trustedLog, id []byte, at time.Time) (Key, bool) {
	for _, l := range logs {
		if string(l.id[:]) == string(id) && l.valid.covers(at) {
			return l.key, true
		}
	}
	return Key{}, false
}

// certified checks that an authority issued a certificate for signing that was
// valid at a time, and that this was logged.
func (r TrustedRoot) certified(certificate *x509.Certificate, at time.Time) error {
	for _, a := range r.authorities {
		if !a.valid.covers(at) {
			continue
		}
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(a.root)
		for _, c := range a.intermediates {
			intermediates.AddCert(c)
		}
		chains, err := certificate.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		})
		if err != nil {
			continue
		}
		if len(chains[0]) < 2 {
			return errors.New("a certificate is an authority's own")
		}
		return r.issuanceLogged(certificate, chains[0][1])
	}
	return errors.New("a certificate was issued by no authority of the trusted root, or was not valid when it was used")
}
