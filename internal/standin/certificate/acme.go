package certificate

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// refused says whether the issuer does not give a certificate now, and tells
// why as ACME does: the server refuses the order, or a domain cannot be proven.
func (i *issuance) refused(ctx context.Context, issuer *unstructured.Unstructured, own issuerSpec) (bool, error) {
	if i.Faults.On(domain.FaultCertificateRefused, i.name()) {
		return true, i.fail(ctx, own)
	}
	if own.ACME == nil {
		return false, nil
	}
	problem, err := i.unproven(ctx, issuer, own)
	if problem == "" || err != nil {
		return false, err
	}
	return true, i.unpresented(ctx, own, problem)
}

// unproven returns why a DNS-01 challenge cannot be presented; "" is nothing.
func (i *issuance) unproven(ctx context.Context, issuer *unstructured.Unstructured, own issuerSpec) (string, error) {
	solver := own.dns01()
	if solver == nil {
		return "", nil
	}
	if ref := solver.token(); ref != nil {
		namespace := homeOf(i.Visit, issuer)
		secret, err := i.Find(ctx, secretKind, namespace, ref.Name)
		switch {
		case err != nil:
			return "", err
		case secret == nil:
			return fmt.Sprintf("error getting cloudflare secret: secrets %q not found", ref.Name), nil
		case len(data(secret, ref.Key)) == 0:
			return fmt.Sprintf("specified key %q not found in secret %s/%s", ref.Key, namespace, ref.Name), nil
		}
	}
	if i.Faults.On(domain.FaultDNSDown) {
		return "while attempting to find Zones for domain: dial tcp: i/o timeout", nil
	}
	return "", nil
}

// unpresented leaves the order pending on a challenge that cannot be presented.
func (i *issuance) unpresented(ctx context.Context, own issuerSpec, problem string) error {
	if err := i.order(ctx, "pending", ""); err != nil {
		return err
	}
	name := i.requestName()
	order := suffixed(name, i.spec.names()...)
	if err := i.request(ctx, nil, nil, "Pending", fmt.Sprintf("Waiting on certificate issuance from order %s/%s: %q", i.Object.GetNamespace(), order, "pending")); err != nil {
		return err
	}
	for _, domain := range i.spec.names() {
		if err := i.challenge(ctx, order, domain, problem); err != nil {
			return err
		}
	}
	_, err := i.WriteStatus(ctx, i.status)
	return err
}

// challenge tells of a domain that cannot be proven.
func (i *issuance) challenge(ctx context.Context, order, domain, problem string) error {
	bare, wildcard := strings.CutPrefix(domain, "*.")
	name := suffixed(order, domain)
	owner, err := i.Find(ctx, orderKind, i.Object.GetNamespace(), order)
	if owner == nil || err != nil {
		return err
	}
	had, err := i.Find(ctx, challenge, i.Object.GetNamespace(), name)
	if err != nil {
		return err
	}
	if had == nil {
		yes := true
		had = i.owned(challenge, name, map[string]any{
			"dnsName": bare, "wildcard": wildcard, "type": "DNS-01", "solver": map[string]any{"dns01": map[string]any{}},
			"issuerRef":        map[string]any{"name": i.spec.IssuerRef.Name, "kind": i.spec.IssuerRef.kind()},
			"authorizationURL": "https://acme.invalid/authz/1", "url": "https://acme.invalid/chall/1", "key": "rehearsal", "token": "rehearsal",
		}, metav1.OwnerReference{APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: order, UID: owner.GetUID(), Controller: &yes, BlockOwnerDeletion: &yes})
		if made, err := create(ctx, i.Visit, had); !made || err != nil {
			return err
		}
	}
	status := operator.Status(had)
	status["state"], status["processing"], status["presented"], status["reason"] = "pending", true, false, problem
	if err := writeOther(ctx, i.Visit, had, status); err != nil {
		return err
	}
	return operator.Event{
		Object: corev1.ObjectReference{
			APIVersion: had.GetAPIVersion(), Kind: had.GetKind(), Namespace: had.GetNamespace(), Name: had.GetName(), UID: had.GetUID(),
		},
		Component: challenges, Type: corev1.EventTypeWarning, Reason: "PresentError", Message: "Error presenting challenge: " + problem,
	}.Write(ctx, i.Client)
}

// fail ends an issuance that the authority refuses; it is tried again when the
// fault is lifted.
func (i *issuance) fail(ctx context.Context, own issuerSpec) error {
	if i.failed() {
		_, err := i.WriteStatus(ctx, i.status)
		return err
	}
	name := i.requestName()
	message := "the issuer refused to sign the certificate"
	if own.ACME != nil {
		order := suffixed(name, i.spec.names()...)
		refusal := "Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many certificates already issued for this exact set of identifiers"
		if err := i.order(ctx, "errored", refusal); err != nil {
			return err
		}
		message = fmt.Sprintf("Failed to wait for order resource %q to become ready: order is in %q state: %s", order, "errored", refusal)
	}
	if err := i.request(ctx, nil, nil, "Failed", message); err != nil {
		return err
	}
	message = "The certificate request has failed to complete and will be retried: " + message
	attempts, _ := i.status["failedIssuanceAttempts"].(int64)
	i.status["failedIssuanceAttempts"] = attempts + 1
	i.status["lastFailureTime"] = time.Now().UTC().Format(time.RFC3339)
	operator.Conditions(i.status, i.Object.GetGeneration(), operator.Condition{Type: "Issuing", Status: "False", Reason: "Failed", Message: message})
	if _, err := i.WriteStatus(ctx, i.status); err != nil {
		return err
	}
	return i.Tell(ctx, issuing, corev1.EventTypeWarning, "Failed", "%s", message)
}

// order tells how far the ACME order has come, where the cluster knows orders.
func (i *issuance) order(ctx context.Context, state, refusal string) error {
	request, err := i.Find(ctx, requestKind, i.Object.GetNamespace(), i.requestName())
	if request == nil || err != nil {
		return err
	}
	name := suffixed(request.GetName(), i.spec.names()...)
	had, err := i.Find(ctx, orderKind, i.Object.GetNamespace(), name)
	if err != nil {
		return err
	}
	if had == nil {
		yes := true
		content, _, _ := unstructured.NestedString(request.Object, "spec", "request")
		had = i.owned(orderKind, name, map[string]any{
			"request": content, "dnsNames": anys(i.spec.names()),
			"issuerRef": map[string]any{"name": i.spec.IssuerRef.Name, "kind": i.spec.IssuerRef.kind()},
		}, metav1.OwnerReference{APIVersion: request.GetAPIVersion(), Kind: request.GetKind(), Name: request.GetName(), UID: request.GetUID(), Controller: &yes, BlockOwnerDeletion: &yes})
		if made, err := create(ctx, i.Visit, had); !made || err != nil {
			return err
		}
	}
	status := operator.Status(had)
	status["state"] = state
	if refusal != "" {
		status["reason"], status["failureTime"] = refusal, time.Now().UTC().Format(time.RFC3339)
	}
	return writeOther(ctx, i.Visit, had, status)
}

func anys(list []string) []any {
	var out []any
	for _, item := range list {
		out = append(out, item)
	}
	return out
}
