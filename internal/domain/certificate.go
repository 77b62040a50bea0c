package domain

import "time"

// The states of a Certificate of cert-manager.
const (
	CertificatePending  State = "Pending"
	CertificateIssuing  State = "Issuing"
	CertificateReady    State = "Ready"
	CertificateRenewing State = "Renewing"
	CertificateFailed   State = "Failed"
	CertificateExpired  State = "Expired"
	CertificateDeleting State = "Deleting"
)

var certificateMachine = Machine{
	Name:    "certificate",
	Kind:    "Certificate",
	Meaning: "how a Secret comes to hold a key and a certificate that is valid; a listener without it cannot serve",
	Initial: CertificatePending,
	States: []StateInfo{
		{State: CertificatePending, Meaning: "not looked at yet"},
		{State: CertificateIssuing, Meaning: "an issuer has been asked; the Secret has no valid certificate yet"},
		{State: CertificateReady, Meaning: "the Secret holds a valid certificate", Ready: true},
		{State: CertificateRenewing, Meaning: "valid still, and being issued anew", Ready: true},
		{State: CertificateFailed, Meaning: "the issuance failed; the next try is an hour away, then two, four, …", Failed: true},
		{State: CertificateExpired, Meaning: "not valid any more", Failed: true},
		{State: CertificateDeleting, Meaning: "being deleted", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: CertificatePending, Trigger: "created"},
		{From: CertificatePending, To: CertificateIssuing, Trigger: "issuance begun", Duration: Duration{Nature: Seconds}},
		{From: CertificatePending, To: CertificateReady, Trigger: "the Secret holds a fitting one already"},
		{From: CertificateIssuing, To: CertificateReady, Trigger: "issued"},
		{From: CertificateIssuing, To: CertificateFailed, Trigger: "issuer or challenge at fault"},
		{From: CertificateReady, To: CertificateRenewing, Trigger: "renewal is due, or the spec changed"},
		{From: CertificateRenewing, To: CertificateReady, Trigger: "issued"},
		{From: CertificateRenewing, To: CertificateExpired, Trigger: "validity ended"},
		{From: CertificateRenewing, To: CertificateFailed, Trigger: "issuer or challenge at fault"},
		{From: CertificateReady, To: CertificateExpired, Trigger: "validity ended"},
		{From: CertificateReady, To: CertificateIssuing, Trigger: "Secret lost or wrong"},
		{From: CertificateReady, To: CertificateFailed, Trigger: "spec changed, and issuer or challenge at fault"},
		{From: CertificateFailed, To: CertificateIssuing, Trigger: "next try", Duration: Duration{Nature: Exponential}},
		{From: CertificateExpired, To: CertificateIssuing, Trigger: "next try", Duration: Duration{Nature: Exponential}},
		{From: CertificateFailed, To: CertificateExpired, Trigger: "validity ended"},
		{From: CertificatePending, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateIssuing, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateReady, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateRenewing, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateFailed, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateExpired, To: CertificateDeleting, Trigger: "deleted"},
		{From: CertificateDeleting, To: Absent, Trigger: "cleaned up"},
	},
}

// CertificateBackoffStart is how long cert-manager waits after a failed
// issuance; each further failure doubles it, up to CertificateBackoffCap.
const (
	CertificateBackoffStart = time.Hour
	CertificateBackoffCap   = 32 * time.Hour
)

// CertificateBackoff returns how long is waited after the n-th failed issuance
// in a row, counted from 1.
func CertificateBackoff(n int) time.Duration {
	return Backoff(CertificateBackoffStart, CertificateBackoffCap, max(n, 1))
}
