package notification

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxResponse bounds what is read of a response, in bytes.
const maxResponse = 1 << 20

// client returns what connects for one delivery. Redirects are not followed:
// they would carry credentials elsewhere.
func (d *destination) client(proxy *url.URL, trust *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: d.guard.control}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call is one request to a destination.
type call struct {
	method string
	url    *url.URL
	body   any // sent as JSON; []byte as it is, nil sends nothing
	header map[string]string
	into   any // what the response's JSON is read into, nil for nothing
}

// do makes a request. A refusal that may pass, such as too many requests or
// an error of the server, can be tried again; others cannot. The response's
// text is not told: it may repeat what was sent.
func (d *destination) do(ctx context.Context, c call) error {
	body, err := encode(c.body)
	if err != nil {
		return err
	}
	if d.proxied {
		if err := d.guard.checkHost(ctx, c.url.Hostname()); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, c.method, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return permanent("failed to create a request: the address is no URL")
	}
	req.Header.Set("User-Agent", "hearth")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for key, value := range c.header {
		req.Header.Set(key, value)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return fmt.Errorf("failed to execute request: %w", bare(err))
	}
	defer resp.Body.Close()
	return read(resp, c.into)
}

func encode(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, permanent("marshalling the notification's payload failed: %w", err)
	}
	return raw, nil
}

// bare takes the URL off an error: it may hold a credential.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// read judges a response, and reads its JSON if asked to.
func read(resp *http.Response, into any) error {
	body := io.LimitReader(resp.Body, maxResponse)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		if into == nil {
			_, _ = io.Copy(io.Discard, body) // so that the connection can be used again
			return nil
		}
		if err := json.NewDecoder(body).Decode(into); err != nil {
			return errors.New("the response is no JSON of the expected form")
		}
		return nil
	}
	err := fmt.Errorf("request failed with status code %d", resp.StatusCode)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode >= 500:
		return laterError{err, retryAfter(resp)}
	}
	return permanentError{err}
}

// retryAfter returns for how long a server asks to be left alone; 0 if it does
// not say so in seconds.
func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
