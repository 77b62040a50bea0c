package git

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode"
)

// Remote is where a repository is, and how to get in.
type Remote struct {
	// URL is of the scheme https, http or ssh.
	URL string
	// Credentials are shown to that URL's server only.
	Credentials Credentials
	// Proxy leads there: an http, https or socks5 URL; nil means the
	// environment's proxy for http and https, and none for ssh.
	Proxy *url.URL
	// RefusePrivate refuses servers on private networks and on this machine.
	// Link-local and metadata addresses are always refused.
	RefusePrivate bool
}

// ErrURL says that a URL names no repository that can be reached.
var ErrURL = errors.New("the URL of the repository is invalid")

const maxURL = 4096

// parseURL reads a repository's URL. Its error does not cite the URL, which
// may hold a password.
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrURL, maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be parsed", ErrURL)
	}
	switch u.Scheme {
	case "https", "http", "ssh":
	default:
		return nil, fmt.Errorf("%w: its scheme must be https, http or ssh", ErrURL)
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%w: it names no host", ErrURL)
	}
	if strings.ContainsFunc(u.Path, unicode.IsControl) {
		return nil, fmt.Errorf("%w: its path holds control characters", ErrURL)
	}
	return u, nil
}

// Redact returns a URL without what may be secret in it: user, password, query.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the repository's URL"
	}
	return shown(u)
}

func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// submoduleURL resolves what .gitmodules says against the URL of the
// repository that holds it.
func submoduleURL(parent *url.URL, raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrURL, maxURL)
	}
	if strings.HasPrefix(raw, "./") || strings.HasPrefix(raw, "../") {
		u := *parent
		u.Path, u.RawPath = path.Join("/", parent.Path, raw), ""
		u.RawQuery, u.Fragment = "", ""
		return parseURL(u.String())
	}
	// user@host:path, as ssh writes it
	if host, rest, ok := strings.Cut(raw, ":"); ok && !strings.Contains(raw, "://") && !strings.Contains(host, "/") {
		raw = "ssh://" + host + "/" + strings.TrimPrefix(rest, "/")
	}
	return parseURL(raw)
}

// connection is one exchange with a server.
type connection interface {
	// advertise returns what the server says it has.
	advertise(ctx context.Context) (readCloser, error)
	// uploadPack sends a request and returns the answer.
	uploadPack(ctx context.Context, request []byte) (readCloser, error)
	// Close ends the exchange, and may be called twice.
	Close() error
}

type readCloser interface {
	Read(p []byte) (int, error)
	Close() error
}

// legible shortens what a server said and leaves out what is not text.
func legible(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, " "))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return text
}
