package templates

import (
	"slices"
	"strconv"
	"strings"

	"hearth/internal/render/desired"
)

// field is a text of an object that can hold no template.
type field struct {
	what string
	path []string
	text string
}

// hostFields lead to the hosts in the kinds that have some; "*" stands for
// every item of a list.
var hostFields = map[string][][]string{
	"HTTPRoute":   {{"spec", "hostnames", "*"}},
	"GRPCRoute":   {{"spec", "hostnames", "*"}},
	"TLSRoute":    {{"spec", "hostnames", "*"}},
	"Gateway":     {{"spec", "listeners", "*", "hostname"}},
	"Ingress":     {{"spec", "rules", "*", "host"}, {"spec", "tls", "*", "hosts", "*"}},
	"Certificate": {{"spec", "commonName"}, {"spec", "dnsNames", "*"}},
	"DNSEndpoint": {{"spec", "endpoints", "*", "dnsName"}},
}

// nameFields lead to further names that Flux gives.
var nameFields = map[string][][]string{
	"HelmRelease":   {{"spec", "releaseName"}},
	"Kustomization": {},
}

// fields returns the names and hosts of an object.
func fields(o *desired.Object) []field {
	var list []field
	add := func(what string, paths ...[]string) {
		for _, path := range paths {
			list = appendTexts(list, what, o.Object, path, nil)
		}
	}
	add("name", []string{"metadata", "name"})
	add("namespace", []string{"metadata", "namespace"})
	if extra, flux := nameFields[o.GetKind()]; flux && strings.HasSuffix(o.GroupVersionKind().Group, ".toolkit.fluxcd.io") {
		add("name", extra...)
		add("namespace", []string{"spec", "targetNamespace"})
	}
	add("host", hostFields[o.GetKind()]...)
	return list
}

// appendTexts adds the texts that a path leads to.
func appendTexts(list []field, what string, value any, path, done []string) []field {
	if len(path) == 0 {
		if text, ok := value.(string); ok {
			list = append(list, field{what, done, text})
		}
		return list
	}
	switch in := value.(type) {
	case map[string]any:
		return appendTexts(list, what, in[path[0]], path[1:], append(slices.Clip(done), path[0]))
	case []any:
		if path[0] != "*" {
			return list
		}
		for i, item := range in {
			list = appendTexts(list, what, item, path[1:], append(slices.Clip(done), strconv.Itoa(i)))
		}
	}
	return list
}

// hostValues returns the hosts of routes and ingresses in a release's values,
// where charts mostly keep them.
func hostValues(r *desired.Release) []field {
	var list []field
	var walk func(value any, path []string, routed bool)
	walk = func(value any, path []string, routed bool) {
		if len(path) > maxDepth {
			return
		}
		switch in := value.(type) {
		case map[string]any:
			for key, below := range in {
				walk(below, append(slices.Clip(path), key), routed || isRoute(key))
			}
		case []any:
			for i, item := range in {
				walk(item, append(slices.Clip(path), strconv.Itoa(i)), routed)
			}
		case string:
			if routed && isHost(path) {
				list = append(list, field{"host", path, in})
			}
		}
	}
	walk(r.Values, nil, false)
	slices.SortFunc(list, func(a, b field) int { return slices.Compare(a.path, b.path) })
	return list
}

// isRoute reports whether a value of that name holds routes or ingresses.
func isRoute(key string) bool {
	switch strings.ToLower(key) {
	case "route", "routes", "httproute", "httproutes", "ingress", "ingresses", "gateway":
		return true
	}
	return false
}

// isHost reports whether a path ends in a host, or in the list of them.
func isHost(path []string) bool {
	last := path[len(path)-1]
	if _, err := strconv.Atoi(last); err == nil && len(path) > 1 {
		last = path[len(path)-2]
	}
	switch last {
	case "host", "hosts", "hostname", "hostnames":
		return true
	}
	return false
}
