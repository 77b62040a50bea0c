package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var webhookDown = &diagnose.Cause{
	Name:     "webhook-down",
	Title:    "A webhook of an operator that does not answer blocks changes",
	Symptom:  "Kustomizations and HelmReleases fail one after another, whatever they apply.",
	Evidence: "The API server says that it failed to call a webhook; the Service behind it has no pod that is ready.",
	Why:      "A webhook with failurePolicy Fail is asked before an object is written: while its operator is down nothing that it looks at can be changed.",
	Fix:      "Bring the operator's pods up; if they cannot come up because of the webhook itself, delete its configuration: the operator makes it again.",
	Yields:   true,
	Find: func(s *diagnose.Search) {
		matching(s, failedWebhook, appliers, func(c complaint, groups []string) {
			webhook := groups[1]
			f := diagnose.Finding{
				Subject: diagnose.Key{Kind: "Webhook", Name: webhook}, Explains: []diagnose.Key{c.object.Key}, Evidence: []diagnose.Evidence{c.Evidence},
				Sentence: "The webhook " + webhook + " does not answer.", Commands: []string{"kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"},
			}
			configuration, called := webhookOf(s, webhook)
			if configuration != nil {
				f.At = diagnose.Locus{Key: configuration.Key, Text: webhook}
			}
			if k, ok := webhookService(called, c.text); ok {
				f.Subject = k
				f.Sentence = "The webhook " + webhook + " of " + diagnose.RefOf(k).String() + " does not answer."
				f.Commands = append(f.Commands, "kubectl get pods -n "+k.Namespace)
				if service := s.Get(k); service != nil && s.Trouble(service) != nil {
					f.Evidence = append(f.Evidence, trouble(s, service))
				} else if s.Missing(k) {
					f.Evidence = append(f.Evidence, absent(k))
				}
			}
			s.Report(f)
		})
	},
}

var (
	failedWebhook = regexp.MustCompile(`failed calling webhook "([^"]+)"`)
	webhookURL    = regexp.MustCompile(`https?://([a-z0-9.-]+\.svc)`)
)

// webhookOf returns a webhook, and the configuration that it is from.
func webhookOf(s *diagnose.Search, name string) (*diagnose.Object, diagnose.Fields) {
	for _, o := range s.All(diagnose.ValidatingWebhooks, diagnose.MutatingWebhooks) {
		for _, w := range o.List("webhooks") {
			if w.Text("name") == name {
				return o, w
			}
		}
	}
	return nil, nil
}

// webhookService returns the Service that a webhook calls; one that is not
// there any more is told by the message.
func webhookService(webhook diagnose.Fields, message string) (diagnose.Key, bool) {
	if webhook.Has("clientConfig", "service") {
		return diagnose.Service.Key(webhook.Text("clientConfig", "service", "namespace"), webhook.Text("clientConfig", "service", "name")), true
	}
	if m := webhookURL.FindStringSubmatch(message); m != nil {
		return diagnose.ServiceOf(m[1], "")
	}
	return diagnose.Key{}, false
}
