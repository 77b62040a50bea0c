package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"hearth/internal/kube/routing"
)

// port is an open port of a gateway.
type port struct {
	key      portKey
	address  netip.Addr // the gateway's
	listener net.Listener
	setting  atomic.Pointer[setting]
	web      *http.Server
	// handed are the connections that HTTP is spoken on.
	handed *queue
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}
	conns  sync.WaitGroup
}

func newPort(key portKey, address netip.Addr, listener net.Listener) *port {
	p := &port{key: key, address: address, listener: listener, slots: make(chan struct{}, maxConnections)}
	p.handed = newQueue(listener.Addr())
	p.ctx, p.cancel = context.WithCancel(context.Background())
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	p.web = &http.Server{
		Handler: p, Protocols: protocols, TLSConfig: webTLS(),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // what clients do wrong is no event of the homelab
	}
	return p
}

func (p *port) loopback() netip.AddrPort {
	return p.listener.Addr().(*net.TCPAddr).AddrPort()
}

// start accepts connections until stopAccepting.
func (p *port) start() {
	p.conns.Go(p.accept)
	p.conns.Go(func() { _ = p.web.Serve(p.handed) })
}

func (p *port) accept() {
	for {
		p.slots <- struct{}{}
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // one that ended before it began
			<-p.slots
			continue
		}
		conn = &counted{Conn: conn, free: sync.OnceFunc(func() { <-p.slots })}
		switch first := p.setting.Load().listeners[0]; {
		case p.key.encrypted:
			p.conns.Go(func() { p.greet(conn) })
		case first.Protocol == TCP:
			p.conns.Go(func() { p.stream(conn, first, "", false) })
		default:
			p.handed.put(conn)
		}
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	free func()
}

func (c *counted) Close() error {
	c.free()
	return c.Conn.Close()
}

// stopAccepting closes the door; those inside stay.
func (p *port) stopAccepting() { _ = p.listener.Close() }

// finish lets requests under way end, and ends those that take too long.
func (p *port) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = p.web.Shutdown(ctx)
	_ = p.web.Close()
	p.handed.Close()
	p.cancel()
	p.conns.Wait()
}

// ServeHTTP leads a request by the rules of the listener that its host name
// chooses.
func (p *port) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := p.setting.Load()
	host := routing.HostOf(r.Host)
	l := s.listener(host, true)
	if r.TLS != nil && s.listener(r.TLS.ServerName, false) != l {
		fail(w, http.StatusMisdirectedRequest, "the connection was made for "+r.TLS.ServerName+", another listener of the gateway "+s.gateway+" serves "+host)
		return
	}
	if l == nil {
		fail(w, http.StatusNotFound, "no listener of the gateway "+s.gateway+" serves "+host)
		return
	}
	rule, match, ok := l.Rules.Find(host, r)
	if !ok {
		fail(w, http.StatusNotFound, "no rule of a route of the gateway "+s.gateway+" takes the request")
		return
	}
	rule.serve(w, r, l, match)
}

// listener returns the listener for a host name, the most specific one, or nil.
// For requests only those are asked that speak HTTP.
func (s *setting) listener(host string, request bool) *Listener {
	for _, l := range s.listeners {
		if (!request || l.Protocol.web()) && routing.Matches(l.Hostname, host) {
			return l
		}
	}
	return nil
}

func compareListeners(a, b *Listener) int { return routing.CompareHosts(a.Hostname, b.Hostname) }

// fail answers for the gateway itself.
func fail(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, http.StatusText(code)+": "+why+"\n")
}
