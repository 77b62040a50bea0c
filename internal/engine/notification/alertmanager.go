package notification

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// alert is what Alertmanager's API v2 takes. Without an end Alertmanager
// resolves it by itself.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"` // RFC 3339
}

func postAlertmanager(ctx context.Context, d *destination, event *eventv1.Event) error {
	to, err := d.url()
	if err != nil {
		return err
	}
	c := call{method: http.MethodPost, url: to, body: []alert{alertOf(event)}, header: map[string]string{}}
	switch {
	case d.username != "" && d.password != "":
		c.header["Authorization"] = basic(d.username, d.password)
	case d.token != "":
		c.header["Authorization"] = "Bearer " + d.token
	}
	return d.do(ctx, c)
}

func alertOf(event *eventv1.Event) alert {
	labels := maps.Clone(event.Metadata)
	if labels == nil {
		labels = map[string]string{}
	}
	annotations := map[string]string{"message": event.Message}
	if summary, ok := labels[summaryKey]; ok {
		annotations[summaryKey] = summary
		delete(labels, summaryKey)
	}
	obj := event.InvolvedObject
	labels["alertname"] = "Flux" + obj.Kind + titled(event.Reason)
	labels["severity"] = event.Severity
	labels["reason"] = event.Reason
	labels["kind"] = obj.Kind
	labels["name"] = obj.Name
	labels["namespace"] = obj.Namespace
	labels["reportingcontroller"] = event.ReportingController
	return alert{Status: "firing", Labels: labels, Annotations: annotations, StartsAt: event.Timestamp.Format(time.RFC3339)}
}

// titled writes a reason as Flux's alert names do: only its first letter large.
func titled(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + strings.ToLower(reason[1:])
}
