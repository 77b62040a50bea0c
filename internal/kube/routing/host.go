package routing

import (
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// HostsMeet reports whether a listener's host name and a route's have a name in
// common; each may begin with a wildcard label. An empty one means all.
func HostsMeet(listener, route string) bool {
	listener, route = strings.ToLower(listener), strings.ToLower(route)
	return listener == "" || route == "" || listener == route || Covers(listener, route) || Covers(route, listener)
}

// Covers reports whether every name that the second host name stands for is
// one of the first, which begins with a wildcard label. Both are in lower case.
func Covers(wildcard, name string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && strings.HasSuffix(strings.TrimPrefix(name, "*"), suffix)
}

// Matches reports whether a host name of a listener or route stands for the
// name in a request, which is in lower case and without a port.
func Matches(pattern, host string) bool {
	return pattern == "" || pattern == host || Covers(pattern, host)
}

// CompareHosts orders host names by precedence: exact ones first, then the
// longer ones, and last "", which stands for all.
func CompareHosts(a, b string) int {
	wildA, wildB := a == "" || a[0] == '*', b == "" || b[0] == '*'
	switch {
	case wildA != wildB && wildA:
		return 1
	case wildA != wildB:
		return -1
	case len(a) != len(b):
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

// Intersect returns the host names, in lower case, under which a listener
// serves a route: of two that meet, the narrower one. "" means all; an empty
// list means that they have none in common.
func Intersect(listener *gatewayv1.Hostname, route []gatewayv1.Hostname) []string {
	own := ""
	if listener != nil {
		own = strings.ToLower(string(*listener))
	}
	if len(route) == 0 {
		return []string{own}
	}
	var hosts []string
	for _, h := range route {
		host := strings.ToLower(string(h))
		switch {
		case !HostsMeet(own, host):
			continue
		case own != "" && (host == "" || Covers(host, own)):
			host = own
		}
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
