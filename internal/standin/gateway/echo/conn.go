package echo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxHeader     = 64 << 10 // bytes
	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// ServeConn answers the requests on a connection until it or the context ends,
// and closes it. Where it is encrypted the pod is the one who decrypts.
func (p *Pod) ServeConn(ctx context.Context, conn net.Conn, encrypted bool) {
	traits := p.traits(ctx)
	if traits.Lines {
		p.serveLines(ctx, conn, encrypted, traits)
		return
	}
	one := &oneConn{conn: conn, address: conn.LocalAddr(), done: make(chan struct{})}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: p, Protocols: protocols, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if encrypted {
		certificate, err := traits.certificate()
		if err != nil {
			_ = conn.Close()
			return
		}
		server.TLSConfig.Certificates = []tls.Certificate{certificate}
		one.config = server.TLSConfig
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(one)
}

func (p *Pod) traits(ctx context.Context) Traits {
	if p.Look == nil {
		return Traits{}
	}
	return p.Look(ctx)
}

func (t Traits) certificate() (tls.Certificate, error) {
	if t.Certificate != nil {
		return *t.Certificate, nil
	}
	return OwnCertificate()
}

// OwnCertificate returns the certificate of pods that bring none. It is made
// once a process.
var OwnCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a virtual pod"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
})

// oneConn is a listener with a single connection; it ends with that.
type oneConn struct {
	conn    net.Conn
	config  *tls.Config
	address net.Addr
	done    chan struct{}
	once    sync.Once
}

// Accept returns the connection, and then blocks until that is closed.
func (o *oneConn) Accept() (net.Conn, error) {
	if conn := o.conn; conn != nil {
		o.conn = nil
		conn = &closing{conn, o.end}
		if o.config != nil {
			conn = tls.Server(conn, o.config)
		}
		return conn, nil
	}
	<-o.done
	return nil, net.ErrClosed
}

func (o *oneConn) end() { o.once.Do(func() { close(o.done) }) }

// Close ends the listener.
func (o *oneConn) Close() error {
	o.end()
	return nil
}

// Addr returns where the connection arrived.
func (o *oneConn) Addr() net.Addr { return o.address }

// closing tells when a connection is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c *closing) Close() error {
	c.closed()
	return c.Conn.Close()
}
