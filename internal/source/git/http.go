package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"hearth/internal/source/guard"
)

const (
	maxRedirects = 5
	userAgent    = "git/2.0 (hearth)"
	infoRefs     = "/info/refs"
	service      = "git-upload-pack"
)

// httpConnection speaks the smart protocol over http or https.
type httpConnection struct {
	client      *http.Client
	transport   *http.Transport
	credentials Credentials
	own         *url.URL // as the owner wrote it
	base        *url.URL // where redirects led
}

func openHTTP(u *url.URL, remote Remote, g *guard.Guard) (*httpConnection, error) {
	credentials := remote.Credentials.of(u)
	config, err := credentials.TLS()
	if err != nil {
		return nil, err
	}
	transport := g.Transport(config, remote.Proxy)
	transport.DisableCompression = true
	own := *u
	own.User, own.RawQuery, own.Fragment = nil, "", ""
	own.Path = strings.TrimSuffix(own.Path, "/")
	own.RawPath = strings.TrimSuffix(own.RawPath, "/")
	c := &httpConnection{transport: transport, credentials: credentials, own: &own, base: &own}
	c.client = &http.Client{
		Transport: transport,
		// Redirects are followed here, so that credentials do not go with them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func (c *httpConnection) advertise(ctx context.Context) (readCloser, error) {
	at := *c.own
	at.Path += infoRefs
	if at.RawPath != "" {
		at.RawPath += infoRefs
	}
	at.RawQuery = "service=" + service
	for range maxRedirects + 1 {
		response, err := c.do(ctx, http.MethodGet, &at, nil)
		if err != nil {
			return nil, err
		}
		location := response.Header.Get("Location")
		if response.StatusCode/100 != 3 || location == "" {
			if err := c.statusError(response); err != nil {
				response.Body.Close()
				return nil, err
			}
			c.base = withoutInfoRefs(&at)
			return response.Body, nil
		}
		response.Body.Close()
		next, err := redirected(&at, location)
		if err != nil {
			return nil, err
		}
		at = *next
	}
	return nil, fmt.Errorf("the server redirects more than %d times", maxRedirects)
}

// redirected decides where a redirect leads.
func redirected(from *url.URL, location string) (*url.URL, error) {
	if len(location) > maxURL {
		return nil, errors.New("the server redirects to a URL that is too long")
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, errors.New("the server redirects to what is no URL")
	}
	to.User = nil
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "":
		return nil, fmt.Errorf("%w: the server redirects to what is neither http nor https", ErrRefused)
	case from.Scheme == "https" && to.Scheme == "http":
		return nil, fmt.Errorf("%w: the server redirects from https to http", ErrRefused)
	case !strings.HasSuffix(to.Path, infoRefs):
		return nil, fmt.Errorf("the server redirects to %s, which is no Git repository", legible(shown(to)))
	}
	return to, nil
}

func withoutInfoRefs(u *url.URL) *url.URL {
	base := *u
	base.Path = strings.TrimSuffix(base.Path, infoRefs)
	base.RawPath = strings.TrimSuffix(base.RawPath, infoRefs)
	base.RawQuery, base.Fragment = "", ""
	return &base
}

func (c *httpConnection) uploadPack(ctx context.Context, request []byte) (readCloser, error) {
	at := *c.base
	at.Path += "/" + service
	if at.RawPath != "" {
		at.RawPath += "/" + service
	}
	response, err := c.do(ctx, http.MethodPost, &at, request)
	if err != nil {
		return nil, err
	}
	if err := c.statusError(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response.Body, nil
}

func (c *httpConnection) do(ctx context.Context, method string, at *url.URL, body []byte) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), reader)
	if err != nil {
		return nil, fmt.Errorf("ask %s: the request cannot be made", at.Host)
	}
	request.Header.Set("User-Agent", userAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/x-"+service+"-request")
		request.Header.Set("Accept", "application/x-"+service+"-result")
	}
	if c.trusted(at) {
		c.authorize(request)
	}
	response, err := c.client.Do(request)
	if err != nil {
		// What the library adds to the cause is the URL with what is in it.
		var cited *url.Error
		if errors.As(err, &cited) {
			err = cited.Err
		}
		return nil, fmt.Errorf("ask %s: %w", legible(at.Host), err)
	}
	return response, nil
}

// trusted reports whether a URL is the repository's own server, reached as the
// owner wrote it or over TLS instead.
func (c *httpConnection) trusted(at *url.URL) bool {
	if at.Scheme == c.own.Scheme {
		return guard.HostPort(at) == guard.HostPort(c.own)
	}
	return at.Scheme == "https" && strings.EqualFold(at.Hostname(), c.own.Hostname())
}

func (c *httpConnection) authorize(r *http.Request) {
	switch {
	case c.credentials.BearerToken != "":
		r.Header.Set("Authorization", "Bearer "+c.credentials.BearerToken)
	case c.credentials.Username != "" || c.credentials.Password != "":
		r.SetBasicAuth(c.credentials.Username, c.credentials.Password)
	}
}

func (c *httpConnection) statusError(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return errors.New("authentication required")
	case http.StatusForbidden:
		return errors.New("authorization failed")
	case http.StatusNotFound, http.StatusGone:
		return ErrNotFound
	}
	return fmt.Errorf("the server answers %d %s", r.StatusCode, http.StatusText(r.StatusCode))
}

// Close drops the connections.
func (c *httpConnection) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}
