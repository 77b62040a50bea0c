package graph

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oci writes a release in the namespace apps, and the source of its chart.
func oci(chart, values string) string {
	return `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: ` + chart + `, namespace: apps}
spec: {url: "oci://example.com/mirror/` + chart + `", interval: 1h, ref: {tag: 1.0.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: my-` + chart + `, namespace: apps}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: ` + chart + `}, values: {` + values + `}}
`
}

const widgetCRD = `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}}
`

func TestBrings(t *testing.T) {
	files := "-- apps/all.yaml --\n" + kustomizations("one path=one", "two path=two") +
		"-- one/all.yaml --\n" + widgetCRD + oci("external-secrets", "") + oci("cert-manager", "") + oci("snapshot-controller", "crds: {enabled: false}") +
		"-- two/all.yaml --\n" + strings.ReplaceAll(widgetCRD, "Widget", "Gadget") + oci("grafana-operator", "") + oci("my-own-operator", "") + oci("cloudnative-pg", "crds: {create: true}") +
		`-- bootstrap/helmfile.yaml --
releases:
  - {name: prometheus-operator-crds, namespace: observability, chart: "oci://example.com/charts/prometheus-operator-crds", version: 1.0.0}
  - {name: grafana, namespace: apps, chart: "oci://example.com/charts/grafana-operator", version: 1.0.0}
-- bootstrap/crds.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Gadget, plural: gadgets}}
`
	g := graphOf(t, files)
	for object, want := range map[string][]string{
		"example.com Widget":                     {"one certain"},
		"example.com Gadget":                     {"bootstrap certain", "two certain"},
		"external-secrets.io ExternalSecret":     {"one my-external-secrets"},
		"generators.external-secrets.io Any":     {"one my-external-secrets"},
		"cert-manager.io Certificate":            nil, // not without crds.enabled
		"snapshot.storage.k8s.io VolumeSnapshot": nil, // switched off
		"postgresql.cnpg.io Cluster":             {"two my-cloudnative-pg"},
		"monitoring.coreos.com ServiceMonitor":   {"bootstrap"},
		"grafana.integreatly.org Grafana":        {"bootstrap", "two my-grafana-operator"},
		"my-own.example.org Thing":               {"two my-my-own-operator"}, // by the chart's name
		"helm.toolkit.fluxcd.io HelmRelease":     {"bootstrap certain"},
		"unknown.example.org Thing":              nil,
		"apps Deployment":                        nil,
	} {
		group, name, _ := strings.Cut(object, " ")
		var got []string
		for _, b := range g.Brings(group, name) {
			var words []string
			if b.Bootstrap {
				words = append(words, "bootstrap")
			}
			if b.Kustomization != nil {
				words = append(words, b.Kustomization.Name)
			}
			if b.Release != nil {
				words = append(words, b.Release.Name)
			}
			if b.Certain {
				words = append(words, "certain")
			}
			got = append(got, strings.Join(words, " "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", object, diff)
		}
	}
	if !g.isClusterScoped(kind{"example.com", "Widget"}) || g.isClusterScoped(kind{"example.com", "Other"}) {
		t.Error("the scope of the tree's own kinds is not known")
	}
}

// TestChartTable holds the names of the table to what a chart can be called.
func TestChartTable(t *testing.T) {
	for name, b := range chartsThatBring {
		if name != strings.ToLower(name) || strings.ContainsAny(name, "/ ") {
			t.Errorf("%q is no name of a chart", name)
		}
		if len(b.groups) == 0 {
			t.Errorf("%s brings nothing", name)
		}
		for _, group := range b.groups {
			if !strings.Contains(group, ".") || !isCustom(group) {
				t.Errorf("%s: %q is no group of custom kinds", name, group)
			}
		}
	}
}
