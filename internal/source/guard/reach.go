package guard

import "net/netip"

// Reach is how far an address is from here.
type Reach int

// The reaches of addresses.
const (
	Public    Reach = iota
	Private         // of the own machine or network
	Forbidden       // of the own link, of a cloud's metadata, or of no host
)

// metadata are addresses outside the link-local ranges at which clouds tell
// machines their secrets.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("192.0.0.192"),
}

// noHosts are ranges that no host has an address of.
var noHosts = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

// privates are ranges of own networks, beside those that the standard library
// knows: shared by carriers and overlays, protocol assignments, benchmarks and
// the old site-local one.
var privates = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("fec0::/10"),
}

// embedding ranges hold an IPv4 address at the given byte.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"):   12,
	netip.MustParsePrefix("64:ff9b:1::/48"): 12,
	netip.MustParsePrefix("2002::/16"):      2,
	netip.MustParsePrefix("::/96"):          12,
}

// Of classifies an address, also one that stands for an IPv4 address.
func Of(ip netip.Addr) Reach {
	ip = standsFor(ip.Unmap().WithZone(""))
	for _, address := range metadata {
		if ip == address {
			return Forbidden
		}
	}
	switch {
	case ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), within(noHosts, ip):
		return Forbidden
	case ip.IsLoopback(), ip.IsPrivate(), within(privates, ip):
		return Private
	}
	return Public
}

// standsFor returns the IPv4 address that an IPv6 address leads to.
func standsFor(ip netip.Addr) netip.Addr {
	if !ip.Is6() || ip.IsUnspecified() || ip == netip.IPv6Loopback() {
		return ip
	}
	for prefix, at := range embedding {
		if prefix.Contains(ip) {
			bytes := ip.As16()
			return netip.AddrFrom4([4]byte(bytes[at : at+4]))
		}
	}
	return ip
}

func within(ranges []netip.Prefix, ip netip.Addr) bool {
	for _, prefix := range ranges {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}
