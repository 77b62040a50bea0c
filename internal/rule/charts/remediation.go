package charts

import (
	"slices"
	"strings"

	"github.com/fluxcd/pkg/apis/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/manifest/edit"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var releaseRemediation = &rule.Rule{
	Name:     "release-remediation",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Releases say how often a failed install or upgrade is tried again",
	Why: "Without a word on it Helm tries once. A registry that was slow or a Secret that came a minute late then leaves " +
		"the release Failed, until somebody changes it or forces a reconciliation.",
	Remedy: "Set `remediation.retries` to 3, or a `strategy`, for install and upgrade: in the HelmRelease, or for all of them " +
		"with a patch in the Kustomization above.",
	Section: "HelmRelease Specification",
	Bad: "spec:\n" +
		"  interval: 1h\n" +
		"  chartRef: {kind: OCIRepository, name: app-template}\n",
	Good: "spec:\n" +
		"  interval: 1h\n" +
		"  chartRef: {kind: OCIRepository, name: app-template}\n" +
		"  install:\n" +
		"    remediation:\n" +
		"      retries: 3\n" +
		"  upgrade:\n" +
		"    remediation:\n" +
		"      retries: 3\n",
	Fixes: true,
	Check: checkRemediation,
}

func checkRemediation(p *rule.Pass) {
	for _, c := range p.Clusters {
		if retriesAnyway(c.State) {
			continue
		}
		for _, r := range c.State.Releases {
			missing := slices.DeleteFunc([]string{"install", "upgrade"}, func(action string) bool { return saysRetries(r.Object, action) })
			if len(missing) == 0 || r.Err != nil && r.Values == nil {
				continue
			}
			f := rule.Finding{
				Place: r.Object.Place("spec", missing[0]), Object: r.Object.Ref,
				Message: "nothing says what follows a failed " + strings.Join(missing, " or ") + ": Helm tries once, and the release stays Failed until somebody steps in",
				Fix:     "set remediation.retries: 3, or a strategy, under " + strings.Join(missing, " and "),
			}
			for _, action := range missing {
				f.Edits = append(f.Edits, addRemediation(r.Object, action)...)
			}
			p.Report(f)
		}
	}
}

// saysRetries reports whether a release says what follows a failure.
func saysRetries(o *desired.Object, action string) bool {
	for _, field := range []string{"remediation", "strategy"} {
		if set, _, _ := unstructured.NestedMap(o.Object, "spec", action, field); len(set) > 0 {
			return true
		}
	}
	return false
}

// addRemediation adds what is missing to the object's own document, unless
// another one makes the mapping that it would be part of.
func addRemediation(o *desired.Object, action string) []edit.Edit {
	doc, prefix := o.Document()
	if doc == nil || len(prefix) > 0 {
		return nil
	}
	if _, node := o.Node("spec", action); node != nil {
		if own, ok := doc.Find("spec", action); !ok || own != node {
			return nil
		}
	}
	return []edit.Edit{edit.Insert(doc.File, doc.Line, []string{"spec", action, "remediation"}, "retries: 3")}
}

// retryGate is the feature of the helm-controller that tries again wherever
// nothing is said.
const retryGate = "DefaultToRetryOnFailure=true"

// retriesAnyway reports whether the tree switches that feature on: in an
// instance of Flux, in what installs one, or in a patch of the controller.
func retriesAnyway(s *desired.State) bool {
	for _, o := range s.Objects {
		if kind := o.GetKind(); (kind == "FluxInstance" || kind == "Deployment" && o.GetName() == "helm-controller") && mentions(o.Object, retryGate, maxDepth) {
			return true
		}
	}
	for _, r := range s.Releases {
		if strings.Contains(r.ChartName, "flux") && mentions(r.Values, retryGate, maxDepth) {
			return true
		}
	}
	return slices.ContainsFunc(s.Kustomizations, func(k *desired.Kustomization) bool {
		return slices.ContainsFunc(k.Spec.Patches, func(p kustomize.Patch) bool { return strings.Contains(p.Patch, retryGate) })
	})
}

// maxDepth bounds how deep values are searched.
const maxDepth = 40

// mentions reports whether a text anywhere in a value holds words.
func mentions(value any, words string, depth int) bool {
	if depth == 0 {
		return false
	}
	switch in := value.(type) {
	case string:
		return strings.Contains(in, words)
	case map[string]any:
		for _, below := range in {
			if mentions(below, words, depth-1) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(in, func(below any) bool { return mentions(below, words, depth-1) })
	}
	return false
}
