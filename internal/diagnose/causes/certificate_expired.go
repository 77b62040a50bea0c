package causes

import (
	"hearth/internal/diagnose"
)

var certificateExpired = &diagnose.Cause{
	Name:     "certificate-expired",
	Title:    "A certificate has expired",
	Symptom:  "Browsers and clients refuse the connection.",
	Evidence: "The Certificate's notAfter is past, or its Ready condition says Expired.",
	Why:      "cert-manager renews a certificate in time, unless its issuer fails for weeks or nobody runs it.",
	Fix:      "Look at the Certificate's last request and its issuer; once that works, renew: cmctl renew.",
	Yields:   true, Unless: []string{"certificate-refused"},
	Find: func(s *diagnose.Search) {
		for _, c := range s.All(diagnose.Certificate) {
			after := c.Time("status", "notAfter")
			past := !after.IsZero() && after.Before(s.Now)
			if !past && c.Condition("Ready").Reason != "Expired" {
				continue
			}
			e := condition(c, "Ready")
			if past {
				e = diagnose.Evidence{Object: c.Ref(), Field: "status.notAfter", Text: "is past", Time: after}
			}
			s.Report(diagnose.Finding{Subject: c.Key, Sentence: c.Ref().String() + " has expired.", Evidence: []diagnose.Evidence{e}, Commands: diagnose.Show(c.Key)})
		}
	},
}
