package charts

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

var chartDefault = &rule.Rule{
	Name:     "chart-default",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Applications use the default chart, and vendors' charts only where they are needed",
	Why: "One chart for all applications means that they are written, read, patched and upgraded alike. Each further " +
		"chart has names, defaults and surprises of its own. Infrastructure is another matter: an operator comes with " +
		"definitions and permissions that only its vendor keeps up to date.",
	Remedy: "Write the application's values for the default chart. Where a vendor's chart is needed, add its name to " +
		"`charts.vendor` in .hearth.yaml; without that list only charts that are surely plain applications are told, and " +
		"only where the default chart is declared or six in ten releases use it.",
	Section: "Rule 4: Apps use app-template chart",
	Bad: "kind: HelmRelease\n" +
		"spec:\n" +
		"  chartRef: {kind: OCIRepository, name: vendor-dashboard}\n",
	Good: "kind: HelmRelease\n" +
		"spec:\n" +
		"  chartRef: {kind: OCIRepository, name: app-template}\n",
	Check: checkDefault,
}

// convention is the share of a cluster's releases, in percent, that makes a
// chart its convention.
const convention = 60

func checkDefault(p *rule.Pass) {
	charts := p.Config.Charts
	if charts.Default == "" {
		return
	}
	var absent notAtHand
	for _, c := range p.Clusters {
		users := slices.DeleteFunc(slices.Clone(c.State.Releases), func(r *desired.Release) bool { return r.ChartName != charts.Default })
		listed := p.Repository.Config.Declared("charts", "vendor")
		habit := len(users)*100 >= len(c.State.Releases)*convention && len(users) >= fewest
		if !listed && !habit && !p.Repository.Config.Declared("charts", "default") {
			continue
		}
		for _, r := range c.State.Releases {
			if r.ChartName == "" || charts.Allows(r.ChartName) {
				continue
			}
			f := rule.Finding{Place: r.Object.Place(chartPath(r)...), Object: r.Object.Ref}
			switch {
			case listed:
				f.Message = fmt.Sprintf("the chart %s is neither the default, %s, nor one of charts.vendor in %s", r.ChartName, charts.Default, repo.ConfigFile)
			case isPlain(r):
				f.Severity = rule.Info
				f.Message = fmt.Sprintf("the chart %s makes nothing that %s could not make, which %d of %d releases use",
					r.ChartName, charts.Default, len(users), len(c.State.Releases))
				f.Gist = fmt.Sprintf("%s instead of %s", r.ChartName, charts.Default)
			case r.Chart == nil || r.StandIn:
				absent.add(r)
				continue
			default:
				continue
			}
			p.Report(f)
		}
	}
	if note := absent.note("nobody knows whether it is infrastructure", "nobody knows whether they are infrastructure"); note != "" {
		p.Note(note)
	}
}

// fewest is how many releases make a convention.
const fewest = 5

// chartPath leads to what names a release's chart.
func chartPath(r *desired.Release) []string {
	if r.Spec.ChartRef != nil {
		return []string{"spec", "chartRef", "name"}
	}
	return []string{"spec", "chart", "spec", "chart"}
}

// plainKinds are what an application consists of.
var plainKinds = map[schema.GroupKind]bool{
	{Kind: "Service"}: true, {Kind: "ConfigMap"}: true, {Kind: "Secret"}: true, {Kind: "ServiceAccount"}: true,
	{Kind: "PersistentVolumeClaim"}: true, {Group: "apps", Kind: "Deployment"}: true, {Group: "apps", Kind: "StatefulSet"}: true,
	{Group: "batch", Kind: "CronJob"}: true, {Group: "networking.k8s.io", Kind: "Ingress"}: true,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}: true, {Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}: true,
	{Group: "monitoring.coreos.com", Kind: "ServiceMonitor"}: true, {Group: "policy", Kind: "PodDisruptionBudget"}: true,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: true,
}

// isPlain reports whether a release is surely a mere application: its own chart
// is at hand, and makes workloads and what serves them, but neither
// definitions nor permissions.
func isPlain(r *desired.Release) bool {
	if r.Chart == nil || r.StandIn || r.Err != nil {
		return false
	}
	works := false
	for _, o := range r.Objects {
		kind := o.GroupVersionKind().GroupKind()
		if !plainKinds[kind] {
			return false
		}
		works = works || kind.Group == "apps" || kind.Group == "batch"
	}
	return works
}
