package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// ContentType is the media type of a CloudEvent in JSON.
const ContentType = "application/cloudevents+json"

// The types of CloudEvents: what Hearth tells has the first for its beginning,
// what Kubernetes recorded the second.
const (
	cloudTypeHearth     = "dev.hearth."
	cloudTypeKubernetes = "io.k8s.event."
)

// CloudEvent is a happening in the JSON format of CloudEvents 1.0.
type CloudEvent struct {
	SpecVersion string `json:"specversion"`
	// ID is the same for what says the same of the same object at the same time.
	ID     string `json:"id"`
	Source string `json:"source"`
	Type   string `json:"type"`
	// Subject is "Kind/namespace/name", or "Kind/name".
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            any       `json:"data"`
}

// ToCloudEvent words a happening as a CloudEvent. The source names the cluster.
func ToCloudEvent(h Happening, source string) CloudEvent {
	e := CloudEvent{
		SpecVersion: "1.0", Source: source, Type: cloudType(h), Subject: cloudSubject(h),
		Time: h.Time.UTC(), DataContentType: "application/json", Data: h.Data,
	}
	if h.Data == nil {
		e.Data = h
	}
	identity := fmt.Sprintf("%s\n%s\n%s\n%s\n%d\n%s", e.Type, e.Subject, e.Time.Format(time.RFC3339Nano), h.Reason, h.Count, h.Message)
	sum := sha256.Sum256([]byte(identity))
	e.ID = hex.EncodeToString(sum[:16])
	return e
}

func cloudType(h Happening) string {
	switch h.Type {
	case TypeDomain:
		return cloudTypeHearth + h.Reason
	case TypeState:
		return cloudTypeHearth + "StateChanged"
	case TypeOverdue:
		return cloudTypeHearth + "Overdue"
	}
	return cloudTypeKubernetes + h.Type
}

func cloudSubject(h Happening) string {
	if h.Object.Namespace == "" {
		return h.Object.Kind + "/" + h.Object.Name
	}
	return h.Object.Kind + "/" + h.Object.Namespace + "/" + h.Object.Name
}

// Line returns a CloudEvent as one line of JSON, without its end.
func (e CloudEvent) Line() ([]byte, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("word %s of %s: %w", e.Type, e.Subject, err)
	}
	return line, nil
}
