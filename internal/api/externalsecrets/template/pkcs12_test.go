package template_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"hearth/internal/api/externalsecrets/template"
)

// issued returns a root and a leaf that it issued, as PEM, and the leaf's key.
func issued(t *testing.T) (root, leaf, key string) {
	t.Helper()
	issue := func(parent *x509.Certificate, by *ecdsa.PrivateKey, name string) (*x509.Certificate, *ecdsa.PrivateKey, string) {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		cert := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
			IsCA: parent == nil, BasicConstraintsValid: true,
		}
		if parent == nil {
			parent, by = cert, own
		}
		der, err := x509.CreateCertificate(rand.Reader, cert, parent, &own.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return cert, own, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	ca, caKey, root := issue(nil, nil, "root")
	_, leafKey, leaf := issue(ca, caKey, "leaf")
	der, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	return root, leaf, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestPKCS12ThereAndBack(t *testing.T) {
	root, leaf, key := issued(t)
	data := map[string]string{"LEAF": leaf, "CHAIN": leaf + root, "KEY": key, "PW": "pass word"}
	for name, tt := range map[string]struct{ text, want string }{
		"key":                 {`{{ pemToPkcs12 .LEAF .KEY | b64dec | pkcs12key }}`, key},
		"certificate":         {`{{ pemToPkcs12 .CHAIN .KEY | b64dec | pkcs12cert }}`, leaf},
		"chain":               {`{{ fullPemToPkcs12 .CHAIN .KEY | b64dec | pkcs12cert }}`, leaf + root},
		"key, password":       {`{{ fullPemToPkcs12Pass .CHAIN .KEY .PW | b64dec | pkcs12keyPass .PW }}`, key},
		"chain, password":     {`{{ fullPemToPkcs12Pass .CHAIN .KEY .PW | b64dec | pkcs12certPass .PW }}`, leaf + root},
		"certificate, passed": {`{{ pemToPkcs12Pass .LEAF .KEY .PW | b64dec | pkcs12certPass .PW }}`, leaf},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := template.Execute(t.Context(), template.Source{Name: "K", Text: tt.text}, data)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Error("something else comes back")
			}
		})
	}
}

func TestPKCS12TrustStore(t *testing.T) {
	root, _, _ := issued(t)
	for _, tt := range []struct{ text, password string }{
		{`{{ pemTruststoreToPKCS12 .ROOT }}`, ""}, {`{{ pemTruststoreToPKCS12Pass .ROOT "x" }}`, "x"},
	} {
		got, err := template.Execute(t.Context(), template.Source{Text: tt.text}, map[string]string{"ROOT": root})
		if err != nil {
			t.Fatal(err)
		}
		archive, err := base64.StdEncoding.DecodeString(got)
		if err != nil {
			t.Fatal(err)
		}
		certs, err := pkcs12.DecodeTrustStore(archive, tt.password)
		if err != nil || len(certs) != 1 || certs[0].Subject.CommonName != "root" {
			t.Errorf("%d certificates, %v", len(certs), err)
		}
	}
}

func TestPKCS12IsTheSameEachTime(t *testing.T) {
	root, leaf, key := issued(t)
	archive := func(password string) string {
		out, err := template.Execute(t.Context(), template.Source{Text: `{{ fullPemToPkcs12Pass .C .K .P }}{{ pemTruststoreToPKCS12Pass .C .P }}`},
			map[string]string{"C": leaf + root, "K": key, "P": password})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if archive("a") != archive("a") {
		t.Error("the same content is packed differently")
	}
	if archive("a") == archive("b") {
		t.Error("another password makes the same archive")
	}
}

func TestPKCS12ErrorsTellNoValue(t *testing.T) {
	_, leaf, _ := issued(t)
	for _, text := range []string{
		`{{ pkcs12key .A }}`, `{{ pkcs12certPass "x" .A }}`, `{{ pemToPkcs12 .A .A }}`, `{{ pemToPkcs12 .LEAF .A }}`,
		`{{ fullPemToPkcs12 "" .A }}`, `{{ pemTruststoreToPKCS12 .A }}`, `{{ pemToPkcs12 .LEAF .LEAF }}`,
	} {
		_, err := template.Execute(t.Context(), template.Source{Name: "K", Text: text}, map[string]string{"A": canary, "LEAF": leaf})
		if err == nil || strings.Contains(err.Error(), canary) || !strings.HasPrefix(err.Error(), `template "K", line 1`) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
