package charts

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var chartReference = &rule.Rule{
	Name:     "chart-reference",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "The source that a release takes its chart from exists, and is of a kind that serves charts",
	Why: "A release whose source does not exist waits for its chart without end, and everything that depends on it " +
		"waits with it. Mostly the name is misspelt, the source stands in another namespace, or its file is missing from " +
		"the kustomization.",
	Remedy: "Add the source to the same Kustomization, or name the one that exists, with its namespace where it is another. " +
		"`chartRef` leads to an OCIRepository, a HelmChart or an ExternalArtifact, `chart.spec.sourceRef` to a HelmRepository, " +
		"a GitRepository or a Bucket.",
	Section: "HelmRelease Specification",
	Bad: "chartRef:\n" +
		"  kind: HelmRepository # serves many charts, and says not which\n" +
		"  name: bjw-s\n",
	Good: "chartRef:\n" +
		"  kind: OCIRepository\n" +
		"  name: app-template\n",
	Check: checkReferences,
}

var (
	// chartKinds are what a chartRef may lead to.
	chartKinds = []string{sourcev1.OCIRepositoryKind, sourcev1.HelmChartKind, sourcev1.ExternalArtifactKind}
	// repositoryKinds are what charts are taken from by name.
	repositoryKinds = []string{sourcev1.HelmRepositoryKind, sourcev1.GitRepositoryKind, sourcev1.BucketKind}
)

// sourceRef is how an object names the source of a chart.
type sourceRef struct {
	kind, namespace, name string
	at                    []string
	// kinds are those that are right there.
	kinds []string
}

func checkReferences(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, r := range c.State.Releases {
			if r.Err != nil && r.Values == nil {
				continue // it is no HelmRelease at all
			}
			checkRelease(p, c, r)
		}
		for _, o := range c.State.OfKind(sourcev1.GroupVersion.Group, sourcev1.HelmChartKind) {
			spec, _ := o.Object["spec"].(map[string]any)
			ref, _ := spec["sourceRef"].(map[string]any)
			judgeSource(p, c, o, sourceRef{text(ref, "kind"), o.GetNamespace(), text(ref, "name"), []string{"spec", "sourceRef"}, repositoryKinds})
		}
	}
}

func checkRelease(p *rule.Pass, c *rule.Cluster, r *desired.Release) {
	ref, chart := r.Spec.ChartRef, r.Spec.Chart
	switch {
	case ref != nil && chart != nil:
		p.Report(rule.Finding{Place: r.Object.Place("spec", "chart"), Object: r.Object.Ref,
			Message: "both chart and chartRef name a chart, so that the API server refuses the HelmRelease", Fix: "remove one of them"})
	case ref != nil:
		judgeSource(p, c, r.Object, sourceRef{ref.Kind, cmp.Or(ref.Namespace, r.Namespace), ref.Name, []string{"spec", "chartRef"}, chartKinds})
	case chart != nil:
		source := chart.Spec.SourceRef
		at := []string{"spec", "chart", "spec", "sourceRef"}
		judgeSource(p, c, r.Object, sourceRef{source.Kind, cmp.Or(source.Namespace, r.Namespace), source.Name, at, repositoryKinds})
		judgeFolder(p, r)
	default:
		p.Report(rule.Finding{Place: r.Object.Place("spec"), Object: r.Object.Ref,
			Message: "neither chart nor chartRef names a chart, so that the API server refuses the HelmRelease"})
	}
}

// judgeSource reports a source of the wrong kind, or one that nothing makes.
func judgeSource(p *rule.Pass, c *rule.Cluster, o *desired.Object, ref sourceRef) {
	if ref.name == "" || c.State.Unknown(ref.kind+ref.namespace+ref.name) || strings.Contains(ref.namespace+ref.name, "${") {
		return
	}
	if !slices.Contains(ref.kinds, ref.kind) {
		p.Report(rule.Finding{
			Place: o.Place(append(ref.at, "kind")...), Text: ref.kind, Object: o.Ref,
			Message: fmt.Sprintf("%s leads to a chart by %s, not by %s, so that the API server refuses the %s",
				ref.at[len(ref.at)-1], either(ref.kinds), cmp.Or(ref.kind, "nothing"), o.GetKind()),
		})
		return
	}
	if _, known := c.Graph.Provider(sourcev1.GroupVersion.Group, ref.kind, ref.namespace, ref.name); known {
		return
	}
	if _, doubt := c.Graph.Doubt(ref.kind, ref.namespace); doubt {
		return
	}
	p.Report(rule.Finding{
		Place: o.Place(append(ref.at, "name")...), Text: ref.name, Object: o.Ref,
		Message: fmt.Sprintf("the %s %s/%s does not exist, so that the release waits for its chart without end", ref.kind, ref.namespace, ref.name),
		Fix:     alike(c.State, ref),
	})
}

// either lists kinds.
func either(kinds []string) string {
	last := len(kinds) - 1
	return strings.Join(kinds[:last], ", ") + " or " + kinds[last]
}

// alike names a source that may be meant: of that name, but in another
// namespace or of another kind, or of a name that is spelt much like it.
func alike(s *desired.State, ref sourceRef) string {
	for _, kind := range append([]string{ref.kind}, ref.kinds...) {
		for _, o := range s.OfKind(sourcev1.GroupVersion.Group, kind) {
			if o.GetName() == ref.name {
				return fmt.Sprintf("there is a %s %s/%s (%s)", kind, o.GetNamespace(), o.GetName(), o.Place())
			}
		}
	}
	var beside []string
	for _, o := range s.OfKind(sourcev1.GroupVersion.Group, ref.kind) {
		if o.GetNamespace() == ref.namespace {
			beside = append(beside, o.GetName())
		}
	}
	if name, ok := spelling.Nearest(ref.name, beside); ok {
		return "is " + name + " meant?"
	}
	return ""
}

// judgeFolder reports a chart of this repository that is not there.
func judgeFolder(p *rule.Pass, r *desired.Release) {
	folder, own := strings.CutPrefix(r.ChartURL, "file:")
	if !own || r.Chart != nil {
		return
	}
	chart := path.Join(folder, "Chart.yaml")
	if slices.ContainsFunc(p.Repository.Files(), func(f manifest.File) bool {
		return f.Path == chart || f.Path == folder && strings.HasSuffix(folder, ".tgz")
	}) {
		return
	}
	p.Report(rule.Finding{
		Place: r.Object.Place("spec", "chart", "spec", "chart"), Text: r.Spec.Chart.Spec.Chart, Object: r.Object.Ref,
		Message: fmt.Sprintf("this repository has no chart in %s, so that the release waits for it without end", folder),
	})
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}
