// Package nodeapi answers for the kubelets of virtual nodes when the API
// server asks them something on behalf of a user: kubectl logs, exec, attach
// and port-forward.
//
// It promises a plain sentence that this is a rehearsal, in the place where a
// user looks for the answer: logs are that sentence, and what the container
// said last if it has crashed; everything that would have to happen inside of
// a container is refused with it. Nothing listens on a port: the API server's
// connections end in this process.
package nodeapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Bounds of the server.
const (
	requestTimeout = 10 * time.Second
	maxBody        = 1 << 20
	validFor       = 10 * 365 * 24 * time.Hour
)

// Port is where the nodes say that their kubelets listen.
const Port = 10250

// Server answers for all kubelets. Its methods may be called concurrently.
type Server struct {
	listener *listener
	server   *http.Server
	reader   atomic.Pointer[client.Reader]
}

// Serve starts to answer. Close it at the end.
func Serve() (*Server, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, fmt.Errorf("make a certificate for virtual kubelets: %w", err)
	}
	s := &Server{listener: &listener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	s.server = &http.Server{
		Handler:           http.MaxBytesHandler(s.handler(), maxBody),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 cannot be upgraded
	}
	// It returns ErrServerClosed after Close, and has no other reason to.
	go func() { _ = s.server.ServeTLS(s.listener, "", "") }()
	return s, nil
}

// See lets the server see the pods that it answers for.
func (s *Server) See(reader client.Reader) { s.reader.Store(&reader) }

// Dial connects to the kubelet of any node. It is what
// [hearth/internal/kube.Options.DialNode] asks for.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case s.listener.conns <- there:
		return here, nil
	case <-s.listener.closed:
		return nil, errors.New("the virtual kubelets have ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the server.
func (s *Server) Close() error { return s.server.Close() }

// listener accepts what Dial connects.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	ended  atomic.Bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	if l.ended.CompareAndSwap(false, true) {
		close(l.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "virtual kubelets", Net: "pipe"} }

// selfSigned returns a certificate that lives as long as the process. The API
// server does not check a kubelet's unless it is told to, as in many clusters.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "Hearth virtual kubelets"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(validFor),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
