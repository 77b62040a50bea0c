package observe

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
)

// certificateKind is cert-manager's; its Go types are not needed for the little
// that is read of it.
var certificateKind = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}

// Certificate is what is read of a Certificate of cert-manager.
type Certificate struct {
	metav1.ObjectMeta `json:"metadata"`
	Status            struct {
		Conditions             []metav1.Condition `json:"conditions"`
		NotAfter               *metav1.Time       `json:"notAfter"`
		RenewalTime            *metav1.Time       `json:"renewalTime"`
		LastFailureTime        *metav1.Time       `json:"lastFailureTime"`
		FailedIssuanceAttempts int                `json:"failedIssuanceAttempts"`
		Revision               int                `json:"revision"`
	} `json:"status"`
}

// reasonExpired is cert-manager's reason of Ready for what is not valid any more.
const reasonExpired = "Expired"

// CertificateState derives the state of a Certificate from its conditions Ready
// and Issuing. A failed renewal leaves a certificate that is still valid Ready,
// and is told in its message.
func CertificateState(c *Certificate) Standing {
	ready, issuing := conditionOf(c.Status.Conditions, "Ready"), conditionOf(c.Status.Conditions, "Issuing")
	switch {
	case c.DeletionTimestamp != nil:
		return deleting(domain.CertificateDeleting, c.DeletionTimestamp, failureMessage(ready))
	case ready.Status == metav1.ConditionTrue && issuing.Status == metav1.ConditionTrue:
		s := told(domain.CertificateRenewing, issuing)
		s.Ready = true
		return s
	case ready.Status == metav1.ConditionTrue:
		s := told(domain.CertificateReady, ready)
		s.Ready, s.round = true, fmt.Sprint(c.Status.Revision)
		s.Message += failedIssuance(c)
		return s
	case issuing.Status == metav1.ConditionTrue:
		return told(domain.CertificateIssuing, issuing)
	case ready.Status == metav1.ConditionFalse && ready.Reason == reasonExpired:
		s := told(domain.CertificateExpired, ready)
		s.Message += failedIssuance(c)
		return s
	case c.Status.LastFailureTime != nil:
		return failedCertificate(c, ready, issuing)
	case ready.Status == metav1.ConditionFalse:
		return told(domain.CertificateIssuing, ready)
	}
	return Standing{State: domain.CertificatePending, Message: "not looked at yet", Since: since(c.CreationTimestamp)}
}

func failedCertificate(c *Certificate, ready, issuing metav1.Condition) Standing {
	cause := issuing
	if cause.Message == "" {
		cause = ready
	}
	s := told(domain.CertificateFailed, cause)
	s.Message += failedIssuance(c)
	s.Since = c.Status.LastFailureTime.Time
	s.passed = []domain.State{domain.CertificateIssuing}
	s.round = fmt.Sprint(c.Status.FailedIssuanceAttempts)
	return s
}

// failedIssuance says when a failed issuance is tried again.
func failedIssuance(c *Certificate) string {
	if c.Status.LastFailureTime == nil {
		return ""
	}
	next := c.Status.LastFailureTime.Add(domain.CertificateBackoff(c.Status.FailedIssuanceAttempts))
	return fmt.Sprintf(" (issuance failed; the next try is at %s)", next.UTC().Format(time.RFC3339))
}
