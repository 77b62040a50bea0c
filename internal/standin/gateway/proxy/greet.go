package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

// webTLS returns what HTTP within TLS is negotiated with.
func webTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// tlsConfig returns what a listener proves itself with; nil without a certificate.
func (l *Listener) tlsConfig() *tls.Config {
	if len(l.Certificates) == 0 {
		return nil
	}
	config := webTLS()
	if l.Protocol != HTTPS {
		config.NextProtos = nil // what is spoken inside is not ours to know
	}
	config.Certificates = l.Certificates
	return config
}

// greet reads whom a client asks for, and hands the connection to the listener
// that serves that name. One that nobody serves is closed.
func (p *port) greet(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	name, conn, err := serverName(conn)
	_ = conn.SetReadDeadline(time.Time{})
	l := p.setting.Load().listener(name, false)
	if err != nil || l == nil {
		_ = conn.Close()
		return
	}
	switch l.Protocol {
	case HTTPS:
		if l.config == nil {
			_ = conn.Close()
			return
		}
		p.handed.put(tls.Server(conn, l.config))
	case Terminate:
		p.terminate(conn, l, name)
	case Passthrough:
		p.stream(conn, l, name, true)
	}
}

// terminate decrypts a connection, and leads on what is inside.
func (p *port) terminate(conn net.Conn, l *Listener, name string) {
	if l.config == nil {
		_ = conn.Close()
		return
	}
	inside := tls.Server(conn, l.config)
	ctx, cancel := context.WithTimeout(p.ctx, handshakeTimeout)
	defer cancel()
	if inside.HandshakeContext(ctx) != nil {
		_ = conn.Close()
		return
	}
	p.stream(inside, l, name, false)
}

// stream leads a connection to an endpoint of the route that serves the name.
func (p *port) stream(conn net.Conn, l *Listener, name string, encrypted bool) {
	choice, _, ok := l.Streams.Find(name, noRequest)
	if !ok {
		_ = conn.Close()
		return
	}
	endpoint, _ := choice.endpoint()
	if endpoint == nil {
		_ = conn.Close()
		return
	}
	endpoint.ServeConn(p.ctx, conn, encrypted)
}

// errHeard ends a handshake as soon as the client has said whom it asks for.
var errHeard = errors.New("the client has said whom it asks for")

// serverName reads the host name that a TLS client asks for, and returns a
// connection on which nothing seems to have been read.
func serverName(conn net.Conn) (name string, again net.Conn, err error) {
	var read bytes.Buffer
	heard := false
	listening := &muted{Conn: conn, from: io.TeeReader(conn, &read)}
	err = tls.Server(listening, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name, heard = strings.ToLower(hello.ServerName), true
			return nil, errHeard
		},
	}).Handshake()
	again = &muted{Conn: conn, from: io.MultiReader(&read, conn), speaks: true}
	if heard {
		err = nil
	}
	return name, again, err
}

// muted is a connection that reads from elsewhere, and writes only where it
// speaks.
type muted struct {
	net.Conn
	from   io.Reader
	speaks bool
}

func (m *muted) Read(b []byte) (int, error) { return m.from.Read(b) }

func (m *muted) Write(b []byte) (int, error) {
	if !m.speaks {
		return 0, io.ErrClosedPipe
	}
	return m.Conn.Write(b)
}
