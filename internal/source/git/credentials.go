package git

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"

	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
)

// Credentials are who one is to a server, and whom one takes the server for.
// Over http and https the name and password, the token and the certificates
// count, over ssh the identity and the host keys.
type Credentials struct {
	Username, Password string
	BearerToken        string

	// CA is a PEM bundle of authorities accepted beside the system's.
	CA []byte
	// Certificate and Key, PEM, are what a server may ask for.
	Certificate, Key []byte

	// Identity is a private key, encrypted with Password if that is not empty.
	Identity []byte
	// KnownHosts holds the host keys to accept, in the format of OpenSSH.
	KnownHosts []byte
}

// CredentialsOf reads the credentials for a URL from a Secret's data, with
// the keys that Flux knows.
func CredentialsOf(raw string, data map[string][]byte) (Credentials, error) {
	u, err := parseURL(raw)
	if err != nil {
		return Credentials{}, err
	}
	c := Credentials{Username: string(data["username"]), Password: string(data["password"])}
	if u.Scheme == "ssh" {
		c.Identity, c.KnownHosts = data["identity"], data["known_hosts"]
		return c, c.checkSSH()
	}
	c.BearerToken = string(data["bearerToken"])
	c.CA = firstOf(data, "ca.crt", "caFile")
	c.Certificate, c.Key = firstOf(data, "tls.crt", "certFile"), firstOf(data, "tls.key", "keyFile")
	return c, c.checkHTTP(u.Scheme)
}

func firstOf(data map[string][]byte, names ...string) []byte {
	for _, name := range names {
		if len(data[name]) > 0 {
			return data[name]
		}
	}
	return nil
}

func (c Credentials) checkHTTP(scheme string) error {
	switch {
	case c.Username != "" && c.Password == "":
		return fmt.Errorf("invalid '%s' auth option: 'password' is required when 'username' is set", scheme)
	case c.BearerToken != "" && c.Password != "":
		return fmt.Errorf("invalid '%s' auth option: 'password' and 'bearerToken' cannot be both set", scheme)
	}
	_, err := c.TLS()
	return err
}

func (c Credentials) checkSSH() error {
	switch {
	case len(c.Identity) == 0:
		return errors.New("invalid 'ssh' auth option: 'identity' is required")
	case len(c.KnownHosts) == 0:
		return errors.New("invalid 'ssh' auth option: 'known_hosts' is required")
	}
	if _, err := c.signer(); err != nil {
		return err
	}
	_, err := c.hostKeys()
	return err
}

// withoutSecrets keeps whom to trust, but not who one is.
func (c Credentials) withoutSecrets() Credentials {
	return Credentials{CA: c.CA}
}

// TLS returns how servers and, if it has a certificate, the client are known.
func (c Credentials) TLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(c.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("the secret's ca.crt holds no certificate in PEM")
		}
		config.RootCAs = pool
	}
	if len(c.Certificate) == 0 && len(c.Key) == 0 {
		return config, nil
	}
	certificate, err := tls.X509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, errors.New("the secret's tls.crt and tls.key are no certificate with its key in PEM")
	}
	config.Certificates = []tls.Certificate{certificate}
	return config, nil
}

func (c Credentials) signer() (ssh.Signer, error) {
	var signer ssh.Signer
	var err error
	if c.Password != "" {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(c.Identity, []byte(c.Password))
		if err != nil { // a password beside a key that has none
			signer, err = ssh.ParsePrivateKey(c.Identity)
		}
	} else {
		signer, err = ssh.ParsePrivateKey(c.Identity)
	}
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) && c.Password == "" {
		return nil, errors.New("SSH identity key is encrypted but no 'password' field was provided in the secret")
	}
	if err != nil {
		return nil, errors.New("the secret's identity is no private key that can be read with its password")
	}
	return signer, nil
}

// hostKeys are the accepted keys, and the algorithms to ask a host for.
type hostKeys interface {
	HostKeyCallback() ssh.HostKeyCallback
	HostKeyAlgorithms(hostWithPort string) []string
}

// hostKeys reads known_hosts; the library takes them from a file only.
func (c Credentials) hostKeys() (hostKeys, error) {
	file, err := os.CreateTemp("", "hearth-known-hosts-")
	if err != nil {
		return nil, fmt.Errorf("read the secret's known_hosts: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(c.KnownHosts)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret's known_hosts: %w", err)
	}
	keys, err := gitssh.NewKnownHostsDb(file.Name())
	if err != nil {
		return nil, errors.New("the secret's known_hosts cannot be read")
	}
	return keys, nil
}

// of returns the credentials as they hold for a URL, whose own user and
// password count where there are no others.
func (c Credentials) of(u *url.URL) Credentials {
	if u.User == nil || c.Username != "" || c.BearerToken != "" || u.Scheme == "ssh" {
		return c
	}
	c.Username = u.User.Username()
	c.Password, _ = u.User.Password()
	return c
}
