package server

import (
	"net"
	"net/netip"

	"golang.org/x/net/netutil"
)

// maxConnections bounds the TCP connections that are open at once.
const maxConnections = 128

func bounded(l net.Listener) net.Listener { return netutil.LimitListener(l, maxConnections) }

func ip4(text string) net.IP {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is4() {
		return ip.AsSlice()
	}
	return nil
}

func ip6(text string) net.IP {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is6() && ip.Zone() == "" {
		return ip.AsSlice()
	}
	return nil
}
