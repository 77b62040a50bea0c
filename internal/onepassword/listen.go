package onepassword

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Listen serves on a loopback address, such as "127.0.0.1:0", until ctx ends,
// and returns the URL once it can be reached. Done is closed when all has
// ended.
func (s *Server) Listen(ctx context.Context, address string) (url string, done <-chan struct{}, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: without TLS it hands secrets out in clear text, and listens on loopback only", address)
	}
	return s.serve(ctx, address, nil)
}

// ListenTLS serves as Listen does, on any address. The certificate and its
// key are read again when their files change.
func (s *Server) ListenTLS(ctx context.Context, address, certificateFile, keyFile string) (url string, done <-chan struct{}, err error) {
	certificate := &certificateFiles{certificate: certificateFile, key: keyFile}
	if _, err := certificate.get(nil); err != nil {
		return "", nil, err
	}
	return s.serve(ctx, address, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get})
}

func (s *Server) serve(ctx context.Context, address string, config *tls.Config) (url string, done <-chan struct{}, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: %w", address, err)
	}
	url = "http://" + listener.Addr().String()
	if config != nil {
		url = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, config)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			server.Close()
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return url, ended, nil
}

// certificateFiles is a certificate that may be renewed meanwhile.
type certificateFiles struct {
	certificate, key string

	mu   sync.Mutex
	read time.Time // when its file was changed that was read last
	held *tls.Certificate
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.certificate)
	if err == nil && c.held != nil && info.ModTime().Equal(c.read) {
		return c.held, nil
	}
	pair, loadErr := tls.LoadX509KeyPair(c.certificate, c.key)
	switch {
	case err == nil && loadErr == nil:
		c.held, c.read = &pair, info.ModTime()
	case c.held == nil:
		return nil, fmt.Errorf("read the TLS certificate %s and its key %s: %w", c.certificate, c.key, errors.Join(err, loadErr))
	}
	return c.held, nil // one of the two may not have been written yet
}
