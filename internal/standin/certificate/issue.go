package certificate

import (
	"context"
	"crypto"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// issueSpan is how long an issuance takes: an order, its challenges, and the
// propagation of what proves a domain.
var issueSpan = domain.Range{Min: 5 * time.Second, Max: time.Minute}

// stepIssue is the step under which an issuance is told.
const stepIssue = "issue"

// issuance is one Certificate on its way to its Secret.
type issuance struct {
	*operator.Visit
	player *player
	spec   certificateSpec
	status map[string]any
	why    reason
	secret *unstructured.Unstructured
}

// seeCertificate brings a Certificate's Secret up to date, and tells how it is.
func (p *player) seeCertificate(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	s, err := spec[certificateSpec](v.Object)
	if err != nil || s.SecretName == "" {
		v.Refuse(fmt.Errorf("a Certificate has to name its Secret: %w", err))
		return reconcile.Result{}, nil
	}
	i := &issuance{Visit: v, player: p, spec: s, status: operator.Status(v.Object)}
	if i.secret, err = v.Find(ctx, secretKind, v.Object.GetNamespace(), s.SecretName); err != nil {
		return reconcile.Result{}, err
	}
	if v.Faults.On(domain.FaultCertificateExpired, i.name()) {
		return reconcile.Result{}, i.expire(ctx)
	}
	why, cert := judge(s, i.secret, time.Now())
	if why == (reason{}) && condition(i.status, "Issuing")["reason"] == "ManuallyTriggered" && condition(i.status, "Issuing")["status"] == "True" {
		why = reason{"ManuallyTriggered", "Certificate re-issuance manually triggered"}
	}
	if why == (reason{}) {
		v.Restart(stepIssue)
		i.ready(cert.NotBefore, cert.NotAfter)
		_, err := v.WriteStatus(ctx, i.status)
		return reconcile.Result{RequeueAfter: max(time.Until(s.renewal(cert.NotBefore, cert.NotAfter)), time.Second)}, err
	}
	i.why = why
	return i.issue(ctx)
}

// name is what a fault calls a Certificate.
func (i *issuance) name() string { return i.Object.GetNamespace() + "/" + i.Object.GetName() }

// ready says that the certificate is as it should be.
func (i *issuance) ready(from, to time.Time) {
	i.times(from, to)
	operator.DropCondition(i.status, "Issuing")
	operator.Conditions(i.status, i.Object.GetGeneration(),
		operator.Condition{Type: "Ready", Reason: "Ready", Message: "Certificate is up to date and has not expired"})
	i.status["lastFailureTime"], i.status["failedIssuanceAttempts"] = nil, nil
}

func (i *issuance) times(from, to time.Time) {
	i.status["notBefore"], i.status["notAfter"] = from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)
	i.status["renewalTime"] = i.spec.renewal(from, to).UTC().Format(time.RFC3339)
}

// issue walks one issuance as far as it comes.
func (i *issuance) issue(ctx context.Context) (reconcile.Result, error) {
	if condition(i.status, "Issuing")["status"] != "True" && !i.failed() {
		if err := i.Tell(ctx, trigger, corev1.EventTypeNormal, "Issuing", "%s", i.why.message); err != nil {
			return reconcile.Result{}, err
		}
	}
	i.waits()
	issuer, err := issuerOf(ctx, i.Visit, i.spec.IssuerRef)
	if err != nil {
		return reconcile.Result{}, err
	}
	if issuer == nil || !isReady(issuer) {
		return reconcile.Result{}, i.pending(ctx, issuer)
	}
	if left := i.Left(stepIssue, issueSpan); left > 0 {
		_, err := i.WriteStatus(ctx, i.status)
		return reconcile.Result{RequeueAfter: left}, err
	}
	i.Assume()
	own, err := spec[issuerSpec](issuer)
	if err != nil {
		i.Refuse(err)
		return reconcile.Result{}, nil
	}
	if problem, err := i.refused(ctx, issuer, own); problem || err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, i.obtain(ctx, issuer, own)
}

// waits says that the certificate is being issued, and is not ready before
// that unless it still serves.
func (i *issuance) waits() {
	if !i.failed() {
		operator.Conditions(i.status, i.Object.GetGeneration(),
			operator.Condition{Type: "Issuing", Reason: i.why.name, Message: i.why.message})
	}
	switch i.why.name {
	case "Renewing", "ManuallyTriggered":
	default:
		operator.Conditions(i.status, i.Object.GetGeneration(),
			operator.Condition{Type: "Ready", Status: "False", Reason: i.why.name, Message: i.why.message})
	}
}

// failed reports whether the last issuance has failed for the object as it is.
func (i *issuance) failed() bool {
	return i.status["lastFailureTime"] != nil && condition(i.status, "Issuing")["observedGeneration"] == i.Object.GetGeneration()
}

// pending waits for the issuer.
func (i *issuance) pending(ctx context.Context, issuer *unstructured.Unstructured) error {
	message := "Referenced issuer does not have a Ready status condition"
	if issuer == nil {
		message = fmt.Sprintf("Referenced %q not found: %s.%s %q not found", i.spec.IssuerRef.kind(), plural(i.spec.IssuerRef.kind()), i.spec.IssuerRef.group(), i.spec.IssuerRef.Name)
	}
	if err := i.request(ctx, nil, nil, "Pending", message); err != nil {
		return err
	}
	_, err := i.WriteStatus(ctx, i.status)
	return err
}

// obtain gets a certificate from the issuer and stores it.
func (i *issuance) obtain(ctx context.Context, issuer *unstructured.Unstructured, own issuerSpec) error {
	key, err := i.key()
	if err != nil {
		i.Refuse(err)
		return nil
	}
	now := time.Now().Truncate(time.Second)
	out, err := i.player.signFor(ctx, i.Visit, issuer, own, i.spec, key, now, now.Add(i.spec.life(own.ACME != nil)))
	if err != nil {
		i.Refuse(err)
		return nil
	}
	revision, _ := i.status["revision"].(int64)
	i.status["revision"] = revision + 1
	if err := i.request(ctx, key, out, "Issued", "Certificate fetched from issuer successfully"); err != nil {
		return err
	}
	if own.ACME != nil {
		if err := i.order(ctx, "valid", ""); err != nil {
			return err
		}
	}
	if err := store(ctx, i.Visit, i.spec, key, out); err != nil {
		return err
	}
	i.ready(out.leaf.NotBefore, out.leaf.NotAfter)
	if _, err := i.WriteStatus(ctx, i.status); err != nil {
		return err
	}
	return i.Tell(ctx, issuing, corev1.EventTypeNormal, "Issuing", "The certificate has been successfully issued")
}

// key returns the key to be certified: the one that is there where it is never
// to be rotated, or else a new one.
func (i *issuance) key() (crypto.Signer, error) {
	if i.secret != nil && i.spec.PrivateKey.RotationPolicy == "Never" {
		if key, err := decodeKey(data(i.secret, corev1.TLSPrivateKeyKey)); err == nil {
			return key, nil
		}
	}
	return newKey(i.spec)
}

// signFor signs as the issuer would: with its own key where it has one.
func (p *player) signFor(ctx context.Context, v *operator.Visit, issuer *unstructured.Unstructured, own issuerSpec, s certificateSpec, key crypto.Signer, from, to time.Time) (*issued, error) {
	template, err := templateOf(s, from, to)
	if err != nil {
		return nil, err
	}
	switch {
	case own.SelfSigned != nil:
		return issueItself(template, key)
	case own.CA != nil:
		secret, err := v.Find(ctx, secretKind, homeOf(v, issuer), own.CA.SecretName)
		if err != nil {
			return nil, err
		}
		if secret == nil {
			return nil, fmt.Errorf("the authority's Secret %q is gone", own.CA.SecretName)
		}
		a, err := authorityOf(secret)
		if err != nil {
			return nil, err
		}
		return a.issue(template, key.Public(), true)
	}
	// An ACME server tells nobody its root.
	return p.authority.issue(template, key.Public(), own.ACME == nil)
}

// expire lets the certificate be one that has expired and was not renewed.
func (i *issuance) expire(ctx context.Context) error {
	_, cert := judge(i.spec, i.secret, time.Now())
	if cert == nil {
		return nil // there is none yet that could expire
	}
	end := cert.NotAfter
	if time.Now().Before(end) {
		end = time.Now().Add(-time.Hour).Truncate(time.Second)
		key, err := decodeKey(data(i.secret, corev1.TLSPrivateKeyKey))
		if err != nil {
			return nil
		}
		template, err := templateOf(i.spec, end.Add(-defaultDuration), end)
		if err != nil {
			return nil
		}
		out, err := i.player.authority.issue(template, key.Public(), false)
		if err != nil {
			return err
		}
		if err := store(ctx, i.Visit, i.spec, key, out); err != nil {
			return err
		}
		cert = out.leaf
	}
	i.times(cert.NotBefore, cert.NotAfter)
	message := "Certificate expired on " + cert.NotAfter.Format(time.RFC1123)
	operator.Conditions(i.status, i.Object.GetGeneration(), operator.Condition{Type: "Ready", Status: "False", Reason: "Expired", Message: message})
	if _, err := i.WriteStatus(ctx, i.status); err != nil {
		return err
	}
	return i.TellOnce(ctx, readiness, corev1.EventTypeWarning, "Expired", "%s", message)
}

// condition returns a condition of a status, or an empty one.
func condition(status map[string]any, kind string) map[string]any {
	list, _ := status["conditions"].([]any)
	for _, item := range list {
		if c, ok := item.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return map[string]any{}
}
