package certificate

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/standin/operator"
)

// reason says why a certificate has to be issued, in cert-manager's words; the
// zero value is that it has not.
type reason struct{ name, message string }

// judge returns why a Certificate's Secret will not do, and the certificate in
// it if there is one.
func judge(s certificateSpec, secret *unstructured.Unstructured, now time.Time) (reason, *x509.Certificate) {
	if secret == nil {
		return reason{"DoesNotExist", "Issuing certificate as Secret does not exist"}, nil
	}
	keyData, certData := data(secret, corev1.TLSPrivateKeyKey), data(secret, corev1.TLSCertKey)
	switch {
	case len(keyData)+len(certData) == 0:
		return reason{"MissingData", "Issuing certificate as Secret does not contain any data"}, nil
	case len(keyData) == 0:
		return reason{"MissingData", "Issuing certificate as Secret does not contain a private key"}, nil
	case len(certData) == 0:
		return reason{"MissingData", "Issuing certificate as Secret does not contain a certificate"}, nil
	}
	key, err := decodeKey(keyData)
	if err != nil {
		return reason{"InvalidKeyPair", "Issuing certificate as Secret contains invalid private key data: " + err.Error()}, nil
	}
	cert, err := decodeCertificate(certData)
	if err != nil {
		return reason{"InvalidCertificate", "Issuing certificate as Secret contains an invalid certificate: " + err.Error()}, nil
	}
	if public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
		return reason{"InvalidKeyPair", "Issuing certificate as Secret contains a private key that does not match the certificate"}, cert
	}
	annotations := secret.GetAnnotations()
	if annotations["cert-manager.io/issuer-name"] != s.IssuerRef.Name || annotations["cert-manager.io/issuer-kind"] != s.IssuerRef.kind() {
		return reason{"IncorrectIssuer", fmt.Sprintf("Issuing certificate as Secret was previously issued by %q",
			annotations["cert-manager.io/issuer-kind"]+"."+group+"/"+annotations["cert-manager.io/issuer-name"])}, cert
	}
	if !sameNames(cert.DNSNames, s.names()) || s.CommonName != cert.Subject.CommonName {
		return reason{"RequestChanged", "Fields on existing CertificateRequest resource not up to date: [spec.dnsNames]"}, cert
	}
	if now.After(cert.NotAfter) {
		return reason{"Expired", "Certificate expired on " + cert.NotAfter.Format(time.RFC1123)}, cert
	}
	if at := s.renewal(cert.NotBefore, cert.NotAfter); !now.Before(at) {
		return reason{"Renewing", "Renewing certificate as renewal was scheduled at " + at.UTC().String()}, cert
	}
	return reason{}, cert
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// store writes a certificate and its key into the Certificate's Secret, which
// outlives it.
func store(ctx context.Context, v *operator.Visit, s certificateSpec, key crypto.Signer, out *issued) error {
	encoded, err := encodeKey(key, s.PrivateKey.Encoding)
	if err != nil {
		return err
	}
	values := map[string]any{
		corev1.TLSCertKey:       base64.StdEncoding.EncodeToString(out.chain),
		corev1.TLSPrivateKeyKey: base64.StdEncoding.EncodeToString(encoded),
	}
	if len(out.ca) > 0 {
		values["ca.crt"] = base64.StdEncoding.EncodeToString(out.ca)
	}
	secret, err := v.Find(ctx, secretKind, v.Object.GetNamespace(), s.SecretName)
	if err != nil {
		return err
	}
	made := secret == nil
	if made {
		secret = &unstructured.Unstructured{Object: map[string]any{"type": string(corev1.SecretTypeTLS)}}
		secret.SetGroupVersionKind(secretKind)
		secret.SetNamespace(v.Object.GetNamespace())
		secret.SetName(s.SecretName)
	}
	had, _, _ := unstructured.NestedMap(secret.Object, "data")
	if had == nil {
		had = map[string]any{}
	}
	maps.Copy(had, values)
	secret.Object["data"] = had
	secret.SetLabels(with(secret.GetLabels(), s.SecretTemplate.Labels, map[string]string{"controller.cert-manager.io/fao": "true"}))
	secret.SetAnnotations(with(secret.GetAnnotations(), s.SecretTemplate.Annotations, annotationsOf(v.Object.GetName(), s, out.leaf)))
	if made {
		_, err = v.Make(ctx, secret, false)
		return err
	}
	if err := v.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("write the certificate into the Secret %s/%s: %w", secret.GetNamespace(), secret.GetName(), err)
	}
	return nil
}

// with returns the maps put over each other.
func with(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

func annotationsOf(name string, s certificateSpec, leaf *x509.Certificate) map[string]string {
	var ips []string
	for _, ip := range leaf.IPAddresses {
		ips = append(ips, ip.String())
	}
	return map[string]string{
		"cert-manager.io/certificate-name": name,
		"cert-manager.io/issuer-name":      s.IssuerRef.Name,
		"cert-manager.io/issuer-kind":      s.IssuerRef.kind(),
		"cert-manager.io/issuer-group":     s.IssuerRef.group(),
		"cert-manager.io/common-name":      leaf.Subject.CommonName,
		"cert-manager.io/alt-names":        strings.Join(leaf.DNSNames, ","),
		"cert-manager.io/ip-sans":          strings.Join(ips, ","),
		"cert-manager.io/uri-sans":         strings.Join(s.URIs, ","),
	}
}
