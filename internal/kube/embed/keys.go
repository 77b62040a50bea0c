package embed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// The files of the keys folder. All of them outlive the process, so that
// kubeconfigs, service account tokens and encrypted Secrets do too.
const (
	caCertFile         = "ca.crt"
	caKeyFile          = "ca.key"
	frontProxyCertFile = "front-proxy-ca.crt"
	frontProxyKeyFile  = "front-proxy-ca.key"
	serviceAccountFile = "service-account.key"
	encryptionFile     = "encryption.yaml"
)

// frontProxyName is whom aggregated API servers believe when it names a user.
const frontProxyName = "front-proxy-client"

// authority is a certificate authority.
type authority struct {
	cert    *x509.Certificate
	certPEM []byte
	key     crypto.Signer
}

// keys is the control plane's key material: lasting authorities, and the
// certificates of this start.
type keys struct {
	folder     string
	ca         authority
	frontProxy authority

	// Files of this start, in the runtime folder.
	servingCert, servingKey         string
	proxyClientCert, proxyClientKey string

	adminCertPEM, adminKeyPEM []byte
}

func (k *keys) file(name string) string { return filepath.Join(k.folder, name) }

// loadKeys reads the state's key material, making it the first time, and
// issues this start's certificates.
func loadKeys(s *state, apiServerIP net.IP) (*keys, error) {
	k := &keys{folder: s.file(keysFolder)}
	if err := k.makeOnce(s); err != nil {
		return nil, err
	}
	var err error
	if k.ca, err = k.readAuthority(caCertFile, caKeyFile); err != nil {
		return nil, err
	}
	if k.frontProxy, err = k.readAuthority(frontProxyCertFile, frontProxyKeyFile); err != nil {
		return nil, err
	}
	return k, k.issue(s, apiServerIP)
}

// makeOnce makes the keys folder in one step: it is there as a whole or not at
// all.
func (k *keys) makeOnce(s *state) error {
	if _, err := os.Stat(k.folder); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(s.file(etcdFolder)); err == nil {
		return fmt.Errorf("the state folder %s has data but its keys are gone, so its Secrets cannot be read: remove the folder to start anew", s.path)
	}
	draft, err := os.MkdirTemp(s.path, ".keys-")
	if err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	err = writeKeys(draft)
	if err == nil {
		err = os.Rename(draft, k.folder)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("making keys: %w", err), os.RemoveAll(draft))
	}
	return nil
}

// writeKeys writes all lasting key material to a folder.
func writeKeys(folder string) error {
	for _, ca := range []struct{ name, cert, key string }{
		{"hearth-ca", caCertFile, caKeyFile},
		{"hearth-front-proxy-ca", frontProxyCertFile, frontProxyKeyFile},
	} {
		key, keyPEM, err := newKey()
		if err != nil {
			return err
		}
		certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: ca.name}, key)
		if err != nil {
			return err
		}
		certPEM := pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: certificate.Raw})
		if err := errors.Join(writeFile(filepath.Join(folder, ca.cert), certPEM), writeFile(filepath.Join(folder, ca.key), keyPEM)); err != nil {
			return err
		}
	}
	_, serviceAccountPEM, err := newKey()
	if err != nil {
		return err
	}
	encryption, err := encryptionConfiguration()
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(filepath.Join(folder, serviceAccountFile), serviceAccountPEM),
		writeFile(filepath.Join(folder, encryptionFile), encryption),
	)
}

// encryptionConfiguration has Secrets encrypted with a fresh key. There is no
// identity provider after it, so an unencrypted Secret is never accepted.
func encryptionConfiguration() ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key1
              secret: %s
`, base64.StdEncoding.EncodeToString(key)), nil
}

func (k *keys) readAuthority(certName, keyName string) (authority, error) {
	certificates, err := cert.CertsFromFile(k.file(certName))
	if err != nil {
		return authority{}, fmt.Errorf("reading the state's certificate authority: %w", err)
	}
	key, err := keyutil.PrivateKeyFromFile(k.file(keyName))
	if err != nil {
		return authority{}, fmt.Errorf("reading the state's certificate authority: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return authority{}, fmt.Errorf("%s holds no key that can sign", k.file(keyName))
	}
	encoded, err := cert.EncodeCertificates(certificates...)
	return authority{cert: certificates[0], certPEM: encoded, key: signer}, err
}

// issue makes the certificates of this start.
func (k *keys) issue(s *state, apiServerIP net.IP) error {
	serving, servingKey, err := k.ca.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, apiServerIP},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	proxy, proxyKey, err := k.frontProxy.issue(clientCertificate(frontProxyName))
	if err != nil {
		return err
	}
	k.adminCertPEM, k.adminKeyPEM, err = k.ca.issue(clientCertificate("hearth-admin", "system:masters"))
	if err != nil {
		return err
	}
	k.servingCert, k.servingKey = s.runtimeFile("apiserver.crt"), s.runtimeFile("apiserver.key")
	k.proxyClientCert, k.proxyClientKey = s.runtimeFile("front-proxy-client.crt"), s.runtimeFile("front-proxy-client.key")
	return errors.Join(
		writeFile(k.servingCert, serving), writeFile(k.servingKey, servingKey),
		writeFile(k.proxyClientCert, proxy), writeFile(k.proxyClientKey, proxyKey),
	)
}

func clientCertificate(user string, groups ...string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// issue signs a certificate from template with a fresh key; both come as PEM.
func (a authority) issue(template *x509.Certificate) (certPEM, keyPEM []byte, err error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = a.cert.NotAfter
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issuing a certificate for %s: %w", template.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der}), keyPEM, nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := keyutil.MarshalPrivateKeyToPEM(key)
	return key, bytes.TrimSpace(encoded), err
}
