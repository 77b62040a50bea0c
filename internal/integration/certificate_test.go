package integration_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

func certificateOf(ns, name, issuer string, spec map[string]any) *unstructured.Unstructured {
	spec["secretName"] = name + "-tls"
	spec["issuerRef"] = map[string]any{"name": issuer, "kind": "Issuer"}
	spec["privateKey"] = map[string]any{"algorithm": "ECDSA"}
	return customOf("cert-manager.io/v1", "Certificate", ns, name, spec)
}

func acmeIssuer(ns, name, token string) *unstructured.Unstructured {
	return customOf("cert-manager.io/v1", "Issuer", ns, name, map[string]any{"acme": map[string]any{
		"server": "https://acme.example.org/directory", "email": "me@example.org", "privateKeySecretRef": map[string]any{"name": "account"},
		"solvers": []any{map[string]any{"dns01": map[string]any{"cloudflare": map[string]any{"apiTokenSecretRef": map[string]any{"name": token, "key": "token"}}}}},
	}})
}

func awaitCertified(t *testing.T, s *stage, cert *unstructured.Unstructured, reason string) *unstructured.Unstructured {
	t.Helper()
	return customAwait(t, s, cert, reason, func(o *unstructured.Unstructured) bool {
		status, why, _ := conditionOf(o, "Ready")
		issuing, _, _ := conditionOf(o, "Issuing")
		return (status == "True") == (reason == "Ready") && why == reason && issuing != "True"
	})
}

// leafIn reads the certificate in a Secret.
func leafIn(t *testing.T, s *stage, ns, name string) (*corev1.Secret, *x509.Certificate) {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatalf("the key pair in the Secret is none: %v", err)
	}
	return secret, pair.Leaf
}

// https://cert-manager.io/docs/usage/certificate, /reference/annotations, and
// /troubleshooting/acme, which shows a challenge that cannot be presented.
func checkCertificateIsIssuedAndRenewed(t *testing.T, s *stage, faults *domain.Faults) {
	ns := s.namespace(t)
	issuer := acmeIssuer(ns, "acme", "cloudflare")
	cert := certificateOf(ns, "web", "acme", map[string]any{"dnsNames": []any{"example.org", "*.example.org"}, "duration": "24h"})
	s.make(t, cert, issuer)
	customAwait(t, s, issuer, "registered", func(o *unstructured.Unstructured) bool {
		_, reason, _ := conditionOf(o, "Ready")
		return reason == "ACMEAccountRegistered"
	})
	// The token of the DNS provider is missing: nothing can be proven.
	customAwait(t, s, cert, "issuing", func(o *unstructured.Unstructured) bool {
		status, reason, _ := conditionOf(o, "Issuing")
		ready, why, _ := conditionOf(o, "Ready")
		return status == "True" && reason == "DoesNotExist" && ready == "False" && why == "DoesNotExist"
	})
	eventually(t, "a challenge tells why it cannot be presented", func() bool {
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion("acme.cert-manager.io/v1")
		list.SetKind("ChallengeList")
		if err := s.List(t.Context(), list, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		return len(list.Items) == 2 && text(&list.Items[0], "status", "reason") == `error getting cloudflare secret: secrets "cloudflare" not found`
	})
	s.make(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cloudflare"}, StringData: map[string]string{"token": "x"}})
	got := awaitCertified(t, s, cert, "Ready")
	if text(got, "status", "renewalTime") == "" || text(got, "status", "notAfter") == "" {
		t.Errorf("status is %v", got.Object["status"])
	}
	s.awaitEvent(t, ns, "web", "Issuing", "The certificate has been successfully issued")
	secret, leaf := leafIn(t, s, ns, "web-tls")
	if secret.Type != corev1.SecretTypeTLS || secret.Annotations["cert-manager.io/issuer-name"] != "acme" || secret.Annotations["cert-manager.io/alt-names"] != "example.org,*.example.org" {
		t.Errorf("the Secret is a %s with %v", secret.Type, secret.Annotations)
	}
	config := &corev1.ConfigMap{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: "kube-public", Name: "hearth-authority"}, config); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(config.Data["ca.crt"]))
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "a.example.org"}); err != nil {
		t.Error(err)
	}

	// It expires, and once it may be renewed it is.
	expired := domain.Fault{Kind: domain.FaultCertificateExpired, Which: ns + "/web"}
	faults.Inject(expired)
	awaitCertified(t, s, cert, "Expired")
	if _, old := leafIn(t, s, ns, "web-tls"); !old.NotAfter.Before(time.Now()) {
		t.Errorf("the certificate in the Secret is valid until %s", old.NotAfter)
	}
	faults.Lift(expired)
	awaitCertified(t, s, cert, "Ready")
	if _, renewed := leafIn(t, s, ns, "web-tls"); !renewed.NotAfter.After(time.Now()) {
		t.Errorf("the renewed certificate was valid until %s", renewed.NotAfter)
	}
}

// https://cert-manager.io/docs/troubleshooting/acme: an Order in a failure
// state fails its request, and that the Certificate's issuance.
func checkCertificateIsRefused(t *testing.T, s *stage, faults *domain.Faults) {
	ns := s.namespace(t)
	refused := domain.Fault{Kind: domain.FaultCertificateRefused, Which: ns + "/web"}
	faults.Inject(refused)
	s.make(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cloudflare"}, StringData: map[string]string{"token": "x"}})
	cert := certificateOf(ns, "web", "acme", map[string]any{"dnsNames": []any{"example.org"}})
	s.make(t, acmeIssuer(ns, "acme", "cloudflare"), cert)
	got := customAwait(t, s, cert, "refused", func(o *unstructured.Unstructured) bool {
		status, reason, _ := conditionOf(o, "Issuing")
		return status == "False" && reason == "Failed"
	})
	if attempts, _, _ := unstructured.NestedInt64(got.Object, "status", "failedIssuanceAttempts"); attempts != 1 {
		t.Errorf("it was tried %d times", attempts)
	}
	s.awaitEvent(t, ns, "web", "Failed", `order is in "errored" state: Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited`)
	faults.Lift(refused)
	awaitCertified(t, s, cert, "Ready")
}

// https://cert-manager.io/docs/configuration/ca and /selfsigned: the usual way
// to an authority of one's own.
func checkCertificateOfOwnAuthority(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	self := customOf("cert-manager.io/v1", "Issuer", ns, "self", map[string]any{"selfSigned": map[string]any{}})
	root := certificateOf(ns, "root", "self", map[string]any{"commonName": "root", "isCA": true})
	authority := customOf("cert-manager.io/v1", "Issuer", ns, "own", map[string]any{"ca": map[string]any{"secretName": "root-tls"}})
	cert := certificateOf(ns, "web", "own", map[string]any{"dnsNames": []any{"web.lan"}, "duration": "48h", "renewBefore": "24h"})
	s.make(t, authority)
	customAwait(t, s, authority, "without its key pair", func(o *unstructured.Unstructured) bool {
		_, reason, message := conditionOf(o, "Ready")
		return reason == "ErrGetKeyPair" && message == `Error getting keypair for CA issuer: secrets "root-tls" not found`
	})
	s.make(t, self, root, cert)
	got := awaitCertified(t, s, cert, "Ready")
	secret, leaf := leafIn(t, s, ns, "web-tls")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data["ca.crt"])
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "web.lan"}); err != nil {
		t.Error(err)
	}
	if want := leaf.NotAfter.Add(-24 * time.Hour).UTC().Format(time.RFC3339); text(got, "status", "renewalTime") != want {
		t.Errorf("renewal at %s, want %s", text(got, "status", "renewalTime"), want)
	}
}
