package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"hearth/internal/source/guard"
)

// ErrNotFound says that the server has no such bucket.
var ErrNotFound = errors.New("not found")

// Remote says which bucket is meant, and how its server is reached.
type Remote struct {
	// Endpoint is a host, or a host and port; Insecure means plain http.
	Endpoint string
	Insecure bool
	// Name is the bucket's, Region where it is; empty means that the server is
	// asked. Prefix opens the keys of the objects that count.
	Name, Region, Prefix string
	// AccessKey and SecretKey sign requests; without them and without an LDAP
	// nothing is signed.
	AccessKey, SecretKey string
	// LDAP gives temporary keys.
	LDAP *LDAP
	// TLS is nil for the system's authorities, Proxy for what the environment
	// names.
	TLS   *tls.Config
	Proxy *url.URL
	// RefusePrivate refuses servers on private networks and on this machine.
	RefusePrivate bool
}

// LDAP is a service that gives keys to who is known to a directory.
type LDAP struct {
	Endpoint           string
	Username, Password string
	TLS                *tls.Config
}

const (
	// tries is how often a request is made that fails for the moment.
	tries = 3
	// loginTimeout bounds asking for temporary keys.
	loginTimeout = 30 * time.Second
)

// Bucket is one bucket of a server. Its methods may be called concurrently.
type Bucket struct {
	remote Remote
	client minio.Core
	idle   []*http.Transport
}

// Open prepares to ask a bucket's server. Nothing is asked yet.
func Open(remote Remote) (*Bucket, error) {
	scheme := "https"
	if remote.Insecure {
		scheme = "http"
	}
	b := &Bucket{remote: remote}
	transport := guard.New(&url.URL{Scheme: scheme, Host: remote.Endpoint}, remote.RefusePrivate).Transport(remote.TLS, remote.Proxy)
	// An object is taken as it is stored, also one that is packed.
	transport.DisableCompression = true
	b.idle = append(b.idle, transport)
	keys, err := b.keys()
	if err != nil {
		return nil, err
	}
	client, err := minio.New(remote.Endpoint, &minio.Options{
		Creds: keys, Secure: !remote.Insecure, Region: remote.Region,
		Transport: bounded{transport}, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket '%s': %w", remote.Name, legible(err))
	}
	b.client = minio.Core{Client: client}
	return b, nil
}

// keys returns what requests are signed with; nil is nothing.
func (b *Bucket) keys() (*credentials.Credentials, error) {
	switch ldap := b.remote.LDAP; {
	case b.remote.AccessKey != "" && b.remote.SecretKey != "":
		return credentials.NewStaticV4(b.remote.AccessKey, b.remote.SecretKey, ""), nil
	case ldap != nil:
		at, err := url.Parse(ldap.Endpoint)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			return nil, errors.New("the endpoint of the Security Token Service is no http or https URL")
		}
		transport := guard.New(at, b.remote.RefusePrivate).Transport(ldap.TLS, b.remote.Proxy)
		b.idle = append(b.idle, transport)
		return credentials.New(&credentials.LDAPIdentity{
			Client: &http.Client{
				Transport: bounded{transport}, Timeout: loginTimeout,
				// The password is for the server that the owner named.
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
			STSEndpoint: ldap.Endpoint, LDAPUsername: ldap.Username, LDAPPassword: ldap.Password,
		}), nil
	}
	return nil, nil
}

// Close drops the connections.
func (b *Bucket) Close() {
	for _, transport := range b.idle {
		transport.CloseIdleConnections()
	}
}

// exists reports a bucket that is not there as ErrNotFound.
func (b *Bucket) exists(ctx context.Context) error {
	found, err := b.client.BucketExists(ctx, b.remote.Name)
	if err != nil {
		return fmt.Errorf("failed to confirm existence of '%s' bucket: %w", b.remote.Name, legible(err))
	}
	if !found {
		return fmt.Errorf("bucket '%s' %w", b.remote.Name, ErrNotFound)
	}
	return nil
}
