package routing

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var routeBackend = &rule.Rule{
	Name:     "route-backend",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every backend of a route is a Service that exists, with the port that the route names",
	Why: "A route to a Service that does not exist, or to a port that the Service does not have, is applied without complaint " +
		"and answers every request with an error.",
	Remedy: "Write the Service's own name and the port of the Service, not that of the container. A chart names its Services after " +
		"its release: with several of them NAME-KEY. In values of app-template, identifier takes the key and finds the name.",
	Section: "HTTPRoute Specification",
	Bad: `rules:
  - backendRefs:
      - name: immich # the Service is immich-server
        port: 80
`,
	Good: `rules:
  - backendRefs:
      - name: immich-server
        port: 2283
`,
	Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			n := newNetwork(c)
			for _, r := range n.routes {
				for at, b := range r.backends {
					n.checkBackend(p, r, at, b)
				}
			}
		}
	},
}

// elsewhere are groups whose objects something outside the cluster makes.
var elsewhere = []string{"multicluster.x-k8s.io", "net.gke.io"}

func (n *network) checkBackend(p *rule.Pass, r *route, at []string, b backendRef) {
	group, key := b.key(r.GetNamespace())
	if b.Name == "" || slices.Contains(elsewhere, group) {
		return
	}
	by, e := n.exists(r.Object, group, key)
	isService := group == "" && key.Kind == "Service"
	switch {
	case e == missing:
		n.reportBackend(p, r, at, group, key)
	case isService && b.Port == nil:
		at = append(at, "name")
		p.Report(rule.Finding{
			Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
			Message: fmt.Sprintf("the backend names no port of the %s: the Gateway API wants one, and requests would be answered with an error", key),
		})
	case isService && by != nil && by.GetKind() == "Service" && by.GroupVersionKind().Group == "":
		n.checkPort(p, r, at, *b.Port, by)
	}
}

func (n *network) reportBackend(p *rule.Pass, r *route, at []string, group string, key domain.Ref) {
	at = append(at, "name")
	finding := rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("nothing makes the %s: requests would be answered with an error", key),
	}
	var have []domain.Ref
	for _, o := range n.State.OfKind(group, key.Kind) {
		if o.GetNamespace() == key.Namespace {
			have = append(have, o.Ref)
		}
	}
	if meant, ok := nearest(key, have); ok {
		finding.Fix = "write name: " + meant.Name
	} else if near := sameRelease(r, have, n); near != "" {
		finding.Fix = "write name: " + near
	}
	p.Report(finding)
}

// sameRelease returns the Service of the route's own release, where it has
// exactly one.
func sameRelease(r *route, have []domain.Ref, n *network) string {
	found := ""
	for _, ref := range have {
		o := n.State.Find("", ref.Kind, ref.Namespace, ref.Name)
		if r.Release == nil || o == nil || o.Release != r.Release {
			continue
		}
		if found != "" {
			return ""
		}
		found = ref.Name
	}
	return found
}

// checkPort judges the port that a route names of a Service.
func (n *network) checkPort(p *rule.Pass, r *route, at []string, port int32, o *desired.Object) {
	var spec corev1.ServiceSpec
	if !decode(o.Object["spec"], &spec) || spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	var have []string
	for _, own := range spec.Ports {
		if own.Port == port {
			return
		}
		have = append(have, fmt.Sprint(own.Port))
	}
	where := r.place(append(at, "port")...)
	finding := rule.Finding{
		Place: where, Text: r.text(append(at, "port")...), Object: r.Ref,
		Message: fmt.Sprintf("the %s has no port %d: requests would be answered with an error", o.Ref, port),
	}
	if len(have) > 0 {
		finding.Fix = "write port: " + strings.Join(have, " or ")
	}
	p.Report(finding)
}
