package routing

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// route is a route of any kind.
type route struct {
	*desired.Object
	parents   []gatewayv1.ParentReference
	hostnames []string
	rules     []routeRule
	// values leads to the part of the release's values that the route is made
	// of; nil where the route stands in Git, or where that is not clear.
	values []string
}

// routeRule is one rule of a route.
type routeRule struct {
	// Matches are those of HTTPRoutes and GRPCRoutes, as they are written.
	Matches     []map[string]any `json:"matches"`
	BackendRefs []backendRef     `json:"backendRefs"`
	Filters     []struct {
		RequestMirror struct {
			BackendRef backendRef `json:"backendRef"`
		} `json:"requestMirror"`
	} `json:"filters"`
}

// backendRef is a backend as a route names it.
type backendRef struct {
	Group     *string `json:"group"`
	Kind      *string `json:"kind"`
	Name      string  `json:"name"`
	Namespace string  `json:"namespace"`
	Port      *int32  `json:"port"`
}

// readRoute reads a route; nil where the API server would refuse its shape.
func readRoute(o *desired.Object) *route {
	var spec struct {
		ParentRefs []gatewayv1.ParentReference `json:"parentRefs"`
		Hostnames  []string                    `json:"hostnames"`
		Rules      []routeRule                 `json:"rules"`
	}
	if !decode(o.Object["spec"], &spec) {
		return nil
	}
	r := &route{Object: o, parents: spec.ParentRefs, hostnames: spec.Hostnames, rules: spec.Rules}
	if o.Release != nil {
		r.values = findRoute(o.Release.Values, nil, r, maxDepth)
	}
	return r
}

// maxDepth bounds how deep values are searched.
const maxDepth = 16

// findRoute returns the path of the values that a route is made of: a mapping
// whose parentRefs and hostnames say the same. Charts write them in many
// places, so they are told by what they hold. The route's own name decides
// between several.
func findRoute(values any, path []string, r *route, depth int) []string {
	if depth == 0 {
		return nil
	}
	switch in := values.(type) {
	case map[string]any:
		if r.madeOf(in) {
			return path
		}
		var found []string
		for _, key := range slices.Sorted(maps.Keys(in)) {
			below := findRoute(in[key], append(slices.Clip(path), key), r, depth-1)
			if below == nil {
				continue
			}
			if last := below[len(below)-1]; found == nil || strings.HasSuffix(r.GetName(), "-"+last) {
				found = below
			}
		}
		return found
	case []any:
		for i, item := range in {
			if below := findRoute(item, append(slices.Clip(path), index(i)), r, depth-1); below != nil {
				return below
			}
		}
	}
	return nil
}

// madeOf reports whether a part of the values says what the route says.
func (r *route) madeOf(values map[string]any) bool {
	parents, ok := values["parentRefs"].([]any)
	if !ok || len(parents) != len(r.parents) || len(parents) == 0 {
		return false
	}
	for i, item := range parents {
		parent, _ := item.(map[string]any)
		if !says(parent["name"], string(r.parents[i].Name)) {
			return false
		}
	}
	hostnames, _ := values["hostnames"].([]any)
	if len(hostnames) != len(r.hostnames) {
		return false
	}
	for i, item := range hostnames {
		if !says(item, r.hostnames[i]) {
			return false
		}
	}
	return true
}

// says reports whether a value may have become a text when it was rendered.
func says(value any, text string) bool {
	s, _ := value.(string)
	return s == text || strings.Contains(s, "{{")
}

// place returns where a field below the route's spec stands.
func (r *route) place(path ...string) domain.Place {
	if r.values != nil {
		return r.Release.ValuePlace(slices.Concat(r.values, path)...)
	}
	return r.Place(append([]string{"spec"}, path...)...)
}

// text returns a field below the route's spec as it is written, so that it can
// be pointed at; "" where it is not written.
func (r *route) text(path ...string) string {
	if r.values != nil {
		if _, node := r.Release.ValueNode(slices.Concat(r.values, path)...); node != nil {
			return node.Value
		}
		return ""
	}
	if r.Release != nil {
		return ""
	}
	if _, node := r.Node(append([]string{"spec"}, path...)...); node != nil {
		return node.Value
	}
	return ""
}

// backends yields all backends of the route with the path below its spec, those
// that requests are mirrored to among them.
func (r *route) backends(yield func([]string, backendRef) bool) {
	for i, rule := range r.rules {
		for j, b := range rule.BackendRefs {
			if !yield([]string{"rules", index(i), "backendRefs", index(j)}, b) {
				return
			}
		}
		for j, f := range rule.Filters {
			if b := f.RequestMirror.BackendRef; b.Name != "" && !yield([]string{"rules", index(i), "filters", index(j), "requestMirror", "backendRef"}, b) {
				return
			}
		}
	}
}

// key returns the name of what a backend leads to, and its group.
func (b backendRef) key(namespace string) (group string, key domain.Ref) {
	key = domain.Ref{Kind: "Service", Namespace: namespace, Name: b.Name}
	if b.Kind != nil {
		key.Kind = *b.Kind
	}
	if b.Namespace != "" {
		key.Namespace = b.Namespace
	}
	if b.Group != nil {
		group = *b.Group
	}
	return group, key
}

// index writes the position of an item as a step of a path.
func index(i int) string { return strconv.Itoa(i) }
