package notification

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// guard decides which addresses deliveries may connect to.
type guard struct {
	private bool // private and loopback addresses, too
}

// metadataServices are where clouds hand out credentials, beyond link-local
// addresses.
var metadataServices = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("168.63.129.16"),
}

var (
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	reserved    = netip.MustParsePrefix("240.0.0.0/4")
	benchmarks  = netip.MustParsePrefix("198.18.0.0/15")
	assignments = netip.MustParsePrefix("192.0.0.0/24")
	nat64       = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour   = netip.MustParsePrefix("2002::/16")
)

// check returns an error, for good, unless an address may be connected to.
func (g guard) check(ip netip.Addr) error {
	ip = embedded(ip.WithZone("").Unmap())
	for _, service := range metadataServices {
		if ip == service {
			return permanent("refused to connect to the metadata service %s", ip)
		}
	}
	switch {
	case ip.IsLinkLocalUnicast():
		return permanent("refused to connect to the link-local address %s", ip)
	case ip.IsUnspecified() || ip.IsMulticast() || thisNetwork.Contains(ip) || reserved.Contains(ip):
		return permanent("refused to connect to %s, which is no host's address", ip)
	case g.private:
		return nil
	case ip.IsPrivate() || ip.IsLoopback() || sharedSpace.Contains(ip) || benchmarks.Contains(ip) || assignments.Contains(ip):
		return permanent("refused to connect to the private address %s: allow private addresses for Providers to do so", ip)
	}
	return nil
}

// embedded returns the IPv4 address that a translated IPv6 address leads to.
func embedded(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
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
