package certificate

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/standin/operator"
)

const approved = "Certificate request has been approved by cert-manager.io"

// requestName is the name of the request of the issuance that runs, or that
// has just ended.
func (i *issuance) requestName() string {
	revision, _ := i.status["revision"].(int64)
	if condition(i.status, "Issuing")["status"] == "True" || i.failed() {
		if had, _, _ := unstructured.NestedInt64(i.Object.Object, "status", "revision"); had == revision {
			revision++
		}
	}
	return fmt.Sprintf("%s-%d", i.Object.GetName(), max(revision, 1))
}

// request tells how far the Certificate's request has come, where the cluster
// knows such requests.
func (i *issuance) request(ctx context.Context, key crypto.Signer, out *issued, outcome, message string) error {
	name := i.requestName()
	had, err := i.Find(ctx, requestKind, i.Object.GetNamespace(), name)
	if err != nil {
		return err
	}
	if had == nil {
		if had, err = i.makeRequest(ctx, name, key); had == nil || err != nil {
			return err
		}
	}
	status := operator.Status(had)
	state := "False"
	if outcome == "Issued" {
		state = "True"
		status["certificate"] = base64.StdEncoding.EncodeToString(out.chain)
		if len(out.ca) > 0 {
			status["ca"] = base64.StdEncoding.EncodeToString(out.ca)
		}
	}
	if outcome == "Failed" && status["failureTime"] == nil {
		status["failureTime"] = time.Now().UTC().Format(time.RFC3339)
	}
	operator.Conditions(status, 0,
		operator.Condition{Type: "Approved", Reason: "cert-manager.io", Message: approved},
		operator.Condition{Type: "Ready", Status: state, Reason: outcome, Message: message})
	return writeOther(ctx, i.Visit, had, status)
}

// makeRequest makes the request of an issuance. Nil is that the cluster knows
// no such kind.
func (i *issuance) makeRequest(ctx context.Context, name string, key crypto.Signer) (*unstructured.Unstructured, error) {
	csr := ""
	if key == nil {
		var err error
		if key, err = newKey(certificateSpec{}); err != nil {
			return nil, err
		}
	}
	template, err := templateOf(i.spec, time.Time{}, time.Time{})
	if err != nil {
		i.Refuse(err)
		return nil, nil
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: template.Subject, DNSNames: template.DNSNames, IPAddresses: template.IPAddresses,
		URIs: template.URIs, EmailAddresses: template.EmailAddresses,
	}, key)
	if err != nil {
		return nil, err
	}
	csr = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	request := i.owned(requestKind, name, map[string]any{
		"request":   csr,
		"issuerRef": map[string]any{"name": i.spec.IssuerRef.Name, "kind": i.spec.IssuerRef.kind(), "group": i.spec.IssuerRef.group()},
		"usages":    []any{"digital signature", "key encipherment"},
	}, i.Owner())
	request.SetAnnotations(map[string]string{
		"cert-manager.io/certificate-name":        i.Object.GetName(),
		"cert-manager.io/certificate-revision":    name[strings.LastIndex(name, "-")+1:],
		"cert-manager.io/private-key-secret-name": i.spec.SecretName,
	})
	if made, err := create(ctx, i.Visit, request); !made || err != nil {
		return nil, err
	}
	err = i.Tell(ctx, requestManager, corev1.EventTypeNormal, "Requested", "Created new CertificateRequest resource %q", name)
	return request, err
}

// owned returns an object of cert-manager's own making.
func (i *issuance) owned(gvk schema.GroupVersionKind, name string, content map[string]any, owner metav1.OwnerReference) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	obj.SetGroupVersionKind(gvk)
	obj.SetNamespace(i.Object.GetNamespace())
	obj.SetName(name)
	obj.SetOwnerReferences([]metav1.OwnerReference{owner})
	return obj
}

// create makes an object, and reports false where the cluster does not know
// its kind or has it already.
func create(ctx context.Context, v *operator.Visit, obj *unstructured.Unstructured) (bool, error) {
	err := v.Client.Create(ctx, obj)
	if meta.IsNoMatchError(err) || client.IgnoreAlreadyExists(err) == nil && err != nil {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make the %s %s/%s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), err)
	}
	return true, nil
}

// writeOther writes the status of another object than the one at hand.
func writeOther(ctx context.Context, v *operator.Visit, obj *unstructured.Unstructured, status map[string]any) error {
	before := obj.DeepCopy()
	obj.Object["status"] = status
	err := v.Client.Status().Patch(ctx, obj, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of %s %s/%s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), err)
	}
	return nil
}

// suffixed returns a name that depends on what it is made of.
func suffixed(name string, of ...string) string {
	hash := fnv.New32a()
	fmt.Fprint(hash, of)
	return fmt.Sprintf("%s-%d", name, hash.Sum32())
}

func plural(kind string) string { return strings.ToLower(kind) + "s" }
