package onepassword_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hearth/internal/onepassword"
)

// certify writes a certificate for loopback, and its key.
func certify(t *testing.T, certificateFile, keyFile string, serial int64, changed time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "connect"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{keyFile: {Type: "EC PRIVATE KEY", Bytes: private}, certificateFile: {Type: "CERTIFICATE", Bytes: certificate}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServerTLS serves on any address, with the certificate that is there at the time.
func TestServerTLS(t *testing.T) {
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ListenTLS(t.Context(), "0.0.0.0:0", certificate, key); err == nil {
		t.Error("it serves without a certificate")
	}
	start := time.Now().Add(-time.Hour)
	certify(t, certificate, key, 1, start)
	url, _, err := s.ListenTLS(t.Context(), "0.0.0.0:0", certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(url[len("https://"):])
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		c, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at, not trusted
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("certificate %d, want the first", got)
	}
	if err := os.WriteFile(certificate, []byte("half a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 1 {
		t.Errorf("certificate %d, want the first while the second is being written", got)
	}
	certify(t, certificate, key, 2, start.Add(time.Minute))
	if got := serial(); got != 2 {
		t.Errorf("certificate %d, want the second", got)
	}
}

// TestFollow reads a file again that is replaced, and keeps what was there
// while it has a fault.
func TestFollow(t *testing.T) {
	path := writeVault(t, vaultFile)
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reported, ended := make(chan error, 100), make(chan error, 1)
	go func() { ended <- s.Follow(ctx, func(err error) { reported <- err }) }()
	save := func(content string) {
		next := filepath.Join(t.TempDir(), "next")
		if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	// Until it is being watched, a change may go by unseen: it is made again.
	for n, seen := 0, false; !seen; n++ {
		save("# " + time.Duration(n).String() + "\nvaults: [{name: New}]")
		select {
		case err := <-reported:
			seen = err == nil
		case <-time.After(time.Second):
			if n == 60 {
				t.Fatal("the change was not seen")
			}
		}
	}
	await := func(want bool) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			select {
			case err := <-reported:
				if (err == nil) == want {
					return
				}
			case <-deadline:
				t.Fatal("the change was not seen")
			}
		}
	}
	save("vaults: 1")
	await(false)
	if vaults := s.Vaults(); len(vaults) != 1 || vaults[0].Name != "New" {
		t.Errorf("after a fault: %v", vaults)
	}
	save(vaultFile)
	await(true)
	if vaults := s.Vaults(); len(vaults) != 2 {
		t.Errorf("mended: %v", vaults)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
