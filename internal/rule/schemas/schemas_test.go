package schemas

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

// TestArchivesBuild guards the repositories that must not be flagged against
// passing since nothing of them was built.
func TestArchivesBuild(t *testing.T) {
	archives, err := filepath.Glob("testdata/schema/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pass := ruletest.Pass(t, schemaRule, ruletest.Write(t, archive))
		for _, c := range pass.Clusters {
			for _, k := range c.State.Kustomizations {
				if k.Err != nil && filepath.Base(file) != "patch-twice.txtar" {
					t.Errorf("%s: %s: %v", file, k.Object.Ref, k.Err)
				}
			}
		}
	}
}

// run judges a repository that is given as the text of an archive.
func run(t *testing.T, archive string) *rule.Pass {
	t.Helper()
	pass := ruletest.Pass(t, schemaRule, ruletest.Write(t, txtar.Parse([]byte(archive))))
	checkSchema(pass)
	return pass
}

const config = `-- .hearth.yaml --
clusters: {main: {path: kubernetes/main, entry: {path: kubernetes/main/apps}}}
sources: {"oci://example.test/charts/web": charts/web}
`

// chart renders a port and a field that does not exist.
const chart = `-- charts/web/Chart.yaml --
apiVersion: v2
name: web
version: 1.0.0
-- charts/web/templates/service.yaml --
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  surprise: {{ .Values.port }}
  ports:
    - port: {{ .Values.port | quote }}
-- kubernetes/main/apps/release.yaml --
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: web, namespace: home}
spec: {interval: 1h, url: "oci://example.test/charts/web", ref: {tag: 1.0.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: home}
spec:
  interval: 1h
  chartRef: {kind: OCIRepository, name: web}
  values: {port: "8080"}
`

func TestSeverities(t *testing.T) {
	for _, test := range []struct {
		archive string
		want    map[string]rule.Severity // by a part of the message
	}{
		{chart, map[string]rule.Severity{"unknown field `surprise`": rule.Warning, "`spec.ports[0].port` is a text": rule.Error}},
		{`-- kubernetes/main/apps/a.yaml --
apiVersion: v1
kind: Service
metadata: {name: web, namespace: home}
spec: {surprise: 1}
`, map[string]rule.Severity{"unknown field `surprise`": rule.Error}},
		{`-- kubernetes/main/apps/a.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: web, namespace: home}
`, map[string]rule.Severity{"HelmRelease is not served": rule.Warning}},
	} {
		findings := run(t, config+test.archive).Findings()
		if len(findings) != len(test.want) {
			t.Errorf("%d findings, want %d: %+v", len(findings), len(test.want), findings)
		}
		for _, f := range findings {
			for part, severity := range test.want {
				if strings.Contains(f.Message, part) && f.Severity != severity {
					t.Errorf("%s: %s, want %s", f.Severity, f.Message, severity)
				}
			}
		}
	}
}

func TestNotes(t *testing.T) {
	for _, test := range []struct {
		archive string
		want    []string
	}{
		{`-- kubernetes/main/apps/a.yaml --
apiVersion: example.test/v1
kind: Gadget
metadata: {name: a, namespace: home}
---
apiVersion: example.test/v2
kind: Gadget
metadata: {name: b, namespace: home}
---
apiVersion: example.test/v1
kind: Widget
metadata: {name: a, namespace: home}
---
apiVersion: other.test/v1
kind: Gadget
metadata: {name: a, namespace: home}
`, []string{
			"no definition is at hand for 3 kinds of 4 objects, which are not judged: example.test Gadget, Widget; other.test Gadget",
		}},
		{`-- kubernetes/main/apps/a.yaml --
apiVersion: example.test/v1
kind: Gadget
metadata: {name: a, namespace: home}
`, []string{"no definition is at hand for 1 kind of 1 object, which is not judged: example.test Gadget"}},
		{strings.Replace(chart, "  values:", "  postRenderers: [{kustomize: {images: [{name: a, newTag: b}]}}]\n  values:", 1), []string{
			"what HelmRelease home/web renders is not held against the schemas, since its postRenderers change it",
		}},
	} {
		pass := run(t, config+test.archive)
		if diff := cmp.Diff(test.want, pass.Notes()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		for _, f := range pass.Findings() {
			t.Errorf("%s: %s", f.Place, f.Message)
		}
	}
}

// TestValuesAreNotTold looks for the value of a Secret in all that is told.
func TestValuesAreNotTold(t *testing.T) {
	pass := run(t, config+`-- kubernetes/main/apps/a.yaml --
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: home}
type: [hunter2]
data: {token: hunter2!, pins: [hunter2]}
`)
	if len(pass.Findings()) != 3 {
		t.Errorf("%d findings, want 3", len(pass.Findings()))
	}
	for _, f := range pass.Findings() {
		if strings.Contains(f.Message+f.Fix+f.Text, "hunter2") || !f.Sensitive {
			t.Errorf("a value is told: %+v", f)
		}
	}
}
