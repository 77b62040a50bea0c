// Package trace follows a request to an application through a cluster, step by
// step, and says where it arrives or why it ends: DNS, gateway, listener,
// route, service, endpoints, pod.
//
// It promises to read only, and to speak of the objects that the cluster has:
// their own controllers' conditions where there are some, and the Gateway API's
// rules where a step has none. It works on any cluster. On the gateways of a
// rehearsal, which listen on this machine, it also makes the request.
package trace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/routing"
)

// Request is what to follow.
type Request struct {
	// URL has a scheme, http or https, and a host.
	URL *url.URL
	// Method is GET where it is empty.
	Method string
	Header http.Header
	// Server is the address, host:port, of a DNS server to ask; without one the
	// cluster's objects tell what records there should be.
	Server string
	// SomeZones says that Server answers for some zones only: what it refuses to
	// answer is taken as if it had not been asked.
	SomeZones bool
	// Gateway is the one to follow, as name or namespace/name, instead of the one
	// that DNS or the routes lead to.
	Gateway string
}

// ParseURL reads HOST[:PORT][/PATH], with or without a scheme; the default is
// https.
func ParseURL(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is no URL such as photos.example.org/api: %w", text, err)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: the scheme is http or https, not %s", text, u.Scheme)
	case u.Hostname() == "" || u.User != nil:
		return nil, fmt.Errorf("%q is not of the form HOST[/PATH]", text)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// The steps of a trace, in their order.
const (
	StepDNS       = "dns"
	StepGateway   = "gateway"
	StepListener  = "listener"
	StepRoute     = "route"
	StepRule      = "rule"
	StepService   = "service"
	StepEndpoints = "endpoints"
	StepPod       = "pod"
	StepAnswer    = "answer"
)

// Step is one of a trace.
type Step struct {
	Step string `json:"step"`
	// Subject is the object that the step is about, such as
	// "Gateway network/internal", or what else it is.
	Subject string `json:"subject,omitempty"`
	OK      bool   `json:"ok"`
	// Says tells what was found, or why it ends here.
	Says string `json:"says"`
}

// Report is how far a request comes.
type Report struct {
	URL   string `json:"url"`
	Steps []Step `json:"steps"`
	// Arrived says that every step leads on.
	Arrived bool `json:"arrived"`
	// Curl makes the same request from this machine, where it can be made.
	Curl string `json:"curl,omitempty"`
}

// walk is a trace under way.
type walk struct {
	Request
	Report
	judge routing.Judge
	host  string
}

// Follow follows a request. An error says that the cluster could not be read;
// a request that does not arrive is none.
func Follow(ctx context.Context, reader client.Reader, q Request) (*Report, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	w := &walk{Request: q, judge: routing.Judge{Reader: reader}, host: routing.HostOf(q.URL.Host)}
	w.Report.URL = q.URL.String()
	if err := w.follow(ctx); err != nil {
		return nil, err
	}
	return &w.Report, nil
}

// follow walks the steps until one ends it.
func (w *walk) follow(ctx context.Context) error {
	addresses, ok, err := w.resolve(ctx)
	if err != nil || !ok {
		return err
	}
	gateway, routes, err := w.enter(ctx, addresses)
	if err != nil || gateway == nil {
		return err
	}
	listener, ok := w.listen(gateway)
	if !ok {
		return nil
	}
	rule, ok, err := w.choose(ctx, gateway, listener, routes)
	if err != nil || !ok {
		return err
	}
	if !answers(rule) {
		if arrived, err := w.deliver(ctx, rule); err != nil || !arrived {
			return err
		}
	}
	w.Arrived = w.ask(ctx, gateway)
	return nil
}

// goesOn notes a step that leads on, ends one that does not.
func (w *walk) goesOn(step, subject, format string, args ...any) {
	w.Steps = append(w.Steps, Step{step, subject, true, fmt.Sprintf(format, args...)})
}

func (w *walk) ends(step, subject, format string, args ...any) {
	w.Steps = append(w.Steps, Step{step, subject, false, fmt.Sprintf(format, args...)})
}
