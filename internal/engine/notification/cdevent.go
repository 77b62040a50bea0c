package notification

import (
	"errors"
	"net/http"
	"regexp"
	"time"
)

// cdEventType is the form of the types of CDEvents, version 0.4 of the
// specification: dev.cdevents.SUBJECT.PREDICATE.VERSION.
var cdEventType = regexp.MustCompile(`^dev\.cdeventsx?\.[a-z][a-z-]*\.[a-z]+\.\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// verifyCDEvents believes who knows the path, and sends what the specification
// of CDEvents asks of every event.
func verifyCDEvents(_ []byte, header http.Header, body []byte) (hit, error) {
	var event struct {
		Context struct {
			Version   string    `json:"version"`
			ID        string    `json:"id"`
			Source    string    `json:"source"`
			Type      string    `json:"type"`
			Timestamp time.Time `json:"timestamp"`
		} `json:"context"`
		Subject *struct {
			ID      string         `json:"id"`
			Content map[string]any `json:"content"`
		} `json:"subject"`
	}
	if err := decode("CDEvents", body, &event); err != nil {
		return hit{}, err
	}
	c := event.Context
	switch {
	case c.Version == "" || c.ID == "" || c.Source == "" || c.Timestamp.IsZero():
		return hit{}, errors.New("the CDEvent lacks a part of its context: version, id, source, type and timestamp are required")
	case !cdEventType.MatchString(c.Type):
		return hit{}, errors.New("the CDEvent's type is none of dev.cdevents.SUBJECT.PREDICATE.VERSION")
	case event.Subject == nil || event.Subject.ID == "" || event.Subject.Content == nil:
		return hit{}, errors.New("the CDEvent lacks a part of its subject: id and content are required")
	}
	return hit{event: firstHeader(header, unnamed, "Ce-Type"), id: c.ID}, nil
}
