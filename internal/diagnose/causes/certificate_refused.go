package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var certificateRefused = &diagnose.Cause{
	Name:     "certificate-refused",
	Title:    "The issuer refuses a certificate",
	Symptom:  "A Certificate is not Ready; a gateway's listener lacks its certificate.",
	Evidence: "The Certificate, its request, order or challenge, or the issuer says that the authority refused it, or that the challenge fails.",
	Why:      "The authority limits how much it issues, cannot check that the name is yours (the DNS token is wrong, the record does not appear), or does not know the account.",
	Fix:      "Correct the issuer's solver and its token; where the limit is reached, wait until the time that the message names, and use the staging authority for trials.",
	Find: func(s *diagnose.Search) {
		for _, c := range s.All(diagnose.Certificate) {
			if s.Trouble(c) == nil {
				continue
			}
			if e, ok := refusal(s, c); ok {
				s.Report(diagnose.Finding{
					Subject: c.Key, Sentence: "The issuer of " + c.Ref().String() + " refuses the certificate.", Evidence: []diagnose.Evidence{e},
					Commands: append(diagnose.Show(c.Key), "kubectl get certificaterequests,orders,challenges -n "+c.Namespace),
				})
			}
		}
		for _, i := range s.All(diagnose.Issuer, diagnose.ClusterIssuer) {
			if s.Acute(i) {
				s.Report(diagnose.Finding{
					Subject: i.Key, Explains: certificatesOf(s, i), Sentence: i.Ref().String() + " is not ready.",
					Evidence: []diagnose.Evidence{condition(i, "Ready")}, Commands: diagnose.Show(i.Key),
				})
			}
		}
	},
}

// certificatesOf returns the certificates in trouble of an issuer.
func certificatesOf(s *diagnose.Search, issuer *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, c := range s.All(diagnose.Certificate) {
		for _, k := range s.Needs(c) {
			if k == issuer.Key {
				keys = append(keys, c.Key)
			}
		}
	}
	return keys
}

// refusal finds what an authority said of a certificate, in what was made for
// it: the challenge tells most, the certificate least.
func refusal(s *diagnose.Search, c *diagnose.Object) (diagnose.Evidence, bool) {
	made := madeFor(s, c)
	for i := len(made) - 1; i >= 0; i-- {
		o := made[i]
		state, reason := o.Text("status", "state"), o.Text("status", "reason")
		switch {
		case o.Kind() == diagnose.CertificateRequest && o.Condition("Ready").Reason == "Failed":
			return condition(o, "Ready"), true
		case state == "invalid" || state == "errored" || state == "pending" && refusedOrder.MatchString(reason):
			return field(o, "status.state", joined(state, reason)), true
		}
	}
	for _, kind := range []string{"Issuing", "Ready"} {
		if cond := c.Condition(kind); cond.False() && (cond.Reason == "Failed" || refusedOrder.MatchString(cond.Message)) {
			return condition(c, kind), true
		}
	}
	if h, ok := eventOf(s, c.Key, refusedOrder, "Failed", "IssuingFailed"); ok && (refusedLast(c) || !h.Time.Before(c.Condition("Ready").Since)) {
		return event(h), true
	}
	return diagnose.Evidence{}, false
}

// madeFor returns the requests, orders and challenges of the issuance that
// runs, or that failed last. cert-manager keeps those of earlier ones.
func madeFor(s *diagnose.Search, c *diagnose.Object) []*diagnose.Object {
	var made []*diagnose.Object
	pending := s.Children(c)
	for len(pending) > 0 && len(made) < 100 {
		o := pending[0]
		pending = pending[1:]
		ready := o.Condition("Ready")
		if o.Kind() == diagnose.CertificateRequest && (ready.True() || ready.Reason == "Failed" && !refusedLast(c)) {
			continue
		}
		made = append(made, o)
		pending = append(pending, s.Children(o)...)
	}
	return made
}

// refusedLast reports whether a certificate's last issuance failed:
// cert-manager takes the time back when one succeeds.
func refusedLast(c *diagnose.Object) bool { return !c.Time("status", "lastFailureTime").IsZero() }

var refusedOrder = regexp.MustCompile(`(?i)acme:|rateLimited|too many certificates|order is in "?(?:invalid|errored)|challenge.*(?:fail|invalid)|refus|has failed|will be retried|propagation|dial tcp|time-?out|timed out|no such host|authentication|forbidden|unauthori[sz]ed`)
