package notification

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	reach "hearth/internal/source/guard"
)

// guard decides which addresses deliveries may connect to.
type guard struct {
	private bool // private and loopback addresses, too
}

// check returns an error, for good, unless an address may be connected to.
func (g guard) check(ip netip.Addr) error {
	switch reach.Of(ip) {
	case reach.Forbidden:
		return permanent("refused to connect to %s, which is a link-local, metadata or reserved address", ip)
	case reach.Private:
		if !g.private {
			return permanent("refused to connect to the private address %s: allow private addresses for Providers to do so", ip)
		}
	}
	return nil
}

// control lets a connection be made, or refuses it, once the name is resolved:
// what a name resolved to earlier does not count.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	host, err := netip.ParseAddrPort(address)
	if err != nil {
		return permanent("refused to connect to something that is no IP address")
	}
	return g.check(host.Addr())
}

// checkHost judges a host that a proxy will connect to, by what it resolves to
// here. A name that resolves only behind the proxy is left to the proxy.
func (g guard) checkHost(ctx context.Context, host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.check(ip)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, ip := range found {
		if err := g.check(ip); err != nil {
			return fmt.Errorf("behind a proxy: %w", err)
		}
	}
	return nil
}
