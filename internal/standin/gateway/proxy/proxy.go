// Package proxy carries HTTP, gRPC, TLS and TCP through a gateway: it listens on
// loopback for each port of each gateway, and follows the rules of the routes
// to the endpoints of their backends.
//
// It promises the behaviour that the Gateway API asks of a data plane: the
// precedence of listeners, host names and rules, filters, weights and timeouts,
// 404 without a route, 500 for a backend that cannot be, 503 for one without
// endpoints. A new setting is swapped in at once; requests under way end by the
// one they began with, and none is dropped.
//
// It knows nothing of Kubernetes: what the rules are is its caller's to find,
// and endpoints answer for themselves.
package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"

	"hearth/internal/kube/routing"
)

// Endpoint answers for one pod. An HTTP answer has to end early, without having
// written anything, when the request's context does.
type Endpoint interface {
	http.Handler
	// ServeConn answers on a connection until that ends; encrypted says that the
	// client speaks TLS on it. It closes the connection.
	ServeConn(ctx context.Context, conn net.Conn, encrypted bool)
}

// Backend stands for a port of a Service.
type Backend interface {
	// Endpoint returns one that is ready, each in turn; nil while there is none.
	// It is called for every request, concurrently.
	Endpoint() Endpoint
}

// Gateway says what to listen for, and where that leads.
type Gateway struct {
	// Name is namespace/name.
	Name string
	// Address is the gateway's own, which loopback addresses follow from.
	Address   netip.Addr
	Listeners []Listener
}

// Protocol says what is spoken on a listener.
type Protocol string

// The protocols of listeners: HTTP in the clear, HTTP within TLS, and whatever
// a TLSRoute leads on, either decrypted or as it is, or a TCPRoute.
const (
	HTTP        Protocol = "HTTP"
	HTTPS       Protocol = "HTTPS"
	Terminate   Protocol = "TLS"
	Passthrough Protocol = "TLS passthrough"
	TCP         Protocol = "TCP"
)

// Listener is one listener of a gateway. Listeners of a port differ in their
// host names.
type Listener struct {
	Name     string
	Port     int32
	Protocol Protocol
	// Hostname is in lower case; "" stands for all.
	Hostname string
	// Certificates are what HTTPS and Terminate prove themselves with.
	Certificates []tls.Certificate
	// Rules are what HTTP and HTTPS follow, Streams what the others do.
	Rules   *routing.Table[*Rule]
	Streams *routing.Table[*Choice]

	config *tls.Config
}

func (p Protocol) encrypted() bool { return p != HTTP && p != TCP }

func (p Protocol) web() bool { return p == HTTP || p == HTTPS }

// The bounds of what a client may do.
const (
	maxHeader        = 64 << 10 // bytes
	maxConnections   = 4096     // a port
	handshakeTimeout = 10 * time.Second
	headerTimeout    = 30 * time.Second
	idleTimeout      = 2 * time.Minute
	closeTimeout     = 5 * time.Second
)
