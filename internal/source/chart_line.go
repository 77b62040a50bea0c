package source

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"hearth/internal/source/guard"
)

// maxLines bounds how many servers connections are kept to.
const maxLines = 256

// line returns what speaks to a server: under a guard for each, with
// connections that are kept where the request needs nothing special.
func (c *Charts) line(req ChartRequest, guarded func() *http.Transport) http.RoundTripper {
	if c.o.Transport != nil {
		return c.o.Transport
	}
	if req.TLS != nil || req.Proxy != nil || req.Insecure {
		t := guarded()
		t.DisableKeepAlives = true // nobody would use them again
		return t
	}
	u, err := url.Parse(req.URL)
	if err != nil {
		return guarded()
	}
	key := u.Scheme + "|" + guard.HostPort(u)
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.lines[key]; t != nil {
		return t
	}
	if len(c.lines) >= maxLines {
		for key, t := range c.lines {
			t.CloseIdleConnections()
			delete(c.lines, key)
		}
	}
	c.lines[key] = guarded()
	return c.lines[key]
}

// repositoryLine is the line to an http Helm repository.
func (c *Charts) repositoryLine(req ChartRequest, home *url.URL) http.RoundTripper {
	return c.line(req, func() *http.Transport {
		t := guard.New(home, c.o.RefusePrivate).Transport(req.TLS, req.Proxy)
		t.ResponseHeaderTimeout = 30 * time.Second
		return t
	})
}

// readBounded reads all there is, or fails where that is more than limit.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, refusal{fmt.Errorf("it is larger than %d MiB", limit>>20)}
	}
	return content, nil
}
