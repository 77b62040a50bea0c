package order

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

var bootstrapOrder = &rule.Rule{
	Name:     "bootstrap-order",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Infrastructure waits for no later stage of the bootstrap, and for no application",
	Why: "A cluster comes up in stages: network, DNS, image cache, certificates, secrets, databases, routing, and then applications. " +
		"Infrastructure that waits for a later stage, or for an application, is stuck on a new cluster, or after a power cut, when that stage needs it in turn.",
	Remedy: "Remove the dependency. Where only a part of the component needs what comes later, such as an issuer its token, give that part a Kustomization of its own, " +
		"with the dependency. In a helmfile order the releases with needs.",
	Section: "Capsule: OrderedBootstrap",
	Bad: `# cert-manager comes before external-secrets
metadata:
  name: cert-manager
spec:
  dependsOn:
    - name: external-secrets
      namespace: external-secrets
`,
	Good: `metadata:
  name: cert-manager-issuers
spec:
  dependsOn:
    - name: cert-manager
    - name: external-secrets
      namespace: external-secrets
`,
	Check: checkBootstrap,
}

// chartNames are charts of components that are called otherwise than their
// releases.
var chartNames = map[string]string{
	"tigera-operator": "Cilium", "calico": "Cilium", "flannel": "Cilium", "kube-ovn": "Cilium",
	"gateway-helm": "Envoy Gateway",
}

// stages maps the names of charts to the stage that they belong to.
func stages() map[string]domain.BootstrapStage {
	byChart := map[string]domain.BootstrapStage{}
	for _, s := range domain.BootstrapOrder() {
		for _, name := range s.Names {
			byChart[name] = s
		}
		for chart, component := range chartNames {
			if component == s.Component {
				byChart[chart] = s
			}
		}
	}
	return byChart
}

// bootstrap is which stage the parts of a cluster belong to.
type bootstrap struct {
	*rule.Cluster
	stage map[*desired.Kustomization]domain.BootstrapStage
	// by is the chart that tells the stage.
	by           map[*desired.Kustomization]string
	applications map[*desired.Kustomization]bool
}

func checkBootstrap(p *rule.Pass) {
	byChart := stages()
	for _, c := range p.Clusters {
		b := newBootstrap(c, byChart, p.Config.Charts.Default)
		for _, k := range c.State.Kustomizations {
			if stage, ok := b.stage[k]; ok {
				b.check(p, k, stage)
			}
		}
		checkHelmfile(p, c.Bootstrap.Releases, byChart)
	}
}

// newBootstrap finds the stages of Kustomizations. One that installs charts of
// several stages is in none.
func newBootstrap(c *rule.Cluster, byChart map[string]domain.BootstrapStage, appChart string) bootstrap {
	b := bootstrap{c, map[*desired.Kustomization]domain.BootstrapStage{}, map[*desired.Kustomization]string{}, map[*desired.Kustomization]bool{}}
	mixed := map[*desired.Kustomization]bool{}
	releases := map[*desired.Kustomization][]*desired.Release{}
	for _, r := range c.State.Releases {
		k := r.Object.Kustomization
		if k == nil {
			continue
		}
		releases[k] = append(releases[k], r)
		stage, ok := byChart[r.ChartName]
		if known, has := b.stage[k]; ok && has && known.Order != stage.Order {
			mixed[k] = true
		}
		if ok {
			b.stage[k], b.by[k] = stage, r.ChartName
		}
	}
	for k := range mixed {
		delete(b.stage, k)
	}
	supports := b.supporting()
	for k, list := range releases {
		own := !slices.ContainsFunc(list, func(r *desired.Release) bool { return r.ChartName != appChart })
		b.applications[k] = own && !supports[k] && slices.ContainsFunc(list, isServed)
	}
	return b
}

// isServed reports whether a release has a route, as what people use does.
func isServed(r *desired.Release) bool {
	return slices.ContainsFunc(r.Objects, func(o *desired.Object) bool {
		return o.GetKind() == "HTTPRoute" || o.GetKind() == "Ingress"
	})
}

// supporting returns the Kustomizations that others build on: they bring
// definitions, or what is there for the whole cluster, or stores name them.
func (b bootstrap) supporting() map[*desired.Kustomization]bool {
	found := map[*desired.Kustomization]bool{}
	for o := range b.State.All() {
		switch o.GetKind() {
		case "CustomResourceDefinition", "StorageClass", "CSIDriver", "GatewayClass", "IngressClass", "ClusterIssuer", "RuntimeClass",
			"APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "DaemonSet":
			found[o.Kustomization] = true
		case "ClusterSecretStore", "SecretStore":
			found[o.Kustomization] = true
			for _, ref := range graph.References(o) {
				if by, _ := b.Graph.Provider(ref.Group, ref.Kind, ref.Namespace, ref.Name); by != nil {
					found[by.Kustomization] = true
				}
			}
		}
	}
	return found
}

// check reports the dependencies that lead a component to a later stage or to
// an application. Those that it inherits count where they are written.
func (b bootstrap) check(p *rule.Pass, k *desired.Kustomization, stage domain.BootstrapStage) {
	for owner := k; owner != nil; owner = owner.Parent {
		for i, on := range owner.Spec.DependsOn {
			entry := b.State.Of(cmp.Or(on.Namespace, owner.Namespace), on.Name)
			if entry == nil || entry == k {
				continue
			}
			later, why := b.later(k, entry, stage)
			if later == nil {
				continue
			}
			through := ""
			if later != entry {
				through = fmt.Sprintf(" through %s", entry.Object.Ref)
			}
			p.Report(rule.Finding{
				Place: owner.Object.Place(dependsOnPath(i)...), Text: on.Name, Object: k.Object.Ref,
				Message: fmt.Sprintf("%s brings %s and waits%s for %s, %s", k.Object.Ref, stage.Component, through, later.Object.Ref, why),
			})
		}
	}
}

// later returns what a dependency leads to and must not, the entry itself
// before what lies behind it.
func (b bootstrap) later(k, entry *desired.Kustomization, stage domain.BootstrapStage) (*desired.Kustomization, string) {
	for _, other := range append([]*desired.Kustomization{entry}, b.State.Kustomizations...) {
		if other == k || isAbove(other, k) || other != entry && !b.Graph.DependsOn(entry, other) {
			continue
		}
		if s, ok := b.stage[other]; ok && s.Order > stage.Order {
			return other, fmt.Sprintf("which brings %s, a later stage of the bootstrap", s.Component)
		}
		if b.applications[other] {
			return other, "which is an application"
		}
	}
	return nil, ""
}

// checkHelmfile reports releases that need one of a later stage.
func checkHelmfile(p *rule.Pass, releases []repo.Release, byChart map[string]domain.BootstrapStage) {
	byID := map[string]repo.Release{}
	for _, r := range releases {
		if !r.CRDsOnly {
			byID[r.ID()] = r
		}
	}
	for _, r := range releases {
		stage, ok := byChart[path.Base(r.Chart)]
		if !ok || r.CRDsOnly {
			continue
		}
		for _, id := range needed(byID, r) {
			if later, ok := byChart[path.Base(byID[id].Chart)]; ok && later.Order > stage.Order {
				p.Report(rule.Finding{
					Place: r.Place, Message: fmt.Sprintf("release %s brings %s and needs %s, which brings %s, a later stage of the bootstrap", r.ID(), stage.Component, id, later.Component),
				})
			}
		}
	}
}

// needed returns the releases that one needs, directly or through others, the
// nearest first.
func needed(byID map[string]repo.Release, r repo.Release) []string {
	seen := map[string]bool{r.ID(): true}
	var list []string
	pending := slices.Clone(r.Needs)
	for len(pending) > 0 {
		id := pending[0]
		pending = pending[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, id)
		pending = append(pending, byID[id].Needs...)
	}
	return list
}
