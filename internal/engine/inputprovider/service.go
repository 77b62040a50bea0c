package inputprovider

import (
	"context"
	"fmt"
	"net/http"
)

// maxServiceBody bounds what a service answers, in bytes: no object could hold
// more.
const maxServiceBody = 900 << 10

// service asks a service for sets of inputs.
func (w *walk) service(ctx context.Context, c *connection, f *filter) ([]map[string]any, error) {
	if c.url.Scheme != "https" && !w.Object.Spec.Insecure {
		return nil, fmt.Errorf("spec.url must use 'https://' unless spec.insecure is true")
	}
	header := http.Header{}
	if token, err := c.value("token"); err == nil {
		header.Set("Authorization", "Bearer "+token)
	} else if c.secret != nil {
		user, err := c.value("username")
		if err != nil {
			return nil, err
		}
		password, err := c.value("password")
		if err != nil {
			return nil, err
		}
		request := &http.Request{Header: header}
		request.SetBasicAuth(user, password)
	}
	var answer struct {
		Inputs []map[string]any `json:"inputs"`
	}
	if _, err := c.ask(ctx, http.MethodGet, c.url, header, maxServiceBody, &answer); err != nil {
		return nil, fmt.Errorf("failed to call ExternalService provider: %w", err)
	}
	if answer.Inputs == nil {
		return nil, fmt.Errorf("external service '%s' response does not contain an 'inputs' field", c.url.Redacted())
	}
	seen := map[string]bool{}
	for i, set := range answer.Inputs {
		id, ok := set["id"].(string)
		if !ok {
			return nil, fmt.Errorf("external service '%s' input at index %d has no 'id' field that is a text", c.url.Redacted(), i)
		}
		if seen[id] {
			return nil, fmt.Errorf("external service '%s' input at index %d has a duplicate 'id' value", c.url.Redacted(), i)
		}
		seen[id] = true
	}
	return answer.Inputs[:min(len(answer.Inputs), f.limit)], nil
}
