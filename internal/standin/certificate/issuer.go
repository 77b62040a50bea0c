package certificate

import (
	"context"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// accountSpan is how long the registration of an account takes.
var accountSpan = domain.Range{Min: 1e9, Max: 5e9}

// seeIssuer makes an issuer ready, or says why it is not.
func (p *player) seeIssuer(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	s, err := spec[issuerSpec](v.Object)
	if err != nil {
		v.Refuse(err)
		return reconcile.Result{}, nil
	}
	if err := p.publish(ctx, v); err != nil {
		return reconcile.Result{}, err
	}
	if left := v.Left(operator.StepReconcile, accountSpan); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	v.Assume()
	status := operator.Status(v.Object)
	component := issuers
	if v.Object.GetKind() == "ClusterIssuer" {
		component = clusterIssuers
	}
	ready := operator.Condition{Type: "Ready", Reason: "IsReady"}
	switch {
	case s.ACME != nil:
		ready = operator.Condition{Type: "Ready", Reason: "ACMEAccountRegistered", Message: "The ACME account was registered with the ACME server"}
		status["acme"] = map[string]any{"uri": s.ACME.Server + "/acct/1", "lastRegisteredEmail": s.ACME.Email}
		if err := p.account(ctx, v, s); err != nil {
			return reconcile.Result{}, err
		}
	case s.CA != nil:
		var problem string
		if ready, problem, err = caReady(ctx, v, s.CA.SecretName); err != nil {
			return reconcile.Result{}, err
		}
		if problem != "" {
			err = v.TellOnce(ctx, component, corev1.EventTypeWarning, ready.Reason, "%s", ready.Message)
		}
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	operator.Conditions(status, v.Object.GetGeneration(), ready)
	_, err = v.WriteStatus(ctx, status)
	return reconcile.Result{}, err
}

// caReady judges the key pair of an issuer that is an authority itself.
func caReady(ctx context.Context, v *operator.Visit, name string) (operator.Condition, string, error) {
	secret, err := v.Find(ctx, secretKind, home(v), name)
	if err != nil {
		return operator.Condition{}, "", err
	}
	problem := ""
	reason := "ErrGetKeyPair"
	if secret == nil {
		problem = fmt.Sprintf("secrets %q not found", name)
	} else if a, err := authorityOf(secret); err != nil {
		problem = err.Error()
	} else if !a.cert.IsCA {
		problem, reason = "certificate is not a CA", "ErrInvalidKeyPair"
	}
	if problem != "" {
		return operator.Condition{Type: "Ready", Status: "False", Reason: reason, Message: "Error getting keypair for CA issuer: " + problem}, problem, nil
	}
	return operator.Condition{Type: "Ready", Reason: "KeyPairVerified", Message: "Signing CA verified"}, "", nil
}

// authorityOf reads the key pair in a Secret.
func authorityOf(secret *unstructured.Unstructured) (*authority, error) {
	chain := data(secret, corev1.TLSCertKey)
	cert, err := decodeCertificate(chain)
	if err != nil {
		return nil, err
	}
	key, err := decodeKey(data(secret, corev1.TLSPrivateKeyKey))
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, pem: chain, key: key}, nil
}

// data returns one value of a Secret; nil is none.
func data(secret *unstructured.Unstructured, key string) []byte {
	text, _, _ := unstructured.NestedString(secret.Object, "data", key)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}

// home is the namespace of an issuer's Secrets: cert-manager's own for one
// that is there for the whole cluster.
func home(v *operator.Visit) string { return homeOf(v, v.Object) }

func homeOf(v *operator.Visit, issuer *unstructured.Unstructured) string {
	if namespace := issuer.GetNamespace(); namespace != "" {
		return namespace
	}
	if namespace := v.OperatorNamespace(); namespace != "" {
		return namespace
	}
	return "cert-manager"
}

// account makes the Secret that holds an ACME account's key.
func (p *player) account(ctx context.Context, v *operator.Visit, s issuerSpec) error {
	name := s.ACME.PrivateKeySecretRef.Name
	if name == "" {
		return nil
	}
	if found, err := v.Find(ctx, secretKind, home(v), name); found != nil || err != nil {
		return err
	}
	key, err := newKey(certificateSpec{})
	if err != nil {
		return err
	}
	encoded, err := encodeKey(key, "")
	if err != nil {
		return err
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"type": "Opaque", "data": map[string]any{corev1.TLSPrivateKeyKey: base64.StdEncoding.EncodeToString(encoded)},
	}}
	secret.SetGroupVersionKind(secretKind)
	secret.SetNamespace(home(v))
	secret.SetName(name)
	_, err = v.Make(ctx, secret, false)
	return err
}

// authorityConfig is where the stand-in's authority can be had.
const authorityConfig = "hearth-authority"

// publish tells everybody the stand-in's authority.
func (p *player) publish(ctx context.Context, v *operator.Visit) error {
	config := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"ca.crt": string(p.authority.pem)}}}
	config.SetGroupVersionKind(configKind)
	config.SetNamespace("kube-public")
	config.SetName(authorityConfig)
	made, err := v.Make(ctx, config.DeepCopy(), false)
	if made || err != nil {
		return err
	}
	// One of an earlier run is another one.
	had, err := v.Find(ctx, configKind, "kube-public", authorityConfig)
	if err != nil || had == nil {
		return err
	}
	if text, _, _ := unstructured.NestedString(had.Object, "data", "ca.crt"); text == string(p.authority.pem) {
		return nil
	}
	config.SetResourceVersion(had.GetResourceVersion())
	return v.Client.Update(ctx, config)
}

// issuerOf finds the issuer that a Certificate or a request names; nil is none.
func issuerOf(ctx context.Context, v *operator.Visit, ref issuerRef) (*unstructured.Unstructured, error) {
	namespace := v.Object.GetNamespace()
	if ref.kind() == "ClusterIssuer" {
		namespace = ""
	}
	return v.Find(ctx, schema.GroupVersionKind{Group: ref.group(), Version: version, Kind: ref.kind()}, namespace, ref.Name)
}

// isReady reports whether an object has the condition Ready.
func isReady(obj *unstructured.Unstructured) bool {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, item := range list {
		if c, ok := item.(map[string]any); ok && c["type"] == "Ready" {
			return c["status"] == "True"
		}
	}
	return false
}
