package routing

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Table leads requests to the rules of a listener's routes. T is what a rule is
// to whoever asks. After Sort it does not change, and may be used concurrently.
type Table[T any] struct {
	hosts map[string][]entry[T]
	wild  []string // host names that are no exact ones, by precedence
}

type entry[T any] struct {
	match *Match
	route client.Object
	rule  int
	value T
}

// Add lets requests for a host name that meet the match follow a rule of a route.
func (t *Table[T]) Add(host string, m *Match, route client.Object, rule int, value T) {
	if t.hosts == nil {
		t.hosts = map[string][]entry[T]{}
	}
	t.hosts[host] = append(t.hosts[host], entry[T]{m, route, rule, value})
}

// Sort brings all rules into the order of the specification: by the precedence
// of their matches, then the oldest route, then its name, then their order in
// the route.
func (t *Table[T]) Sort() {
	t.wild = nil
	for host, entries := range t.hosts {
		if host == "" || host[0] == '*' {
			t.wild = append(t.wild, host)
		}
		slices.SortStableFunc(entries, func(a, b entry[T]) int {
			if d := a.match.compare(b.match); d != 0 {
				return d
			}
			if d := Older(a.route, b.route); d != 0 {
				return d
			}
			return a.rule - b.rule
		})
	}
	slices.SortFunc(t.wild, CompareHosts)
}

// Older orders objects by their age, then by their names.
func Older(a, b client.Object) int {
	return cmp.Or(
		a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time),
		strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName()),
	)
}

// Find returns the rule that a request follows. The rules of the most specific
// host name that stands for the request's are asked, and no others, as in the
// proxies that homelabs run.
func (t *Table[T]) Find(host string, r *http.Request) (value T, m *Match, ok bool) {
	var query url.Values
	for _, e := range t.entries(host) {
		if e.match.Matches(r, &query) {
			return e.value, e.match, true
		}
	}
	return value, nil, false
}

// Serves reports whether there are rules for a host name at all.
func (t *Table[T]) Serves(host string) bool { return len(t.entries(host)) > 0 }

func (t *Table[T]) entries(host string) []entry[T] {
	if entries, ok := t.hosts[host]; ok {
		return entries
	}
	for _, pattern := range t.wild {
		if Matches(pattern, host) {
			return t.hosts[pattern]
		}
	}
	return nil
}

// HostOf returns the host name of a request's authority: in lower case, without
// a port and without a dot at its end.
func HostOf(authority string) string {
	host := authority
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}
