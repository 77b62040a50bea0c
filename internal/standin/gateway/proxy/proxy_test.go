package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// place is a backend whose endpoint says its name.
type place struct {
	name    string
	seen    atomic.Int64
	handler http.HandlerFunc
	empty   bool
}

func (p *place) Endpoint() Endpoint {
	if p.empty {
		return nil
	}
	return p
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.seen.Add(1)
	if p.handler != nil {
		p.handler(w, r)
		return
	}
	fmt.Fprintf(w, "%s %s%s %s", p.name, r.Host, r.RequestURI, r.Header.Get("X-Test"))
}

func (p *place) ServeConn(_ context.Context, conn net.Conn, encrypted bool) {
	defer conn.Close()
	fmt.Fprintf(conn, "%s %t\n", p.name, encrypted)
}

// scene is a gateway with one HTTP listener, whose rules are of one route.
func scene(t testing.TB, places map[string]*place, rules ...gatewayv1.HTTPRouteRule) (*Server, string) {
	t.Helper()
	s := &Server{}
	t.Cleanup(s.Close)
	return s, apply(t, s, places, rules...)
}

func apply(t testing.TB, s *Server, places map[string]*place, rules ...gatewayv1.HTTPRouteRule) string {
	t.Helper()
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "web"}, Spec: gatewayv1.HTTPRouteSpec{Rules: rules}}
	table := &routing.Table[*Rule]{}
	for _, rule := range routing.Rules(routing.Kinds()[0].Read(route)) {
		compiled := NewRule(rule, func(ref gatewayv1.BackendObjectReference) Backend {
			if p := places[string(ref.Name)]; p != nil {
				return p
			}
			return nil
		})
		for _, m := range rule.Matches {
			match, err := routing.Compile(m)
			if err != nil {
				t.Fatal(err)
			}
			table.Add("", match, route, rule.Index, compiled)
		}
	}
	table.Sort()
	err := s.Apply([]Gateway{{Name: "network/internal", Address: netip.MustParseAddr("203.0.113.7"), Listeners: []Listener{
		{Name: "http", Port: 8089, Protocol: HTTP, Rules: table, Streams: &routing.Table[*Choice]{}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return s.Mappings()[0].Loopback.String()
}

func to(names ...string) []gatewayv1.HTTPBackendRef {
	var refs []gatewayv1.HTTPBackendRef
	for _, name := range names {
		refs = append(refs, gatewayv1.HTTPBackendRef{BackendRef: gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(name), Port: ptr.To(gatewayv1.PortNumber(80))}}})
	}
	return refs
}

func prefix(path string) []gatewayv1.HTTPRouteMatch {
	return []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: ptr.To(gatewayv1.PathMatchPathPrefix), Value: &path}}}
}

func get(t testing.TB, url string) (int, http.Header, string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// The codes are those of https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref.
func TestAnswersOfTheGatewaysOwn(t *testing.T) {
	places := map[string]*place{"a": {name: "a"}, "empty": {empty: true}}
	_, at := scene(t, places,
		gatewayv1.HTTPRouteRule{Matches: prefix("/a"), BackendRefs: to("a")},
		gatewayv1.HTTPRouteRule{Matches: prefix("/none"), BackendRefs: to("none")},
		gatewayv1.HTTPRouteRule{Matches: prefix("/empty"), BackendRefs: to("empty")},
		gatewayv1.HTTPRouteRule{Matches: prefix("/nothing")},
	)
	for path, want := range map[string]int{
		"/a": 200, "/a/b": 200, "/ab": 404, "/": 404, "/none": 500, "/empty": 503, "/nothing": 500,
	} {
		if code, _, body := get(t, "http://"+at+path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
}

func TestRewriteAndRedirect(t *testing.T) {
	path := func(kind gatewayv1.HTTPPathModifierType, value string) *gatewayv1.HTTPPathModifier {
		if kind == gatewayv1.FullPathHTTPPathModifier {
			return &gatewayv1.HTTPPathModifier{Type: kind, ReplaceFullPath: &value}
		}
		return &gatewayv1.HTTPPathModifier{Type: kind, ReplacePrefixMatch: &value}
	}
	rewritten := func(at, by string) gatewayv1.HTTPRouteRule {
		return gatewayv1.HTTPRouteRule{Matches: prefix(at), BackendRefs: to("a"), Filters: []gatewayv1.HTTPRouteFilter{{
			Type:       gatewayv1.HTTPRouteFilterURLRewrite,
			URLRewrite: &gatewayv1.HTTPURLRewriteFilter{Hostname: ptr.To(gatewayv1.PreciseHostname("b.example.org")), Path: path(gatewayv1.PrefixMatchHTTPPathModifier, by)},
		}}}
	}
	_, at := scene(t, map[string]*place{"a": {name: "a"}},
		rewritten("/old", "/new"), rewritten("/strip", "/"), rewritten("/slash/", "/x/"),
		gatewayv1.HTTPRouteRule{Matches: prefix("/go"), Filters: []gatewayv1.HTTPRouteFilter{{
			Type: gatewayv1.HTTPRouteFilterRequestRedirect,
			RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{
				Scheme: ptr.To("https"), Hostname: ptr.To(gatewayv1.PreciseHostname("c.example.org")), StatusCode: ptr.To(301), Path: path(gatewayv1.FullPathHTTPPathModifier, "/there"),
			},
		}}},
	)
	// https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier, its table.
	for asked, want := range map[string]string{
		"/old/x?y=1": "a b.example.org/new/x?y=1 ", "/old": "a b.example.org/new ", "/strip/x": "a b.example.org/x ",
		"/strip": "a b.example.org/ ", "/slash/y": "a b.example.org/x/y ", "/old/%2Fx": "a b.example.org/new/%2Fx ",
	} {
		if _, _, got := get(t, "http://"+at+asked); got != want {
			t.Errorf("%s: %q, want %q", asked, got, want)
		}
	}
	code, header, _ := get(t, "http://"+at+"/go/away?now=1")
	if want := "https://c.example.org/there?now=1"; code != 301 || header.Get("Location") != want {
		t.Errorf("%d to %q, want %q", code, header.Get("Location"), want)
	}
}

func TestWeightsAreKept(t *testing.T) {
	places := map[string]*place{"a": {name: "a"}, "b": {name: "b"}, "c": {name: "c"}}
	refs := to("a", "b", "c")
	refs[0].Weight, refs[1].Weight, refs[2].Weight = ptr.To[int32](70), ptr.To[int32](30), ptr.To[int32](0)
	_, at := scene(t, places, gatewayv1.HTTPRouteRule{BackendRefs: refs})
	for range 200 {
		get(t, "http://"+at+"/")
	}
	if a, b, c := places["a"].seen.Load(), places["b"].seen.Load(), places["c"].seen.Load(); a != 140 || b != 60 || c != 0 {
		t.Errorf("of 200 requests %d, %d and %d went to backends of the weights 70, 30 and 0", a, b, c)
	}
}

func TestTimeoutsAndRetries(t *testing.T) {
	slow := &place{handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
	flaky := &place{}
	flaky.handler = func(w http.ResponseWriter, _ *http.Request) {
		if flaky.seen.Load() < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	broken := &place{handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }}
	again := &gatewayv1.HTTPRouteRetry{Attempts: ptr.To(2), Codes: []gatewayv1.HTTPRouteRetryStatusCode{503}, Backoff: ptr.To(gatewayv1.Duration("1ms"))}
	_, at := scene(t, map[string]*place{"slow": slow, "flaky": flaky, "broken": broken},
		gatewayv1.HTTPRouteRule{Matches: prefix("/slow"), BackendRefs: to("slow"), Timeouts: &gatewayv1.HTTPRouteTimeouts{Request: ptr.To(gatewayv1.Duration("20ms"))}},
		gatewayv1.HTTPRouteRule{Matches: prefix("/try"), BackendRefs: to("slow"), Timeouts: &gatewayv1.HTTPRouteTimeouts{BackendRequest: ptr.To(gatewayv1.Duration("5ms"))}, Retry: again},
		gatewayv1.HTTPRouteRule{Matches: prefix("/flaky"), BackendRefs: to("flaky"), Retry: again},
		gatewayv1.HTTPRouteRule{Matches: prefix("/broken"), BackendRefs: to("broken"), Retry: again},
	)
	if code, _, _ := get(t, "http://"+at+"/slow"); code != 504 || slow.seen.Load() != 1 {
		t.Errorf("a backend that is too slow: %d after %d tries", code, slow.seen.Load())
	}
	if code, _, _ := get(t, "http://"+at+"/try"); code != 504 || slow.seen.Load() != 4 {
		t.Errorf("a backend that is too slow thrice: %d after %d tries", code, slow.seen.Load()-1)
	}
	if code, _, _ := get(t, "http://"+at+"/flaky"); code != 200 || flaky.seen.Load() != 3 {
		t.Errorf("a backend that fails twice: %d after %d tries", code, flaky.seen.Load())
	}
	if code, _, _ := get(t, "http://"+at+"/broken"); code != 503 || broken.seen.Load() != 3 {
		t.Errorf("a backend that fails always: %d after %d tries", code, broken.seen.Load())
	}
}

func TestMirrorGetsACopy(t *testing.T) {
	copies := make(chan string, 1)
	mirror := &place{handler: func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		copies <- string(body)
	}}
	original := &place{handler: func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }}
	_, at := scene(t, map[string]*place{"a": original, "mirror": mirror}, gatewayv1.HTTPRouteRule{BackendRefs: to("a"), Filters: []gatewayv1.HTTPRouteFilter{{
		Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: to("mirror")[0].BackendObjectReference},
	}}})
	response, err := http.Post("http://"+at+"/", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "hello" {
		t.Errorf("the original is %q", body)
	}
	if got := <-copies; got != "hello" {
		t.Errorf("the copy is %q", got)
	}
}

// TestNoRequestIsDropped changes the setting again and again while clients ask.
func TestNoRequestIsDropped(t *testing.T) {
	places := map[string]*place{"a": {name: "a"}, "b": {name: "b"}}
	s, at := scene(t, places, gatewayv1.HTTPRouteRule{BackendRefs: to("a")})
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				response, err := client.Get("http://" + at + "/")
				if err != nil {
					t.Errorf("a request is dropped: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("a request is answered %s", response.Status)
				}
			}
		})
	}
	for i := range 200 {
		apply(t, s, places, gatewayv1.HTTPRouteRule{BackendRefs: to([]string{"a", "b"}[i%2])})
	}
	close(done)
	clients.Wait()
}

func TestPortsAreClosed(t *testing.T) {
	s, at := scene(t, map[string]*place{"a": {name: "a"}}, gatewayv1.HTTPRouteRule{BackendRefs: to("a")})
	get(t, "http://"+at+"/")
	if err := s.Apply(nil); err != nil || len(s.Mappings()) != 0 {
		t.Fatalf("no gateway, and yet %v, %v", s.Mappings(), err)
	}
	if conn, err := net.DialTimeout("tcp", at, 5*time.Second); err == nil {
		conn.Close()
		t.Error("a gateway that is gone still answers")
	}
}

// TestNamesWithinTLS leads connections by the name that they ask for.
func TestNamesWithinTLS(t *testing.T) {
	choice := func(name string) *routing.Table[*Choice] {
		table := &routing.Table[*Choice]{}
		table.Add("", routing.Everything, &gatewayv1.TLSRoute{}, 0, NewChoice([]Weighted{{Backend: &place{name: name}, Weight: 1}}))
		table.Sort()
		return table
	}
	s := &Server{}
	t.Cleanup(s.Close)
	if err := s.Apply([]Gateway{{Name: "network/internal", Address: netip.MustParseAddr("203.0.113.8"), Listeners: []Listener{
		{Name: "wide", Port: 8443, Protocol: Passthrough, Hostname: "*.example.org", Rules: &routing.Table[*Rule]{}, Streams: choice("wide")},
		{Name: "narrow", Port: 8443, Protocol: Passthrough, Hostname: "a.example.org", Rules: &routing.Table[*Rule]{}, Streams: choice("narrow")},
	}}}); err != nil {
		t.Fatal(err)
	}
	at := s.Mappings()[0].Loopback.String()
	for name, want := range map[string]string{"a.example.org": "narrow true\n", "b.example.org": "wide true\n", "c.example.com": ""} {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		var answer strings.Builder
		client := tls.Client(&heard{conn, &answer}, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12})
		_ = client.HandshakeContext(t.Context()) // the endpoint speaks no TLS
		_, _ = io.Copy(&answer, conn)
		conn.Close()
		if answer.String() != want {
			t.Errorf("%s: %q, want %q", name, answer.String(), want)
		}
	}
}

// heard notes what is read from a connection.
type heard struct {
	net.Conn
	text *strings.Builder
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.text.Write(b[:n])
	return n, err
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]string{"10.11.1.21": "127.11.1.21", "192.168.0.9": "127.168.0.9", "2001:db8::102:3": "127.2.0.3"} {
		if got := Loopback(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func FuzzServerName(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, hello []byte) {
		client, server := net.Pipe()
		go func() {
			_, _ = client.Write(hello)
			client.Close()
		}()
		_, again, _ := serverName(server)
		read, _ := io.ReadAll(again)
		if !strings.HasPrefix(string(hello), string(read)) {
			t.Errorf("%q is read again as %q", hello, read)
		}
	})
}
