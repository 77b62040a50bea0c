package onepassword

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hearth/internal/domain"
)

const (
	// maxResponse bounds an answer, in bytes.
	maxResponse = 16 << 20
	// tries is how often a request is made that the server is too busy for.
	tries = 3
	// firstWait is the wait before the second try; it doubles. maxWait bounds
	// what a server may ask for instead.
	firstWait = 250 * time.Millisecond
	maxWait   = 5 * time.Second
)

// get asks for JSON.
func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.exchange(ctx, http.MethodGet, path, nil, into)
}

// exchange sends and receives JSON; into may be nil.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte, into any) error {
	data, err := c.request(ctx, method, path, body)
	if err != nil || into == nil {
		return err
	}
	if json.Unmarshal(data, into) != nil {
		return &ResponseError{c.name, http.StatusOK, "the answer is not the JSON of a Connect server; check connectHost"}
	}
	return nil
}

// request asks for a path, again where the server is too busy or has an error
// of its own.
func (c *Client) request(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for try := 1; ; try++ {
		data, wait, err := c.try(ctx, method, path, body)
		if err == nil || wait < 0 || try == tries {
			return data, err
		}
		wait = max(wait, domain.Backoff(firstWait, maxWait, try))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// try makes one request. A negative wait says that another try is of no use.
func (c *Client) try(ctx context.Context, method, path string, body []byte) (data []byte, wait time.Duration, err error) {
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(bounded, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, -1, fmt.Errorf("1Password Connect's address %q is no URL", c.name)
	}
	request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, -1, c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	data, err = io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, -1, c.unreachable(ctx, err)
	case len(data) > maxResponse:
		return nil, -1, &ResponseError{c.name, response.StatusCode, fmt.Sprintf("the answer is larger than %d MiB", maxResponse>>20)}
	case response.StatusCode == http.StatusOK, response.StatusCode == http.StatusNoContent:
		return data, 0, nil
	}
	wait = retryAfter(response)
	if method == http.MethodPost && response.StatusCode != http.StatusTooManyRequests {
		wait = -1 // an item may have been made all the same, and must not be made twice
	}
	return nil, wait, c.refused(response.StatusCode)
}

// unreachable tells why there was no answer, without what was asked.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	// Which of the time-outs strikes first is chance.
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", c.timeout)
	}
	return &UnreachableError{c.name, err}
}

// refused returns the error for a status. What the body says is left out: it
// comes from elsewhere.
func (c *Client) refused(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &TokenError{c.name, status}
	}
	text := http.StatusText(status)
	if text == "" {
		text = "unknown status"
	}
	return &ResponseError{c.name, status, text}
}

// retryAfter returns how long to wait before the next try, at least, or less
// than 0 if the status does not go away by waiting.
func retryAfter(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode < 500 {
		return -1
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxWait)
}
