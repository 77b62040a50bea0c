package notification

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// componentHeader names the controller that an event comes from.
const componentHeader = "gotk-component"

// postGeneric sends the event as it is, with the headers of the Secret.
func postGeneric(ctx context.Context, d *destination, event *eventv1.Event) error {
	return d.forward(ctx, event, nil)
}

// postSigned does so, too, signed with the token.
func postSigned(ctx context.Context, d *destination, event *eventv1.Event) error {
	if len(d.key) == 0 {
		return permanent("the Provider's Secret has no token to sign with")
	}
	return d.forward(ctx, event, d.key)
}

func (d *destination) forward(ctx context.Context, event *eventv1.Event, key []byte) error {
	to, err := d.url()
	if err != nil {
		return err
	}
	body, err := json.Marshal(event)
	if err != nil {
		return permanent("marshalling the event failed: %w", err)
	}
	header := map[string]string{componentHeader: event.ReportingController}
	for name, value := range d.headers {
		header[name] = value
	}
	if key != nil {
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		header["X-Signature"] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	return d.do(ctx, call{method: http.MethodPost, url: to, body: body, header: header})
}

// basic returns the header of a login with name and password.
func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}
