package charts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var valuesSchema = &rule.Rule{
	Name:     "values-schema",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "A release's values fit the schema of its chart",
	Why: "Helm holds values against the chart's schema before it makes anything: one key that is misspelt, or a number in " +
		"quotes, and the install or upgrade fails as a whole. What runs stays as it is, and each further change of the " +
		"release waits for this one.",
	Remedy: "Write the value as the chart's schema has it; its values.yaml and its documentation show where it belongs. " +
		"After an upgrade of a chart look for values that moved.",
	Section: "HelmRelease Specification",
	Bad: "values:\n" +
		"  controllers:\n" +
		"    app:\n" +
		"      replicas: \"2\"\n",
	Good: "values:\n" +
		"  controllers:\n" +
		"    app:\n" +
		"      replicas: 2\n",
	Check: checkValues,
}

func checkValues(p *rule.Pass) {
	var absent notAtHand
	var schemas schemas
	for _, c := range p.Clusters {
		for _, r := range c.State.Releases {
			if p.Context.Err() != nil || r.Values == nil && r.Err != nil {
				continue
			}
			if r.Chart == nil || r.StandIn {
				absent.add(r)
				continue
			}
			j := judgement{Pass: p, state: c.State, release: r, open: suppliedElsewhere(c.State, r)}
			j.chart(&schemas, r)
		}
	}
	if note := absent.note("whether its values fit is not judged", "whether their values fit is not judged"); note != "" {
		p.Note(note)
	}
	for _, note := range schemas.notes {
		p.Note(note)
	}
}

// suppliedElsewhere reports whether part of a release's values is not known
// from the tree, or replaces the chart's own.
func suppliedElsewhere(s *desired.State, r *desired.Release) bool {
	if r.Spec.Chart != nil && len(r.Spec.Chart.Spec.ValuesFiles) > 0 {
		return true
	}
	return slices.ContainsFunc(r.Spec.ValuesFrom, func(ref meta.ValuesReference) bool {
		if ref.Kind != "ConfigMap" {
			return true
		}
		o := s.Find("", "ConfigMap", r.Namespace, ref.Name)
		if o == nil {
			return true
		}
		data, _ := o.Object["data"].(map[string]any)
		_, known := data[ref.GetValuesKey()]
		return !known
	})
}

// judgement holds the values of one release against its chart.
type judgement struct {
	*rule.Pass
	state   *desired.State
	release *desired.Release
	// open says that a Secret may add values, or change those that the release
	// itself does not set.
	open bool
}

func (j *judgement) chart(s *schemas, r *desired.Release) {
	chart := r.Chart.Copy("")
	// Helm changes what it is given.
	values := runtime.DeepCopyJSON(r.Values)
	if values == nil {
		values = map[string]any{}
	}
	if chartutil.ProcessDependencies(chart, values) != nil {
		return // rendering tells it
	}
	composed, err := util.CoalesceValues(chart, values)
	if err != nil {
		return
	}
	s.read(r.Chart, chart)
	j.level(s, chart, composed, nil)
}

// level judges the values of one chart, and then those of the charts in it.
func (j *judgement) level(s *schemas, chart *chartv2.Chart, values map[string]any, path []string) {
	if schema := s.of(j.release.Chart, chart); schema != nil {
		if err := schema.Validate(values); err != nil {
			j.report(err, values, path, chart.Name())
		}
	}
	for _, sub := range chart.Dependencies() {
		if below, ok := values[sub.Name()].(map[string]any); ok {
			j.level(s, sub, below, append(slices.Clip(path), sub.Name()))
		}
	}
}

// report reports what a schema says of values at a path.
func (j *judgement) report(err error, values map[string]any, path []string, chart string) {
	for _, m := range mismatches(err) {
		if !j.isCertain(m, values, path) {
			continue
		}
		at := append(slices.Clip(path), m.at...)
		f := rule.Finding{Place: j.release.ValuePlace(at...), Object: j.release.Object.Ref}
		if _, node := j.release.ValueNode(at...); node != nil && len(at) > 0 && !isIndex(at[len(at)-1]) {
			f.Text = at[len(at)-1]
		}
		name := "the top of the values"
		if len(at) > 0 {
			name = strings.Join(at, ".")
		}
		f.Message = fmt.Sprintf("%s %s: Helm refuses the values for the chart %s", name, m.says, chart)
		j.Report(f)
	}
}
