package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrRefused says that an address is one that nothing may lead to.
var ErrRefused = errors.New("the address is refused")

// Guard connects to a server, and to where it leads. Its methods may be called
// concurrently.
type Guard struct {
	own           string // host:port of the URL that the owner wrote
	refusePrivate bool
	classify      func(netip.Addr) Reach // Of but in tests

	mu      sync.Mutex
	foreign bool // the URL itself came from somebody public
	public  bool // the own server is public
	known   bool // it is known which
	proxies map[string]bool
}

// New guards what the URL of an object leads to. Private addresses are refused
// altogether where that is asked for.
func New(u *url.URL, refusePrivate bool) *Guard {
	return &Guard{own: HostPort(u), refusePrivate: refusePrivate, classify: Of, proxies: map[string]bool{}}
}

// Classified returns the guard with another table of addresses, for tests that
// need servers of every reach on one machine. It is called before any other
// method.
func (g *Guard) Classified(classify func(netip.Addr) Reach) *Guard {
	g.classify = classify
	return g
}

// Child guards a URL that the server named, such as that of a submodule.
func (g *Guard) Child(u *url.URL) *Guard {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := New(u, g.refusePrivate)
	c.classify = g.classify
	c.foreign = g.foreign || (g.public || !g.known) && c.own != g.own
	return c
}

// AllowProxy lets a proxy, which the owner has named, be on a private network.
func (g *Guard) AllowProxy(u *url.URL) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proxies[HostPort(u)] = true
}

// Check decides about an address that a host and port stand for. The error is
// ErrRefused.
func (g *Guard) Check(host string, ip netip.Addr) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	reach := g.classify(ip)
	if reach == Forbidden {
		return fmt.Errorf("%w: %s is a link-local, metadata or reserved address", ErrRefused, host)
	}
	if g.proxies[host] {
		return nil
	}
	if host == g.own {
		if reach == Private && (g.refusePrivate || g.foreign || g.known && g.public) {
			return fmt.Errorf("%w: %s is a private address", ErrRefused, host)
		}
		g.known, g.public = true, reach == Public
		return nil
	}
	if reach == Private && (g.refusePrivate || g.foreign || g.public || !g.known) {
		return fmt.Errorf("%w: the server leads to %s, which is a private address", ErrRefused, host)
	}
	return nil
}

// Dial connects to a host and port; every address they resolve to is checked
// at the moment it is connected to.
func (g *Guard) Dial(ctx context.Context, network, host string) (net.Conn, error) {
	var refused error
	dialer := net.Dialer{
		Timeout: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if err = g.Check(strings.ToLower(host), at.Addr()); err != nil {
				refused = err
			}
			return err
		},
		// One address after the other, so that refused is not raced for.
		FallbackDelay: -1,
	}
	conn, err := dialer.DialContext(ctx, network, host)
	if err != nil && refused != nil {
		return nil, refused
	}
	return conn, err
}

// CheckProxied decides about a URL that a proxy will resolve. A name that only
// the proxy knows is left to it.
func (g *Guard) CheckProxied(ctx context.Context, u *url.URL) error {
	addresses, err := lookup(ctx, u.Hostname())
	if err != nil {
		return nil
	}
	for _, ip := range addresses {
		if err := g.Check(HostPort(u), ip); err != nil {
			return err
		}
	}
	return nil
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// ports are those that schemes have where a URL names none.
var ports = map[string]string{"https": "443", "oci": "443", "ssh": "22", "socks5": "1080", "socks5h": "1080"}

// HostPort returns the host and port of a URL, with the scheme's port where it
// names none.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
