package buckettest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// judge checks the signature of a request, as "Signature Version 4" of AWS
// describes it for the Authorization header.
func (s *Server) judge(r *http.Request) error {
	fields := map[string]string{}
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return errors.New("the request is not signed")
	}
	for _, field := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	access, scope, _ := strings.Cut(fields["Credential"], "/")
	parts := strings.Split(scope, "/") // date, region, service, aws4_request
	secret, ok := s.Keys[access]
	if !ok || len(parts) != 4 {
		return errors.New("nobody has this access key")
	}
	if parts[1] != s.Region {
		return fmt.Errorf("the region is %s", s.Region)
	}
	if r.Header.Get("X-Amz-Security-Token") != s.Tokens[access] {
		return errors.New("the session token is another")
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if !slices.Contains(signed, "host") {
		return errors.New("the host is not signed")
	}
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), query(r.URL.Query()), headers.String(), fields["SignedHeaders"], r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secret)
	for _, part := range parts {
		key = mac(key, part)
	}
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, hex.EncodeToString(sum[:])}, "\n")
	if want := hex.EncodeToString(mac(key, text)); want != fields["Signature"] {
		return errors.New("the signature does not match")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// query writes parameters in order, with %20 for a space.
func query(values url.Values) string { return strings.ReplaceAll(values.Encode(), "+", "%20") }
