package scaffold

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// routeExample is a route as values write it.
type routeExample struct {
	key         string
	name        string // of its release
	hostnames   []string
	parents     []*yaml.Node
	annotations *yaml.Node
}

// routeExamples are the routes in the values of the default chart.
func (b *builder) routeExamples() []routeExample {
	var list []routeExample
	for _, w := range b.writtenExamples() {
		routes := w.at("spec", "values", "route")
		for _, key := range fieldNames(routes) {
			entry := resolve(get(routes, key))
			e := routeExample{key: key, name: w.name, annotations: get(entry, "annotations")}
			for _, h := range content(get(entry, "hostnames")) {
				e.hostnames = append(e.hostnames, resolve(h).Value)
			}
			for _, p := range content(get(entry, "parentRefs")) {
				e.parents = append(e.parents, resolve(p))
			}
			list = append(list, e)
		}
	}
	return list
}

func content(n *yaml.Node) []*yaml.Node {
	if n = resolve(n); n == nil {
		return nil
	}
	return n.Content
}

func resolve(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// parentTo returns the route's reference to a gateway, or nil.
func (e routeExample) parentTo(g *desired.Object) *yaml.Node {
	for _, p := range e.parents {
		if name := get(p, "name"); name != nil && name.Value == g.GetName() {
			return p
		}
	}
	return nil
}

// gateway is the one that serves the wanted exposure: of several, the one that
// most routes attach to. It is nil where no gateway does.
func (b *builder) gateway() *desired.Object {
	if !b.exposed() {
		return nil
	}
	var best *desired.Object
	uses := -1
	for _, g := range b.state.OfKind(gatewayGroup, "Gateway") {
		declared, known := b.config.Gateways[g.GetNamespace()+"/"+g.GetName()]
		if !known {
			declared = b.config.Gateways[g.GetName()]
		}
		if domain.Exposure(declared.Exposure) != b.Expose {
			continue
		}
		if n := b.usesOf(g); n > uses {
			best, uses = g, n
		}
	}
	return best
}

func (b *builder) usesOf(g *desired.Object) int {
	n := 0
	for _, e := range b.routeExamples() {
		if e.parentTo(g) != nil {
			n++
		}
	}
	return n
}

// noGateway says that no gateway serves the wanted exposure.
func (b *builder) noGateway() error {
	var names []string
	for _, g := range b.state.OfKind(gatewayGroup, "Gateway") {
		names = append(names, g.GetNamespace()+"/"+g.GetName())
	}
	if len(names) == 0 {
		return b.lacks("--expose", "a Gateway")
	}
	return fmt.Errorf("none of the gateways %s of cluster %s is known to be %s: say so in .hearth.yaml, as gateways: {NAME: {exposure: %s}}",
		strings.Join(names, ", "), b.state.Cluster.Name, b.Expose, b.Expose)
}

// route makes the route of the values.
func (b *builder) route() (*yaml.Node, error) {
	g := b.gateway()
	host, err := b.host(true)
	if err != nil {
		return nil, err
	}
	var keys, sections tally
	annotations := map[string]*tally{}
	var attached []routeExample
	for _, e := range b.routeExamples() {
		if e.parentTo(g) != nil {
			attached = append(attached, e)
		}
	}
	for _, e := range attached {
		keys.addText(b.plainKey(e.key), e.name, "")
		sections.add(get(e.parentTo(g), "sectionName"), "", "")
		for _, name := range fieldNames(e.annotations) {
			annotations[name] = &tally{}
		}
	}
	common := fields()
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		for _, e := range attached {
			annotations[name].add(get(e.annotations, name), e.name, "")
		}
		set(common, name, annotations[name].most(b.Name, b.Namespace))
	}
	section := sections.most("", "")
	if len(attached) == 0 {
		section = nodeOf(b.httpsListener(g))
	}
	parent := fields("name", g.GetName(), "namespace", g.GetNamespace(), "sectionName", section)
	key := keys.commonestText(b.Name, "", b.Name)
	return fields(key, fields("annotations", common, "hostnames", []string{host}, "parentRefs", []*yaml.Node{parent})), nil
}

// httpsListener is the name of a gateway's listener over TLS, where it has one.
func (b *builder) httpsListener(g *desired.Object) string {
	spec, _ := g.Object["spec"].(map[string]any)
	listeners, _ := spec["listeners"].([]any)
	for _, item := range listeners {
		listener, _ := item.(map[string]any)
		if name, _ := listener["name"].(string); listener["protocol"] == "HTTPS" {
			return name
		}
	}
	return ""
}

// template is what Helm fills in.
var template = regexp.MustCompile(`\{\{[^}]*\}\}`)

// releaseName is the template by which values name their release.
const releaseName = "{{ .Release.Name }}"

// host is the hostname: as it is asked for, or like those of the other
// applications. A template is only understood by values.
func (b *builder) host(inValues bool) (string, error) {
	if strings.Contains(b.Host, ".") {
		return b.Host, nil
	}
	var domains, own, other tally
	templated, plain := 0, 0
	g := b.gateway()
	for _, e := range b.routeExamples() {
		for _, h := range e.hostnames {
			_, domain, ok := strings.Cut(template.ReplaceAllString(h, "x"), ".")
			if !ok {
				continue
			}
			other.addText(domain, "", "")
			if g != nil && e.parentTo(g) != nil {
				own.addText(domain, "", "")
			}
			if strings.HasPrefix(h, releaseName+".") {
				templated++
			} else {
				plain++
			}
		}
	}
	if domains = own; len(own.counts) == 0 {
		domains = other
	}
	domain := domains.commonestText("", "", "")
	if domain == "" {
		return "", fmt.Errorf("no application of cluster %s tells its domain: give the full name with --host", b.state.Cluster.Name)
	}
	label := cmp.Or(b.Host, b.Name)
	if b.Host == "" && inValues && templated > plain {
		label = releaseName
	}
	return label + "." + domain, nil
}
