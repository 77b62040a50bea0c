package onepassword

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	type dependency struct {
		Service string `json:"service"`
		Status  string `json:"status"`
		Message string `json:"message,omitempty"`
	}
	s.mu.RLock()
	vaults := len(s.vaults)
	s.mu.RUnlock()
	reply(w, struct {
		Name         string       `json:"name"`
		Version      string       `json:"version"`
		Dependencies []dependency `json:"dependencies"`
	}{"1Password Connect API", connectVersion, []dependency{
		{"vaults", "ACTIVE", fmt.Sprintf("%d vaults", vaults)},
	}})
}

// requestCounts counts requests by route and status.
type requestCounts struct {
	mu sync.Mutex
	n  map[routeStatus]int
}

type routeStatus struct {
	route  string
	status int
}

func (c *requestCounts) add(route string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[routeStatus]int{}
	}
	c.n[routeStatus{route, status}]++
}

// metrics writes the counts in the text format of Prometheus.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	s.counts.mu.Lock()
	keys := make([]routeStatus, 0, len(s.counts.n))
	for key := range s.counts.n {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b routeStatus) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.status, b.status))
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(w, "# HELP op_connect_http_requests_total Requests answered.\n# TYPE op_connect_http_requests_total counter\n")
	for _, key := range keys {
		fmt.Fprintf(w, "op_connect_http_requests_total{route=%q,status=\"%d\"} %d\n", key.route, key.status, s.counts.n[key])
	}
	s.counts.mu.Unlock()
}
