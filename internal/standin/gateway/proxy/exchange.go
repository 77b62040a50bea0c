package proxy

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"

	"hearth/internal/kube/routing"
)

// exchange is a request on its way through a rule, and what is to become of its
// answer.
type exchange struct {
	w        http.ResponseWriter
	incoming *http.Request
	request  *http.Request // as it goes on
	listener *Listener
	match    *routing.Match
	// response are the changes of the answer's headers, in their order.
	response []func(http.Header)
}

// hopByHop are the headers that concern one connection only (RFC 9110, 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Transfer-Encoding"}

func newExchange(ctx context.Context, w http.ResponseWriter, r *http.Request, l *Listener, match *routing.Match) *exchange {
	out := r.WithContext(ctx)
	out.Header = r.Header.Clone()
	out.TLS = nil // it ends here
	forward(out, r)
	return &exchange{w: w, incoming: r, request: out, listener: l, match: match}
}

// forward removes what was meant for the gateway, and adds for whom it speaks.
func forward(out, r *http.Request) {
	upgrade := upgradeOf(r.Header)
	for _, names := range r.Header["Connection"] {
		for name := range strings.SplitSeq(names, ",") {
			out.Header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		out.Header.Del(name)
	}
	out.Header.Del("Upgrade")
	if upgrade != "" {
		out.Header["Connection"], out.Header["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
	}
	client := r.RemoteAddr
	if host, _, err := net.SplitHostPort(client); err == nil {
		client = host
	}
	if before := out.Header["X-Forwarded-For"]; len(before) > 0 {
		client = strings.Join(before, ", ") + ", " + client
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	out.Header["X-Forwarded-For"], out.Header["X-Forwarded-Proto"] = []string{client}, []string{scheme}
}

// upgradeOf returns the protocol that a connection is to change to; "" is none.
func upgradeOf(h http.Header) string {
	if !strings.Contains(strings.ToLower(h.Get("Connection")), "upgrade") {
		return ""
	}
	return h.Get("Upgrade")
}

// repeatable reports whether the request can be sent more than once.
func (x *exchange) repeatable() bool {
	return x.incoming.Body == nil || x.incoming.Body == http.NoBody || x.incoming.ContentLength == 0
}

// again returns the exchange for one try, which may change it for itself.
func (x *exchange) again(ctx context.Context) *exchange {
	y := *x
	y.request = x.request.WithContext(ctx)
	y.request.Header = x.request.Header.Clone()
	y.response = slices.Clip(x.response)
	return &y
}

// reply returns what the answer is written to.
func (x *exchange) reply() *reply { return &reply{ResponseWriter: x.w, changes: x.response} }

// reply is an answer on its way back.
type reply struct {
	http.ResponseWriter
	changes    []func(http.Header)
	wrote      bool
	refused    []int // codes with which the answer is not passed on
	refusedOne bool
}

// WriteHeader changes the headers as the filters ask, and begins the answer.
func (w *reply) WriteHeader(code int) {
	switch {
	case w.wrote || w.refusedOne:
		return
	case code >= 100 && code < 200 && code != http.StatusSwitchingProtocols:
		w.ResponseWriter.WriteHeader(code)
		return
	case slices.Contains(w.refused, code):
		w.refusedOne = true
		clear(w.Header())
		return
	}
	w.wrote = true
	canonicalize(w.Header())
	for _, change := range w.changes {
		change(w.Header())
	}
	w.ResponseWriter.WriteHeader(code)
}

// canonicalize brings the names of headers into the one form that they have
// after a way over a connection.
func canonicalize(h http.Header) {
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			delete(h, name)
			h[canonical] = append(h[canonical], values...)
		}
	}
}

// Write writes a part of the answer.
func (w *reply) Write(b []byte) (int, error) {
	if w.refusedOne {
		return len(b), nil
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Flush sends what was written so far.
func (w *reply) Flush() {
	if !w.refusedOne {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Hijack hands the connection over, for a protocol that is not HTTP.
func (w *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.wrote = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap returns the client's own writer.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }
