// Package certificate plays cert-manager: Issuers and ClusterIssuers turn
// Ready, Certificates get real key pairs in their Secrets, are renewed in
// time, and can be refused as an ACME server refuses them.
//
// It promises Secrets that cert-manager's consumers take for its own (type
// kubernetes.io/tls, tls.crt, tls.key, the annotations), certificates that
// verify against the authority that issued them, and the conditions, events,
// CertificateRequests, Orders and Challenges that tell how far an issuance
// has come, in cert-manager's words. Whoever waits for an Issuer, its Secrets,
// or for the operator's own pods waits as in life.
//
// Issuers of type CA and self-signed ones sign as they do in life. All others
// (ACME, Vault, Venafi, external ones) are played by one authority that lives
// as long as the process, and whose certificate is in the ConfigMap
// kube-public/hearth-authority. Nobody's ownership of a domain is checked.
// Keystores, output formats and renewal windows are not played.
package certificate

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/standin/operator"
)

const (
	group     = "cert-manager.io"
	acmeGroup = "acme.cert-manager.io"
	version   = "v1"
)

// The components of cert-manager that write events.
const (
	trigger        = "cert-manager-certificates-trigger"
	requestManager = "cert-manager-certificates-request-manager"
	issuing        = "cert-manager-certificates-issuing"
	readiness      = "cert-manager-certificates-readiness"
	issuers        = "cert-manager-issuers"
	clusterIssuers = "cert-manager-clusterissuers"
	requests       = "cert-manager-certificaterequests-issuer-acme"
	orders         = "cert-manager-orders"
	challenges     = "cert-manager-challenges"
)

var (
	secretKind  = corev1.SchemeGroupVersion.WithKind("Secret")
	configKind  = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	requestKind = schema.GroupVersionKind{Group: group, Version: version, Kind: "CertificateRequest"}
	orderKind   = schema.GroupVersionKind{Group: acmeGroup, Version: version, Kind: "Order"}
	challenge   = schema.GroupVersionKind{Group: acmeGroup, Version: version, Kind: "Challenge"}
)

// player plays cert-manager.
type player struct{ authority *authority }

// Setup registers the stand-in with the manager.
func Setup(mgr manager.Manager, o operator.Options) error {
	authority, err := newAuthority()
	if err != nil {
		return fmt.Errorf("make a certificate authority: %w", err)
	}
	p := &player{authority}
	return operator.Setup(mgr, o, operator.Part{
		Name: "certificate", Plays: plays, See: p.see,
		Follows: []schema.GroupVersionKind{secretKind},
	})
}

func plays(crd *apiextensionsv1.CustomResourceDefinition, _ *apiextensionsv1.CustomResourceDefinitionVersion) *operator.Role {
	if crd.Spec.Group != group {
		return nil
	}
	switch crd.Spec.Names.Kind {
	case "Certificate", "Issuer", "ClusterIssuer", "CertificateRequest":
		return &operator.Role{Operator: "cert-manager", Pods: operator.Named("cert-manager"), Images: []string{"cert-manager-controller", "hearth.invalid/cert-manager"}}
	}
	return nil
}

func (p *player) see(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	switch v.Object.GetKind() {
	case "Certificate":
		return p.seeCertificate(ctx, v)
	case "CertificateRequest":
		return reconcile.Result{}, p.seeRequest(ctx, v)
	default:
		return p.seeIssuer(ctx, v)
	}
}

// spec reads an object's spec.
func spec[T any](obj *unstructured.Unstructured) (T, error) {
	var out T
	content, _, _ := unstructured.NestedMap(obj.Object, "spec")
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &out); err != nil {
		return out, fmt.Errorf("read the spec of %s %s/%s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), err)
	}
	return out, nil
}
