package notification

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// shortest is how long a value must be to be looked for in an error: shorter
// ones would blot out words that mean something.
const shortest = 4

// hideValues notes what must not be told of a destination: all that its
// Secrets say, and the parts of addresses that work as credentials.
func (d *destination) hideValues(proxy *url.URL) {
	values := []string{d.address, d.token, d.password, base64.StdEncoding.EncodeToString([]byte(d.username + ":" + d.password))}
	for _, value := range d.headers {
		values = append(values, value)
		values = append(values, strings.Fields(value)...)
	}
	for _, value := range d.secret {
		values = append(values, strings.TrimSpace(string(value)))
	}
	values = append(values, parts(d.address, len(d.secret["address"]) > 0)...)
	if proxy != nil {
		values = append(values, proxy.String())
		values = append(values, parts(proxy.String(), false)...)
	}
	d.hidden = slices.DeleteFunc(values, func(value string) bool { return len(value) < shortest })
	slices.SortFunc(d.hidden, func(a, b string) int { return len(b) - len(a) })
}

// parts returns what of an address may be a credential; the host is one where
// the whole address is secret.
func parts(address string, hostToo bool) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	found := []string{u.RequestURI(), u.RawQuery}
	if password, ok := u.User.Password(); ok {
		found = append(found, password, u.User.String())
	}
	if hostToo {
		found = append(found, u.Host, u.Hostname())
	}
	return found
}

// hide removes from an error what must not be told.
func (d *destination) hide(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, value := range d.hidden {
		text = strings.ReplaceAll(text, value, "***")
	}
	var final permanentError
	var later laterError
	switch shown := errors.New(text); {
	case errors.As(err, &final):
		return permanentError{shown}
	case errors.As(err, &later):
		return laterError{shown, later.wait}
	default:
		return shown
	}
}
