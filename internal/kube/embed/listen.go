package embed

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// listen takes the requested port, or else last time's, or else any.
func listen(address string, lastPort int) (net.Listener, error) {
	if _, port, _ := net.SplitHostPort(address); port != "" && port != "0" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("the API server cannot listen on %s: %w: stop what uses it, or choose another port", address, err)
		}
		return listener, nil
	}
	host := "127.0.0.1"
	if address != "" {
		host, _, _ = net.SplitHostPort(address)
	}
	if lastPort != 0 {
		if listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(lastPort))); err == nil {
			return listener, nil
		}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("the API server finds no free port on %s: %w", host, err)
	}
	return listener, nil
}

// firstAddress is the address the API server itself gets in a service range.
func firstAddress(cidr string) (net.IP, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, fmt.Errorf("the service range %q is no CIDR: %w", cidr, err)
	}
	return prefix.Masked().Addr().Next().AsSlice(), nil
}
