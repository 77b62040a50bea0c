package charts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"hearth/internal/render/desired"
	"hearth/internal/render/helm"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var valuesUnused = &rule.Rule{
	Name:     "values-unused",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "A release sets no value that nothing in its chart reads",
	Why: "Helm takes any value, and one that no template reads does nothing: the setting that was meant keeps its " +
		"default, and nobody is told. Mostly the key is misspelt, stands a level too high or too low, or has moved in a " +
		"newer version of the chart.",
	Remedy: "Write the key as the chart's values.yaml has it, or remove it. A chart whose templates read values in ways " +
		"that cannot be followed (whole maps, names that are made up) is not judged, and neither is what stands in its values.yaml.",
	Section: "HelmRelease Specification",
	Bad: "values:\n" +
		"  replicaCuont: 2\n",
	Good: "values:\n" +
		"  replicaCount: 2\n",
	Unless: []string{"values-schema"},
	Check:  checkUnused,
}

func checkUnused(p *rule.Pass) {
	var absent notAtHand
	known := map[*helm.Chart]*chartReads{}
	for _, c := range p.Clusters {
		for _, r := range c.State.Releases {
			if p.Context.Err() != nil || r.Values == nil && r.Err != nil {
				continue
			}
			if r.Chart == nil || r.StandIn {
				absent.add(r)
				continue
			}
			if known[r.Chart] == nil {
				known[r.Chart] = readsOf(r.Chart.Copy(""))
			}
			u := unused{Pass: p, release: r, reads: known[r.Chart].with(r.Values)}
			u.level(nil, r.Values, u.reads.chart)
		}
	}
	if note := absent.note("whether its values fit is not judged", "whether their values fit is not judged"); note != "" {
		p.Note(note)
	}
}

// unused judges the values of one release.
type unused struct {
	*rule.Pass
	release *desired.Release
	reads   *chartReads
}

// level judges the values at a path. The chart is the one whose defaults they
// are laid over: a subchart's below its name.
func (u *unused) level(path []string, values map[string]any, chart *chartv2.Chart) {
	if u.reads.open {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := append(slices.Clip(path), key)
		if values[key] == nil || u.isFree(at) || u.reads.isOpen(at) {
			continue
		}
		below, isMap := values[key].(map[string]any)
		switch {
		case isMap && u.reads.reads(at):
			u.level(at, below, chart)
		case u.reads.reads(at) || u.reads.isDefault(at):
		default:
			u.report(at)
		}
	}
}

// isFree reports whether a value is nobody's but the author's: those for all
// charts, and what YAML anchors are kept under.
func (u *unused) isFree(path []string) bool {
	key := path[len(path)-1]
	return key == "global" || len(path) == 1 && (strings.HasPrefix(key, "x-") || strings.HasPrefix(key, "_") || strings.HasPrefix(key, "."))
}

func (u *unused) report(path []string) {
	doc, node := u.release.ValueNode(path...)
	if doc == nil || node == nil {
		return // a Secret, or something else that is not known, supplies it
	}
	name := strings.Join(path, ".")
	message := fmt.Sprintf("no template of the chart %s %s reads the value %s, so that it does nothing", u.release.ChartName, u.release.Chart.Version(), name)
	f := rule.Finding{Place: u.release.ValuePlace(path...), Object: u.release.Object.Ref, Text: path[len(path)-1]}
	if near := u.nearest(path); near != "" {
		message += fmt.Sprintf("; the chart has %s", near)
	}
	f.Message = message
	u.Report(f)
}

// nearest is the value that was probably meant: of a like name beside it, or of
// the same name elsewhere.
func (u *unused) nearest(path []string) string {
	key, parent := path[len(path)-1], path[:len(path)-1]
	if near := spelling.Guess(key, u.reads.keysAt(parent)); near != "" {
		return strings.Join(append(slices.Clip(parent), near), ".")
	}
	var elsewhere []string
	u.reads.each(func(at []string) {
		if at[len(at)-1] == key && !slices.Equal(at, path) {
			elsewhere = append(elsewhere, strings.Join(at, "."))
		}
	})
	slices.SortFunc(elsewhere, func(a, b string) int {
		return cmp.Or(strings.Count(a, ".")-strings.Count(b, "."), strings.Compare(a, b))
	})
	if len(elsewhere) == 0 || len(elsewhere) > 3 {
		return "" // a common word says nothing
	}
	return elsewhere[0]
}
