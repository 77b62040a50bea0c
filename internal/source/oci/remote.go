package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"hearth/internal/source/guard"
)

// Scheme begins the URL of a repository.
const Scheme = "oci://"

// ErrURL says that a URL names no repository.
var ErrURL = errors.New("URL must be in format 'oci://<domain>/<org>/<repo>'")

const (
	maxURL = 2048
	// maxText bounds an answer in JSON: a page of tags, a token, a manifest.
	maxText = 8 << 20
	// maxRefusal bounds what a registry says about an error.
	maxRefusal = 16 << 10
)

// Remote says where a repository is and how to reach it.
type Remote struct {
	// URL is oci://registry/repository.
	URL string
	// Logins are the credentials at hand; none means to ask as nobody.
	Logins Logins
	// Insecure allows plain HTTP. Without TLS it also takes any certificate.
	Insecure bool
	// TLS says whom to trust and who one is; nil means the system's roots.
	TLS *tls.Config
	// Proxy is the proxy to go through; nil means that of the environment.
	Proxy *url.URL
	// RefusePrivate refuses servers on private networks and on this machine.
	RefusePrivate bool
	// Transport replaces the guarded transport, such as to keep connections.
	Transport http.RoundTripper
}

// Repository is one repository of a registry. Its methods may be called
// concurrently.
type Repository struct {
	name      name.Repository
	naming    []name.Option
	transport http.RoundTripper
	puller    *remote.Puller
	options   []remote.Option
}

// Open returns a repository; nothing is asked of the registry yet. The error
// is ErrURL.
func Open(r Remote) (*Repository, error) {
	repository, err := r.name()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	transport := r.Transport
	if transport == nil {
		transport = r.NewTransport()
	}
	o := &Repository{name: repository, naming: r.naming(), transport: transport}
	o.options = []remote.Option{
		remote.WithAuthFromKeychain(r.Logins),
		remote.WithTransport(bounded{transport, repository.Scheme() == "https"}),
		remote.WithUserAgent("hearth"),
		// Whoever asked tries again by itself.
		remote.WithRetryBackoff(remote.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 2}),
	}
	o.puller, err = remote.NewPuller(o.options...)
	return o, err
}

func (r Remote) naming() []name.Option {
	if r.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

// name reads the URL.
func (r Remote) name() (name.Repository, error) {
	rest, ok := strings.CutPrefix(r.URL, Scheme)
	if !ok || len(r.URL) > maxURL {
		return name.Repository{}, errors.New("it does not begin so, or is too long")
	}
	repository, err := name.NewRepository(strings.TrimRight(rest, "/"), r.naming()...)
	if err != nil {
		return name.Repository{}, errors.New("it names no repository")
	}
	if _, below, _ := strings.Cut(rest, "/"); strings.ContainsAny(below, ":@") {
		return name.Repository{}, errors.New("URL must not contain a tag or a digest")
	}
	return repository, nil
}

// NewTransport returns the guarded transport to the repository's registry.
func (r Remote) NewTransport() *http.Transport {
	host, _, _ := strings.Cut(strings.TrimPrefix(r.URL, Scheme), "/")
	own := &url.URL{Scheme: "https", Host: host}
	if repository, err := r.name(); err == nil {
		own = &url.URL{Scheme: repository.Scheme(), Host: repository.RegistryStr()}
	}
	config := r.TLS
	if config == nil && r.Insecure {
		config = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	transport := guard.New(own, r.RefusePrivate).Transport(config, r.Proxy)
	transport.ResponseHeaderTimeout = 30 * time.Second
	return transport
}

// bounded bounds what a registry answers, and keeps credentials from being
// sent in the clear where the registry is reached over TLS.
type bounded struct {
	http.RoundTripper
	secure bool
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.secure && r.URL.Scheme == "http" && r.Header.Get("Authorization") != "" {
		return nil, fmt.Errorf("%w: credentials would be sent in the clear", guard.ErrRefused)
	}
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	limit := int64(0)
	switch {
	case response.StatusCode >= 300:
		limit = maxRefusal
	case !strings.Contains(r.URL.Path, "/blobs/") && strings.Contains(response.Header.Get("Content-Type"), "json"):
		limit = maxText
	}
	if limit > 0 {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, limit), response.Body}
	}
	return response, nil
}

// plain takes URLs out of an error: what a redirect led to may hold a secret.
func plain(ctx context.Context, err error) error {
	var cited *url.Error
	if errors.As(err, &cited) {
		host := "the registry"
		if u, parsed := url.Parse(cited.URL); parsed == nil {
			host = u.Host
		}
		err = fmt.Errorf("ask %s: %w", host, cited.Err)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
