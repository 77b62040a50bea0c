package git

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

// ErrRefused says that an address is one that no repository may lead to.
var ErrRefused = errors.New("the address is refused")

// reach is how far an address is from here.
type reach int

const (
	public    reach = iota
	private         // of the own machine or network
	forbidden       // of the own link, or of a cloud's metadata
)

// metadata are addresses outside the link-local ranges at which clouds tell
// machines their secrets.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("192.0.0.192"),
}

var (
	sharedRange = netip.MustParsePrefix("100.64.0.0/10")
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	siteLocal   = netip.MustParsePrefix("fec0::/10")
	reserved    = netip.MustParsePrefix("240.0.0.0/4")

	// embedding ranges hold an IPv4 address at the given byte.
	embedding = map[netip.Prefix]int{
		netip.MustParsePrefix("64:ff9b::/96"):   12,
		netip.MustParsePrefix("64:ff9b:1::/48"): 12,
		netip.MustParsePrefix("2002::/16"):      2,
		netip.MustParsePrefix("::/96"):          12,
	}
)

// reachOf classifies an address, also one that stands for an IPv4 address.
func reachOf(ip netip.Addr) reach {
	ip = ip.Unmap().WithZone("")
	if ip == netip.IPv6Loopback() {
		return private
	}
	for prefix, at := range embedding {
		if ip.Is6() && !ip.IsUnspecified() && prefix.Contains(ip) {
			bytes := ip.As16()
			return reachOf(netip.AddrFrom4([4]byte(bytes[at : at+4])))
		}
	}
	for _, address := range metadata {
		if ip == address {
			return forbidden
		}
	}
	switch {
	case ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), thisNetwork.Contains(ip), reserved.Contains(ip):
		return forbidden
	case ip.IsLoopback(), ip.IsPrivate(), sharedRange.Contains(ip), siteLocal.Contains(ip):
		return private
	}
	return public
}

// guard connects to a repository's server, and to where it leads.
type guard struct {
	own           string // host:port of the repository's URL
	refusePrivate bool
	classify      func(netip.Addr) reach // reachOf but in tests

	mu      sync.Mutex
	foreign bool // the URL itself came from somebody public
	public  bool // the own server is public
	known   bool // it is known which
	proxies map[string]bool
}

func newGuard(u *url.URL, refusePrivate bool) *guard {
	return &guard{own: hostPort(u), refusePrivate: refusePrivate, classify: reachOf, proxies: map[string]bool{}}
}

// child guards what a repository leads to, such as a submodule.
func (g *guard) child(u *url.URL) *guard {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := newGuard(u, g.refusePrivate)
	c.classify = g.classify
	c.foreign = g.foreign || (g.public || !g.known) && c.own != g.own
	return c
}

// allowProxy lets a proxy, which the owner has named, be on a private network.
func (g *guard) allowProxy(u *url.URL) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proxies[hostPort(u)] = true
}

// check decides about an address that a host and port stand for.
func (g *guard) check(host string, ip netip.Addr) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	reach := g.classify(ip)
	if reach == forbidden {
		return fmt.Errorf("%w: %s is a link-local, metadata or reserved address", ErrRefused, host)
	}
	if g.proxies[host] {
		return nil
	}
	if host == g.own {
		if reach == private && (g.refusePrivate || g.foreign || g.known && g.public) {
			return fmt.Errorf("%w: %s is a private address", ErrRefused, host)
		}
		g.known, g.public = true, reach == public
		return nil
	}
	if reach == private && (g.refusePrivate || g.foreign || g.public || !g.known) {
		return fmt.Errorf("%w: a redirect leads to the private address %s", ErrRefused, host)
	}
	return nil
}

// dial connects to a host and port; every address they resolve to is checked
// at the moment it is connected to.
func (g *guard) dial(ctx context.Context, network, host string) (net.Conn, error) {
	var refused error
	dialer := net.Dialer{
		Timeout: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if err = g.check(host, at.Addr()); err != nil {
				refused = err
			}
			return err
		},
	}
	// One address after the other, so that refused is not raced for.
	dialer.FallbackDelay = -1
	conn, err := dialer.DialContext(ctx, network, host)
	if err != nil && refused != nil {
		return nil, refused
	}
	return conn, err
}

// checkProxied decides about a URL that a proxy will resolve.
func (g *guard) checkProxied(ctx context.Context, u *url.URL) error {
	addresses, err := lookup(ctx, u.Hostname())
	if err != nil {
		return nil // only the proxy knows the name
	}
	for _, ip := range addresses {
		if err := g.check(hostPort(u), ip); err != nil {
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

// hostPort returns the host and port of a URL, with the scheme's port where it
// names none.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		switch u.Scheme {
		case "https":
			port = "443"
		case "ssh":
			port = "22"
		case "socks5", "socks5h":
			port = "1080"
		default:
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
