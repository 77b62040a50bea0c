package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/standin/gateway/echo"
)

// pods is a backend with one virtual pod.
type pods struct{ echo.Pod }

func (p *pods) Endpoint() Endpoint { return &p.Pod }

// BenchmarkProxy asks an echo through a gateway with 200 rules, and without one.
// Client, gateway and echo share the process. It reports the median of the time
// that a request takes, beside its mean.
func BenchmarkProxy(b *testing.B) {
	pod := &place{name: "web", handler: (&pods{echo.Pod{Namespace: "apps", Name: "web-0", Port: 8080}}).ServeHTTP}
	var rules []gatewayv1.HTTPRouteRule
	for _, path := range slices.Repeat([]string{"/api/other"}, 199) {
		rules = append(rules, gatewayv1.HTTPRouteRule{Matches: prefix(path), BackendRefs: to("web")})
	}
	rules = append(rules, gatewayv1.HTTPRouteRule{Matches: prefix("/"), BackendRefs: to("web")})
	_, at := scene(b, map[string]*place{"web": pod}, rules...)
	direct := httptest.NewServer(pod)
	defer direct.Close()
	for name, url := range map[string]string{"through": "http://" + at + "/x", "direct": direct.URL + "/x"} {
		b.Run(name, func(b *testing.B) { ask(b, url) })
	}
}

func ask(b *testing.B, url string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now()
		response, err := client.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
}

// BenchmarkProxyLoad asks from many clients at once, as fast as they can.
func BenchmarkProxyLoad(b *testing.B) {
	pod := &place{name: "web", handler: (&pods{echo.Pod{Namespace: "apps", Name: "web-0", Port: 8080}}).ServeHTTP}
	_, at := scene(b, map[string]*place{"web": pod}, gatewayv1.HTTPRouteRule{BackendRefs: to("web")})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.RunParallel(func(next *testing.PB) {
		for next.Next() {
			response, err := client.Get("http://" + at + "/x")
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
