package proxy

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// redirect answers with where to go instead.
func redirect(f *gatewayv1.HTTPRequestRedirectFilter) filter {
	code := http.StatusFound
	if f.StatusCode != nil {
		code = *f.StatusCode
	}
	return func(x *exchange) bool {
		w := x.reply()
		w.Header().Set("Location", location(x, f))
		w.WriteHeader(code)
		return true
	}
}

// location returns the URL of a redirect. What the filter leaves out is the
// request's; the port is that of a new scheme, or else the listener's own, and
// left out where the scheme implies it.
func location(x *exchange, f *gatewayv1.HTTPRequestRedirectFilter) string {
	scheme := "http"
	if x.incoming.TLS != nil {
		scheme = "https"
	}
	port := x.listener.Port
	if f.Scheme != nil {
		scheme = strings.ToLower(*f.Scheme)
		port = wellKnown(scheme)
	}
	if f.Port != nil {
		port = *f.Port
	}
	host := routing.HostOf(x.incoming.Host)
	if f.Hostname != nil {
		host = string(*f.Hostname)
	}
	if port != 0 && port != wellKnown(scheme) {
		host = net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	path := x.incoming.URL.EscapedPath()
	if f.Path != nil {
		path = x.path(f.Path)
	}
	if query := x.incoming.URL.RawQuery; query != "" {
		path += "?" + query
	}
	return scheme + "://" + host + path
}

func wellKnown(scheme string) int32 {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	}
	return 0
}
