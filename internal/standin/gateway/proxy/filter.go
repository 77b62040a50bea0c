package proxy

import (
	"net/http"
	"net/url"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// filter changes an exchange, or answers it, which it reports.
type filter func(*exchange) (answered bool)

// newFilters compiles filters, in their order. Filters that a class brings
// itself are not played: they change nothing.
func newFilters(list []gatewayv1.HTTPRouteFilter, find Find) []filter {
	var filters []filter
	for _, f := range list {
		switch {
		case f.RequestHeaderModifier != nil:
			filters = append(filters, requestHeaders(headerChange(f.RequestHeaderModifier)))
		case f.ResponseHeaderModifier != nil:
			filters = append(filters, responseHeaders(headerChange(f.ResponseHeaderModifier)))
		case f.RequestRedirect != nil:
			filters = append(filters, redirect(f.RequestRedirect))
		case f.URLRewrite != nil:
			filters = append(filters, rewrite(f.URLRewrite))
		case f.RequestMirror != nil:
			filters = append(filters, mirror(f.RequestMirror, find))
		case f.CORS != nil:
			filters = append(filters, cors(f.CORS))
		}
	}
	return filters
}

// headerChange returns what a modifier does: sets, then adds, then removes.
func headerChange(m *gatewayv1.HTTPHeaderFilter) func(http.Header) {
	return func(h http.Header) {
		for _, set := range m.Set {
			h.Set(string(set.Name), set.Value)
		}
		for _, add := range m.Add {
			h.Add(string(add.Name), add.Value)
		}
		for _, name := range m.Remove {
			h.Del(name)
		}
	}
}

func requestHeaders(change func(http.Header)) filter {
	return func(x *exchange) bool {
		change(x.request.Header)
		return false
	}
}

func responseHeaders(change func(http.Header)) filter {
	return func(x *exchange) bool {
		x.response = append(x.response, change)
		return false
	}
}

// rewrite changes the host name and the path before the backend sees them.
func rewrite(f *gatewayv1.HTTPURLRewriteFilter) filter {
	return func(x *exchange) bool {
		if f.Hostname != nil {
			x.request.Host = string(*f.Hostname)
		}
		if f.Path != nil {
			setPath(x.request, x.path(f.Path))
		}
		return false
	}
}

// path returns the path that a modifier makes of the request's.
func (x *exchange) path(m *gatewayv1.HTTPPathModifier) string {
	switch {
	case m.Type == gatewayv1.FullPathHTTPPathModifier && m.ReplaceFullPath != nil:
		return *m.ReplaceFullPath
	case m.Type == gatewayv1.PrefixMatchHTTPPathModifier && m.ReplacePrefixMatch != nil:
		if prefix, ok := x.match.Prefix(); ok {
			return replacePrefix(x.incoming.URL.EscapedPath(), prefix, *m.ReplacePrefixMatch)
		}
	}
	return x.incoming.URL.EscapedPath()
}

// replacePrefix replaces whole elements of a path, by the table of the
// specification: neither doubles nor drops the slash between what comes and
// what stays.
func replacePrefix(path, prefix, by string) string {
	rest := strings.TrimPrefix(path, prefix)
	if rest == "" {
		if by == "" {
			return "/"
		}
		return by
	}
	return strings.TrimSuffix(by, "/") + rest
}

// setPath gives a request another path, and keeps its query.
func setPath(r *http.Request, escaped string) {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		path = escaped
	}
	u := *r.URL
	u.Path, u.RawPath = path, escaped
	r.URL = &u
	r.RequestURI = u.RequestURI()
}
