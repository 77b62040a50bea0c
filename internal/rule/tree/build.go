package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/render/helm"
	"hearth/internal/render/kustomize"
	"hearth/internal/rule"
)

// Build reports Kustomizations and HelmReleases that cannot be built.
var Build = &rule.Rule{
	Name:     "build",
	Topic:    "tree",
	Severity: rule.Error,
	Title:    "Every Kustomization and every HelmRelease can be built",
	Why: "A Kustomization that cannot be built fails as a whole: none of its objects is applied, and whatever depends on it " +
		"waits. A HelmRelease whose chart cannot be rendered is neither installed nor upgraded.",
	Remedy:  "Correct what the message names: a kustomization that refers to what does not exist, a patch without a target, a value that the chart does not take.",
	Section: "Flux Reconciliation States",
	Bad: "# kustomization.yaml\n" +
		"resources:\n" +
		"  - helmrelease.yaml\n" +
		"patches:\n" +
		"  - target: {kind: Deployment}\n" +
		"    patch: no patch at all\n",
	Good: "# kustomization.yaml\n" +
		"resources:\n" +
		"  - helmrelease.yaml\n",
	Unless: []string{"path-missing", "resource-missing", "substitution-undefined", "values-schema", "chart-reference", "schema", "yaml"},
	Check:  checkBuild,
}

func checkBuild(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, k := range c.State.Kustomizations {
			if k.Err != nil {
				checkKustomization(p, k)
			}
		}
		for _, r := range c.State.Releases {
			if r.Err != nil {
				checkRelease(p, c, r)
			}
		}
	}
}

func checkKustomization(p *rule.Pass, k *desired.Kustomization) {
	if errors.Is(k.Err, kustomize.ErrOffline) {
		p.Note(fmt.Sprintf("%s is not built, so that nothing of it is judged: %s", k.Object.Ref, oneLine(k.Err.Error())))
		return
	}
	place, cause := k.Object.Place("spec", "path"), k.Err.Error()
	var placed *kustomize.Error
	if errors.As(k.Err, &placed) {
		cause = placed.Err.Error()
		if placed.Place.Known() {
			place = placed.Place
			cause = strings.ReplaceAll(cause, place.String()+": ", "")
		}
	}
	// Kustomize first tries a resource as a file, then as a folder, and tells of both.
	if m := asFile.FindStringSubmatch(cause); m != nil {
		cause = m[1]
	}
	p.Report(rule.Finding{
		Place: place, Object: k.Object.Ref,
		Message: fmt.Sprintf("%s cannot be built, so that nothing of it is applied: %s", k.Object.Ref, oneLine(cause)),
	})
}

var asFile = regexp.MustCompile(`(?s)accumulation err='(.*)': must build at directory: `)

// checkRelease reports a chart that fails with what the tree tells of its
// values. Where part of them stands elsewhere, the failure proves nothing.
func checkRelease(p *rule.Pass, c *rule.Cluster, r *desired.Release) {
	unsure := ""
	switch {
	case r.StandIn:
		unsure = "a chart of Hearth plays the one that is not at hand"
	case knownInPart(c.State, r):
		unsure = "part of its values is not in the tree"
	case c.Config.KubernetesVersion == "" && strings.Contains(r.Err.Error(), "kubeVersion"):
		unsure = "nothing tells which Kubernetes version the cluster runs; clusters." + c.Name + ".kubernetesVersion can"
	}
	if unsure != "" {
		p.Note(fmt.Sprintf("%s cannot be rendered, which may be since %s", r.Object.Ref, unsure))
		return
	}
	place := r.Object.Place("spec", "chartRef")
	if path := helm.ValuesPath(r.Err); path != "" {
		place = r.ValuePlace(strings.Split(path, ".")...)
	}
	if place == (domain.Place{}) {
		place = r.Object.Place()
	}
	p.Report(rule.Finding{
		Place: place, Object: r.Object.Ref,
		Message: fmt.Sprintf("%s cannot be rendered, so that it is neither installed nor upgraded: %s", r.Object.Ref, oneLine(r.Err.Error())),
	})
}

// knownInPart reports whether values come from Secrets, or hold what is known
// only at run time.
func knownInPart(s *desired.State, r *desired.Release) bool {
	for _, from := range r.Spec.ValuesFrom {
		if from.Kind == "Secret" || s.Find("", from.Kind, r.Namespace, from.Name) == nil {
			return true
		}
	}
	text, err := json.Marshal(r.Values)
	return err != nil || s.Unknown(string(text))
}
