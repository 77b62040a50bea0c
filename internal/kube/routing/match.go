package routing

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Match is a compiled condition on a request.
type Match struct {
	path    string
	kind    gatewayv1.PathMatchType
	regex   *regexp.Regexp // of the path
	method  string
	headers []valueMatch
	query   []valueMatch
}

type valueMatch struct {
	name, value string
	regex       *regexp.Regexp
}

func (m valueMatch) matches(value string) bool {
	if m.regex != nil {
		return m.regex.MatchString(value)
	}
	return m.value == value
}

// everything is what a rule without matches stands for.
var everything = gatewayv1.HTTPRouteMatch{}

// Everything is the match that all requests meet.
var Everything = &Match{kind: gatewayv1.PathMatchPathPrefix}

// Compile compiles a match. An error says that a regular expression cannot be
// read.
func Compile(match gatewayv1.HTTPRouteMatch) (*Match, error) {
	m := &Match{kind: gatewayv1.PathMatchPathPrefix, path: "/"}
	if p := match.Path; p != nil {
		if p.Type != nil {
			m.kind = *p.Type
		}
		if p.Value != nil {
			m.path = *p.Value
		}
	}
	var err error
	switch m.kind {
	case gatewayv1.PathMatchRegularExpression:
		m.regex, err = whole(m.path)
	case gatewayv1.PathMatchPathPrefix:
		m.path = strings.TrimSuffix(m.path, "/")
	}
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", m.path, err)
	}
	if match.Method != nil {
		m.method = string(*match.Method)
	}
	for _, h := range match.Headers {
		v, err := compileValue(http.CanonicalHeaderKey(string(h.Name)), h.Value, h.Type != nil && *h.Type == gatewayv1.HeaderMatchRegularExpression)
		if err != nil {
			return nil, err
		}
		m.headers = addOnce(m.headers, v)
	}
	for _, q := range match.QueryParams {
		v, err := compileValue(string(q.Name), q.Value, q.Type != nil && *q.Type == gatewayv1.QueryParamMatchRegularExpression)
		if err != nil {
			return nil, err
		}
		m.query = addOnce(m.query, v)
	}
	return m, nil
}

// addOnce adds a condition; of several on the same name only the first counts.
func addOnce(list []valueMatch, v valueMatch) []valueMatch {
	for _, had := range list {
		if had.name == v.name {
			return list
		}
	}
	return append(list, v)
}

func compileValue(name, value string, isRegex bool) (valueMatch, error) {
	m := valueMatch{name: name, value: value}
	if !isRegex {
		return m, nil
	}
	var err error
	if m.regex, err = whole(value); err != nil {
		return m, fmt.Errorf("%s: %q: %w", name, value, err)
	}
	return m, nil
}

// whole compiles an expression that has to match all of a text.
func whole(expr string) (*regexp.Regexp, error) { return regexp.Compile("^(?:" + expr + ")$") }

// Matches reports whether a request meets the match. The query is parsed once
// at most.
func (m *Match) Matches(r *http.Request, query *url.Values) bool {
	if m.method != "" && m.method != r.Method || !m.matchesPath(r.URL.EscapedPath()) {
		return false
	}
	for _, h := range m.headers {
		values := r.Header[h.name]
		if len(values) == 0 || !h.matches(strings.Join(values, ",")) {
			return false
		}
	}
	if len(m.query) == 0 {
		return true
	}
	if *query == nil {
		*query = r.URL.Query()
	}
	for _, q := range m.query {
		values := (*query)[q.name]
		if len(values) == 0 || !q.matches(values[0]) {
			return false
		}
	}
	return true
}

func (m *Match) matchesPath(path string) bool {
	switch m.kind {
	case gatewayv1.PathMatchExact:
		return path == m.path
	case gatewayv1.PathMatchRegularExpression:
		return m.regex.MatchString(path)
	}
	rest, ok := strings.CutPrefix(path, m.path)
	return ok && (rest == "" || rest[0] == '/')
}

// Prefix returns the path prefix that the match asks for, without a slash at
// its end, which filters replace; ok is false for other matches.
func (m *Match) Prefix() (prefix string, ok bool) {
	return m.path, m.kind == gatewayv1.PathMatchPathPrefix
}

// compare orders matches by the specification's precedence: exact paths, then
// the longest ones, then a method, then the most headers, then the most query
// parameters. Regular expressions, whose place it leaves open, stand between
// exact paths and prefixes.
func (m *Match) compare(other *Match) int {
	for _, d := range [...]int{
		rank(m.kind) - rank(other.kind),
		len(other.path) - len(m.path),
		btoi(other.method != "") - btoi(m.method != ""),
		len(other.headers) - len(m.headers),
		len(other.query) - len(m.query),
	} {
		if d != 0 {
			return d
		}
	}
	return 0
}

func rank(kind gatewayv1.PathMatchType) int {
	switch kind {
	case gatewayv1.PathMatchExact:
		return 0
	case gatewayv1.PathMatchRegularExpression:
		return 1
	}
	return 2
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// String tells the match in words, such as "GET /api with 1 header".
func (m *Match) String() string {
	if m == Everything {
		return "everything"
	}
	text := m.path
	switch m.kind {
	case gatewayv1.PathMatchExact:
		text = "exactly " + text
	case gatewayv1.PathMatchRegularExpression:
		text = "paths like " + text
	default:
		text = "paths below " + text + "/"
	}
	if m.method != "" {
		text = m.method + " " + text
	}
	for _, h := range m.headers {
		text += ", header " + h.name
	}
	for _, q := range m.query {
		text += ", query " + q.name
	}
	return text
}
