package graph

import (
	"cmp"

	"hearth/internal/render/desired"
)

// waitedFor are the classes whose health Flux and Helm wait for.
var waitedFor = map[Class]bool{
	ClassKustomization: true, ClassRelease: true, ClassExternalSecret: true, ClassStore: true, ClassDatabase: true,
	ClassWorkload: true, ClassGateway: true, ClassCertificate: true, ClassSource: true, ClassStorage: true,
}

// kustomization adds what a Kustomization waits for once it has applied its
// objects, and whose definitions it needs to apply them.
func (w *weaver) kustomization(k *desired.Kustomization) {
	n := w.object(k.Object)
	for _, o := range k.Objects {
		at := w.object(o)
		if k.Spec.Wait && waitedFor[at.Class] {
			w.link(Edge{From: n, To: at, Kind: EdgeHealth, Why: "waits for the health of", Hard: true, object: k.Object, path: []string{"spec", "wait"}})
		}
		w.definitions(n, k, o)
	}
}

// release adds what a release is made of: its chart, what its chart's values
// name where the chart is not at hand, and the workloads that Helm waits for.
func (w *weaver) release(r *desired.Release) {
	if r.Object == nil {
		return
	}
	n := w.object(r.Object)
	if r.ChartName != "" {
		name := r.ChartURL
		if name == "" || chartIsBelow(r) {
			name += "/" + r.ChartName
		}
		if r.ChartVersion != "" {
			name += "@" + r.ChartVersion
		}
		w.link(Edge{From: n, To: w.pseudo(ClassChart, KindChart, name), Kind: EdgeChart, Why: "installs", Hard: true, fromStart: true})
	}
	for _, o := range r.Objects {
		if at := w.object(o); at.Class == ClassWorkload && at.Object == o && helmWaits(r) {
			w.link(Edge{From: n, To: at, Kind: EdgeHealth, Why: "waits for", Hard: true})
		}
		w.definitions(n, r.Object.Kustomization, o)
	}
	if !isFaithful(r) {
		for _, reference := range ValueReferences(r) {
			w.reference(n, r.Object, reference)
		}
		w.imagesIn(n, r)
	}
}

// chartIsBelow reports whether a chart's URL is that of a repository.
func chartIsBelow(r *desired.Release) bool {
	return r.Source != nil && r.Source.GetKind() == "HelmRepository" && !isOCI(r.ChartURL)
}

func isOCI(url string) bool { return len(url) > 6 && url[:6] == "oci://" }

func helmWaits(r *desired.Release) bool {
	return r.Spec.Install == nil || !r.Spec.Install.DisableWait
}

// definitions links what applies an object of a custom kind to who brings the
// definition, unless bootstrap does, or it brings it itself.
func (w *weaver) definitions(n *Node, own *desired.Kustomization, o *desired.Object) {
	k := kindOf(o)
	if !isCustom(k.group) || isFluxGroup(k.group) {
		return
	}
	bringers := w.Brings(k.group, k.name)
	if len(bringers) == 0 || bringers[0].Bootstrap {
		return
	}
	for _, b := range bringers {
		if b.Kustomization == own && (b.Release == nil || b.Release.Object == n.Object) {
			return
		}
	}
	w.crd(n, bringers[0], "needs the definitions of", true)
}

// ValueReferences returns what the values of a release name by the conventions
// of charts: secretKeyRef, envFrom, existingSecret, existingClaim and the like.
// It is meant for releases whose chart is not at hand; paths lead into the
// HelmRelease.
func ValueReferences(r *desired.Release) []Reference {
	values := map[string]any(r.Values)
	c := &collector{field: field{value: values, path: []string{"spec", "values"}}, namespace: cmp.Or(r.ReleaseNamespace, r.Namespace)}
	c.conventions(c.field)
	c.existing(c.field, maxDepth)
	return c.refs
}

// existing adds what values name as something that exists already.
func (c *collector) existing(f field, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		c.existing(item, depth-1)
	}
	for name, value := range f.entries() {
		switch name {
		case "existingSecret", "existingSecretName":
			c.name(value, secretKind, "takes credentials from")
		case "existingClaim":
			c.name(value, claimKind, "mounts")
		case "existingConfigMap", "existingConfigmap":
			c.name(value, configMapKind, "takes configuration from")
		case "storageClassName", "storageClass":
			if s, isText := value.value.(string); isText && s != "-" {
				c.name(value, storageClassKind, "is provisioned by")
			}
		default:
			c.existing(value, depth-1)
		}
	}
}
