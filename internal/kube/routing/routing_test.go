package routing

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec, hostnames.
func TestHostsMeet(t *testing.T) {
	for _, c := range []struct {
		listener, route string
		want            []string
	}{
		{"", "a.example.org", []string{"a.example.org"}},
		{"a.example.org", "", []string{"a.example.org"}},
		{"a.example.org", "A.example.org", []string{"a.example.org"}},
		{"*.example.org", "a.example.org", []string{"a.example.org"}},
		{"*.example.org", "a.b.example.org", []string{"a.b.example.org"}},
		{"*.example.org", "example.org", nil},
		{"*.example.org", "*.b.example.org", []string{"*.b.example.org"}},
		{"*.b.example.org", "*.example.org", []string{"*.b.example.org"}},
		{"a.example.org", "*.example.org", []string{"a.example.org"}},
		{"*.example.org", "a.example.com", nil},
		{"a.example.org", "b.example.org", nil},
	} {
		var route []gatewayv1.Hostname
		if c.route != "" {
			route = append(route, gatewayv1.Hostname(c.route))
		}
		got := Intersect(ptr.To(gatewayv1.Hostname(c.listener)), route)
		if diff := cmp.Diff(c.want, got); diff != "" || HostsMeet(c.listener, c.route) != (c.want != nil) {
			t.Errorf("listener %q and route %q meet in %v", c.listener, c.route, got)
		}
	}
}

func TestAllowedKinds(t *testing.T) {
	grpc := gatewayv1.Listener{Protocol: gatewayv1.HTTPSProtocolType, AllowedRoutes: &gatewayv1.AllowedRoutes{Kinds: []gatewayv1.RouteGroupKind{{Kind: "GRPCRoute"}, {Kind: "TCPRoute"}}}}
	if diff := cmp.Diff([]string{"GRPCRoute"}, AllowedKinds(grpc)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"HTTPRoute", "GRPCRoute"}, AllowedKinds(gatewayv1.Listener{Protocol: gatewayv1.HTTPProtocolType})); diff != "" {
		t.Error(diff)
	}
}

// The order is that of https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule.
func TestPrecedence(t *testing.T) {
	path := func(kind gatewayv1.PathMatchType, value string) *gatewayv1.HTTPPathMatch {
		return &gatewayv1.HTTPPathMatch{Type: &kind, Value: &value}
	}
	header := func(names ...string) (list []gatewayv1.HTTPHeaderMatch) {
		for _, name := range names {
			list = append(list, gatewayv1.HTTPHeaderMatch{Name: gatewayv1.HTTPHeaderName(name), Value: "1"})
		}
		return list
	}
	table := &Table[string]{}
	for i, c := range []struct {
		host, name string
		match      gatewayv1.HTTPRouteMatch
	}{
		{"", "all", gatewayv1.HTTPRouteMatch{}},
		{"*.example.org", "wild", gatewayv1.HTTPRouteMatch{}},
		{"*.a.example.org", "narrower", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchExact, "/only")}},
		{"a.example.org", "prefix", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p")}},
		{"a.example.org", "longer", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p/q")}},
		{"a.example.org", "exact", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchExact, "/p/q")}},
		{"a.example.org", "regex", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchRegularExpression, "/p/[0-9]+")}},
		{"a.example.org", "post", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p"), Method: ptr.To(gatewayv1.HTTPMethodPost)}},
		{"a.example.org", "one", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p"), Headers: header("One")}},
		{"a.example.org", "two", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p"), Headers: header("One", "Two")}},
		{"a.example.org", "query", gatewayv1.HTTPRouteMatch{Path: path(gatewayv1.PathMatchPathPrefix, "/p"), QueryParams: []gatewayv1.HTTPQueryParamMatch{{Name: "q", Value: "1"}}}},
	} {
		match, err := Compile(c.match)
		if err != nil {
			t.Fatal(err)
		}
		table.Add(c.host, match, &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: "r"}}, i, c.name)
	}
	table.Sort()
	for _, c := range []struct{ method, host, path, headers, want string }{
		{"GET", "a.example.org", "/p", "", "prefix"},
		{"GET", "a.example.org", "/p/", "", "prefix"},
		{"GET", "a.example.org", "/pq", "", ""},
		{"GET", "a.example.org", "/p/q", "", "exact"},
		{"GET", "a.example.org", "/p/q/r", "", "longer"},
		{"GET", "a.example.org", "/p/7", "", "regex"},
		{"GET", "a.example.org", "/p/7x", "", "prefix"},
		{"POST", "a.example.org", "/p/x", "12", "post"},
		{"GET", "a.example.org", "/p/x", "1", "one"},
		{"GET", "a.example.org", "/p/x", "12", "two"},
		{"GET", "a.example.org", "/p/x?q=1", "", "query"},
		{"GET", "a.example.org", "/p/x?q=2", "", "prefix"},
		{"GET", "a.example.org:8443", "/p", "", "prefix"},
		{"GET", "b.example.org", "/", "", "wild"},
		{"GET", "b.a.example.org", "/only", "", "narrower"},
		{"GET", "b.a.example.org", "/", "", ""},
		{"GET", "elsewhere.org", "/", "", "all"},
	} {
		r := httptest.NewRequest(c.method, c.path, http.NoBody)
		for _, h := range c.headers {
			r.Header.Set(map[rune]string{'1': "One", '2': "Two"}[h], "1")
		}
		if got, _, _ := table.Find(HostOf(c.host), r); got != c.want {
			t.Errorf("%s %s%s %s follows %q, want %q", c.method, c.host, c.path, c.headers, got, c.want)
		}
	}
}

func TestMethodsOfGRPC(t *testing.T) {
	method := func(kind gatewayv1.GRPCMethodMatchType, service, name string) gatewayv1.GRPCRouteMatch {
		m := &gatewayv1.GRPCMethodMatch{Type: &kind}
		if service != "" {
			m.Service = &service
		}
		if name != "" {
			m.Method = &name
		}
		return gatewayv1.GRPCRouteMatch{Method: m}
	}
	for _, c := range []struct {
		match gatewayv1.GRPCRouteMatch
		path  string
		want  bool
	}{
		{method(gatewayv1.GRPCMethodMatchExact, "a.B", "C"), "/a.B/C", true},
		{method(gatewayv1.GRPCMethodMatchExact, "a.B", "C"), "/aXB/C", false},
		{method(gatewayv1.GRPCMethodMatchExact, "a.B", ""), "/a.B/D", true},
		{method(gatewayv1.GRPCMethodMatchExact, "", "C"), "/x.Y/C", true},
		{method(gatewayv1.GRPCMethodMatchExact, "", "C"), "/x.Y/D", false},
		{method(gatewayv1.GRPCMethodMatchRegularExpression, "a\\..+", "C|D"), "/a.B/D", true},
		{method(gatewayv1.GRPCMethodMatchRegularExpression, "a\\..+", "C|D"), "/b.B/D", false},
		{gatewayv1.GRPCRouteMatch{}, "/a.B/C", true},
	} {
		m, err := Compile(matchOf(c.match))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.matchesPath(c.path); got != c.want {
			t.Errorf("%+v takes %s: %v", c.match.Method, c.path, got)
		}
	}
}

func FuzzHostOf(f *testing.F) {
	for _, s := range []string{"a.example.org:443", "[::1]:80", "[::1]", "A.example.org.", ":", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, authority string) {
		_ = Matches("*.example.org", HostOf(authority))
	})
}

func FuzzCompile(f *testing.F) {
	f.Add("/a", "/a/b")
	f.Add("/[a-z]+", "/x")
	f.Fuzz(func(t *testing.T, value, path string) {
		for _, kind := range []gatewayv1.PathMatchType{gatewayv1.PathMatchExact, gatewayv1.PathMatchPathPrefix, gatewayv1.PathMatchRegularExpression} {
			if m, err := Compile(gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Type: &kind, Value: &value}}); err == nil {
				_ = m.matchesPath(path)
			}
		}
	})
}
