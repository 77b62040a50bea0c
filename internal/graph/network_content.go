package graph

import (
	"regexp"
	"strings"

	"hearth/internal/render/desired"
)

// selects links a Service to the workloads whose pods answer it. One of many
// may fail without the Service failing.
func (w *weaver) selects(n *Node, o *desired.Object) {
	selector, _ := (field{value: o.Object}).at("spec", "selector").value.(map[string]any)
	if len(selector) == 0 {
		return
	}
	w.services = append(w.services, labelled{n, selector})
}

// answer links the Services to workloads, once all of them are known.
func (w *weaver) answer() {
	for _, s := range w.services {
		var found []*Node
		for _, p := range w.pods[s.node.Ref.Namespace] {
			if hasLabels(p.labels, s.labels) {
				found = append(found, p.node)
			}
		}
		if len(found) > 0 && s.node.Object.Release == nil {
			s.node.owner = found[0]
		}
		for _, pod := range found {
			w.link(Edge{From: s.node, To: pod, Kind: EdgeBackend, Why: "is answered by", Hard: len(found) == 1})
		}
	}
}

func hasLabels(labels, wanted map[string]any) bool {
	for name, value := range wanted {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// inCluster matches the names of Services in the cluster's DNS.
var inCluster = regexp.MustCompile(`\b([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.svc\b`)

// maxMentions bounds how many Services one object may mention.
const maxMentions = 64

// mentioned notes the Services that the content of an object names. Those of a
// Secret or a ConfigMap concern whoever reads it, not the object itself.
func (w *weaver) mentioned(n *Node, o *desired.Object) {
	f := field{value: o.Object}
	var from []field
	switch {
	case n.Class == ClassWorkload:
		from = []field{f.at(podPaths[kindOf(o)]...)}
	case n.kind() == secretKind:
		from = []field{f.at("stringData")}
	case n.kind() == configMapKind:
		from = []field{f.at("data")}
	case n.kind() == externalSecretKind:
		from = []field{f.at("spec", "target", "template")}
	case n.Class == ClassRelease && o == n.Object:
		if r := w.releases[o]; r != nil && !isFaithful(r) {
			from = []field{{value: map[string]any(r.Values), path: []string{"spec", "values"}}}
		}
	}
	c := &collector{namespace: o.GetNamespace()}
	for _, at := range from {
		c.inCluster(at, maxDepth)
	}
	if n.Class != ClassWorkload && n.Class != ClassRelease {
		w.hosts[n] = c.refs
		return
	}
	for _, r := range c.refs {
		w.reaches(n, o, r, "reaches")
	}
}

func (c *collector) inCluster(f field, depth int) {
	if depth == 0 || len(c.refs) >= maxMentions {
		return
	}
	if s, ok := f.value.(string); ok && strings.Contains(s, ".svc") {
		for _, m := range inCluster.FindAllStringSubmatch(s, maxMentions) {
			c.name(field{m[1], f.path}, serviceKind, "reaches", in(m[2]))
		}
	}
	for item := range f.items() {
		c.inCluster(item, depth-1)
	}
	for _, value := range f.entries() {
		c.inCluster(value, depth-1)
	}
}

// reaches links a node to a Service that it reaches by name. Without its
// database it does not work; what other Services are for nobody knows.
func (w *weaver) reaches(n *Node, o *desired.Object, r Reference, why string) {
	by, known := w.Provider(r.Group, r.Kind, r.Namespace, r.Name)
	if !known || by == nil {
		return
	}
	to := w.target(o, r)
	e := Edge{From: n, To: to, Kind: EdgeBackend, Why: why, object: o, path: r.Path}
	if w.object(by).Class == ClassDatabase {
		e.Kind, e.Hard = EdgeDatabase, true
	}
	w.link(e)
}

// throughContent links those that read a Secret or a ConfigMap to the Services
// that its content names.
func (w *weaver) throughContent() {
	makers := map[*Node]*Node{}
	for _, e := range w.edges {
		if e.Kind == EdgeSecret && e.To.Class == ClassExternalSecret {
			makers[e.From] = e.To
		}
	}
	for _, e := range w.edges[:len(w.edges):len(w.edges)] {
		if e.From.Class != ClassWorkload && e.From.Class != ClassRelease || e.Kind != EdgeSecret && e.Kind != EdgeConfig {
			continue
		}
		at := e.To
		if made := makers[at]; made != nil {
			at = made
		}
		for _, r := range w.hosts[at] {
			if at.Object != nil && e.From.Object != nil {
				w.reaches(e.From, at.Object, r, "reaches")
			}
		}
	}
}

// imagesOf links workloads and databases to the images that they run.
func (w *weaver) imagesOf(n *Node, o *desired.Object) {
	f := field{value: o.Object}
	switch {
	case n.Class == ClassWorkload:
		spec := f.at(podPaths[kindOf(o)]...)
		for _, list := range []string{"initContainers", "containers"} {
			for container := range spec.at(list).items() {
				w.image(n, o, container.at("image"))
			}
		}
	case n.Class == ClassDatabase:
		w.image(n, o, f.at("spec", "imageName"))
		w.image(n, o, f.at("spec", "image"))
	}
}

func (w *weaver) image(n *Node, o *desired.Object, f field) {
	if name := f.text(); name != "" && !w.State.Unknown(name) {
		w.link(Edge{From: n, To: w.pseudo(ClassImage, KindImage, name), Kind: EdgeImage, Why: "runs", Hard: true, object: o, path: f.path})
	}
}

// imagesIn links a release whose chart is not at hand to the images that its
// values name by a repository and a tag.
func (w *weaver) imagesIn(n *Node, r *desired.Release) {
	var visit func(f field, depth int)
	visit = func(f field, depth int) {
		if depth == 0 {
			return
		}
		for item := range f.items() {
			visit(item, depth-1)
		}
		for _, value := range f.entries() {
			repository, tag := value.at("repository").text(), value.at("tag").text()
			if repository == "" || tag == "" || strings.Contains(repository, "://") {
				visit(value, depth-1)
				continue
			}
			name := repository + ":" + tag
			if registry := value.at("registry").text(); registry != "" {
				name = registry + "/" + name
			}
			if digest := value.at("digest").text(); digest != "" {
				name += "@" + digest
			}
			w.image(n, r.Object, field{name, value.at("tag").path})
		}
	}
	visit(field{value: map[string]any(r.Values), path: []string{"spec", "values"}}, maxDepth)
}
