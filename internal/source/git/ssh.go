package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"hearth/internal/source/guard"
)

// sshConnection runs git-upload-pack on the server.
type sshConnection struct {
	client  *ssh.Client
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  io.Reader
	stderr  *shortText
	release func() bool
	asked   bool
	close   sync.Once
}

func openSSH(ctx context.Context, u *url.URL, remote Remote, g *guard.Guard) (*sshConnection, error) {
	if err := remote.Credentials.checkSSH(); err != nil {
		return nil, err
	}
	signer, err := remote.Credentials.signer()
	if err != nil {
		return nil, err
	}
	keys, err := remote.Credentials.hostKeys()
	if err != nil {
		return nil, err
	}
	host := guard.HostPort(u)
	config := &ssh.ClientConfig{
		User:              "git",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   keys.HostKeyCallback(),
		HostKeyAlgorithms: keys.HostKeyAlgorithms(host),
	}
	if u.User != nil && u.User.Username() != "" {
		config.User = u.User.Username()
	}
	if len(config.HostKeyAlgorithms) == 0 {
		return nil, fmt.Errorf("the secret's known_hosts has no key of %s", legible(host))
	}
	conn, err := dialVia(ctx, remote.Proxy, u, g)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", legible(host), err)
	}
	c := &sshConnection{stderr: &shortText{}}
	c.release = context.AfterFunc(ctx, func() { conn.Close() })
	if err := c.start(conn, host, config, u.Path); err != nil {
		conn.Close()
		c.Close()
		return nil, because(ctx, fmt.Errorf("connect to %s: %w", legible(host), err))
	}
	return c, nil
}

func (c *sshConnection) start(conn net.Conn, host string, config *ssh.ClientConfig, path string) error {
	secured, channels, requests, err := ssh.NewClientConn(conn, host, config)
	if err != nil {
		return err
	}
	c.client = ssh.NewClient(secured, channels, requests)
	if c.session, err = c.client.NewSession(); err != nil {
		return err
	}
	if c.stdin, err = c.session.StdinPipe(); err != nil {
		return err
	}
	if c.stdout, err = c.session.StdoutPipe(); err != nil {
		return err
	}
	c.session.Stderr = c.stderr
	return c.session.Start(service + " " + shellQuote(path))
}

// shellQuote makes one word of a path for the server's shell.
func shellQuote(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}

func (c *sshConnection) advertise(context.Context) (readCloser, error) {
	return c, nil
}

// Read reads what the server says; where it says nothing the reason is on its
// error output.
func (c *sshConnection) Read(p []byte) (int, error) {
	n, err := c.stdout.Read(p)
	if n == 0 && errors.Is(err, io.EOF) && !c.asked {
		_ = c.session.Wait() // for what is still on its way
		if text := c.stderr.String(); strings.Contains(text, "not found") || strings.Contains(text, "does not exist") || strings.Contains(text, "does not appear to be a git repository") {
			return 0, fmt.Errorf("%w: %s", ErrNotFound, text)
		} else if text != "" {
			return 0, fmt.Errorf("the server says: %s", text)
		}
	}
	return n, err
}

func (c *sshConnection) uploadPack(_ context.Context, request []byte) (readCloser, error) {
	c.asked = true
	if _, err := c.stdin.Write(request); err != nil {
		return nil, err
	}
	return c, c.stdin.Close()
}

// Close ends the session. Whoever asked for nothing says so first.
func (c *sshConnection) Close() error {
	c.close.Do(func() {
		c.release()
		if c.stdin != nil && !c.asked {
			_, _ = c.stdin.Write([]byte("0000"))
			_ = c.stdin.Close()
		}
		if c.client != nil {
			c.client.Close()
		}
	})
	return nil
}

// shortText keeps the beginning of what a server writes to its error output.
type shortText struct {
	mu   sync.Mutex
	text []byte
}

func (s *shortText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p[:min(len(p), 1024-min(1024, len(s.text)))]...)
	return len(p), nil
}

func (s *shortText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return legible(string(s.text))
}

// because says that the time was up, where that is the cause of an error.
func because(ctx context.Context, err error) error {
	if cause := ctx.Err(); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w (%w)", err, cause)
	}
	return err
}
