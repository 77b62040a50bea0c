package integration_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// wire is the network between an engine and the API server. It can be cut, so
// that connections end and none is made, and it can go dead, so that they stay
// but nothing passes any more.
type wire struct {
	listener net.Listener
	server   string

	mu          sync.Mutex
	cut, dead   bool
	connections map[net.Conn]bool // true of those that went dead
}

func newWire(t testing.TB) *wire {
	t.Helper()
	server, err := url.Parse(cluster(t).Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, server: server.Host, connections: map[net.Conn]bool{}}
	t.Cleanup(func() {
		listener.Close()
		w.Cut()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.serve(conn)
		}
	}()
	return w
}

// connect makes a client talk over the wire. What it dials is its own, so no
// other client of the process shares a connection with it.
func (w *wire) connect(config *rest.Config) {
	config.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, w.listener.Addr().String())
	}
}

func (w *wire) serve(near net.Conn) {
	far, err := net.Dial("tcp", w.server)
	if err != nil {
		near.Close()
		return
	}
	if !w.add(near, far) {
		near.Close()
		far.Close()
		return
	}
	go w.copy(near, far)
	w.copy(far, near)
}

func (w *wire) add(near, far net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return false
	}
	w.connections[near], w.connections[far] = w.dead, w.dead
	return true
}

// copy passes bytes on until either side ends, or swallows them once the
// connection is dead.
func (w *wire) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !w.isDead(from) {
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.connections[from] || w.cut {
		to.Close()
	}
	from.Close()
	delete(w.connections, from)
}

func (w *wire) isDead(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connections[conn]
}

// Cut ends all connections and refuses new ones.
func (w *wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for conn := range w.connections {
		conn.Close()
	}
}

// Kill lets nothing pass any more, without a word to either side.
func (w *wire) Kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for conn := range w.connections {
		w.connections[conn] = true
	}
}

// Mend lets new connections pass. Those that went dead stay so.
func (w *wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.dead = false, false
}

// atWrite calls act once, when a client is about to write for the n-th time to
// an object whose path contains a text.
func atWrite(config *rest.Config, path string, n int, act func()) {
	var mu sync.Mutex
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch && !r.URL.Query().Has("dryRun") && strings.Contains(r.URL.Path, path) {
				mu.Lock()
				if n--; n == 0 {
					act()
				}
				mu.Unlock()
			}
			return next.RoundTrip(r)
		})
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
