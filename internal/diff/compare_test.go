package diff

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/kept"
)

// app is the application that the objects of tests belong to.
var app = domain.Ref{Kind: "Kustomization", Namespace: "media", Name: "app"}

// item makes an item of YAML.
func item(t testing.TB, text string) *Item {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(withoutSecrets(o))
	if err != nil {
		t.Fatal(err)
	}
	group, version, named := strings.Cut(o["apiVersion"].(string), "/")
	if !named {
		group, version = "", group
	}
	metadata := nested(o, "metadata")
	namespace, _ := metadata["namespace"].(string)
	return &Item{
		Key:     render.Key{Group: group, Kind: o["kind"].(string), Namespace: namespace, Name: metadata["name"].(string)},
		Version: version, Sum: kept.Digest(string(content)), Content: content, Place: domain.Place{File: "app.yaml", Line: 1},
	}
}

// snapshot holds the documents of a text.
func snapshot(t testing.TB, text string) *Snapshot {
	t.Helper()
	u := &Unit{Of: app, App: app}
	for _, doc := range strings.Split(text, "---\n") {
		if strings.TrimSpace(doc) != "" {
			u.Items = append(u.Items, item(t, doc))
		}
	}
	return &Snapshot{Units: []*Unit{u}}
}

func compare(t testing.TB, before, after *Snapshot) *Report {
	t.Helper()
	report, err := Compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// deployment is one whose pod has a spec.
func deployment(pod string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: media, labels: {helm.sh/chart: web-1.0.0, tier: a}}\n" +
		"spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {annotations: {checksum/config: aa}}\n    spec:\n" +
		strings.TrimSuffix("      "+strings.ReplaceAll(strings.TrimSpace(pod), "\n", "\n      "), "\n") + "\n"
}

func paths(r *Report) []string {
	var list []string
	for _, a := range r.Applications {
		for _, o := range a.Objects {
			for _, f := range o.Fields {
				list = append(list, string(f.Kind)+" "+f.Path)
			}
		}
	}
	return list
}

// TestFields matches entries of lists by what names them.
func TestFields(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		want                []string
	}{
		{
			"containers in another order", "containers: [{name: a, image: x}, {name: b, image: y}]", "containers: [{name: b, image: z}, {name: a, image: x}]",
			[]string{"changed spec.template.spec.containers[b].image"},
		},
		{
			"a container more", "containers: [{name: a}]", "containers: [{name: first}, {name: a}]",
			[]string{"added spec.template.spec.containers[first]"},
		},
		{
			"init containers have an order", "initContainers: [{name: a}, {name: b}]", "initContainers: [{name: b}, {name: a}]",
			[]string{"reordered spec.template.spec.initContainers"},
		},
		{
			"environment", "containers: [{name: a, env: [{name: X, value: '1'}, {name: W, value: '2'}]}]", "containers: [{name: a, env: [{name: W, value: '3'}]}]",
			[]string{"changed spec.template.spec.containers[a].env[W].value", "removed spec.template.spec.containers[a].env[X]"},
		},
		{
			"ports without names", "containers: [{name: a, ports: [{containerPort: 80}, {containerPort: 443}]}]", "containers: [{name: a, ports: [{containerPort: 443, protocol: TCP}, {containerPort: 80}]}]",
			nil,
		},
		{
			"mounts", "containers: [{name: a, volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b}]}]", "containers: [{name: a, volumeMounts: [{name: v, mountPath: /b, readOnly: true}, {name: v, mountPath: /a}]}]",
			[]string{"added spec.template.spec.containers[a].volumeMounts[/b].readOnly"},
		},
		{
			"arguments keep their order", "containers: [{name: a, args: [one, two, three]}]", "containers: [{name: a, args: [one, three, four]}]",
			[]string{"removed spec.template.spec.containers[a].args[1]", "added spec.template.spec.containers[a].args[2]"},
		},
		{"numbers", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 30.0", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := compare(t, snapshot(t, deployment(test.before)), snapshot(t, deployment(test.after)))
			if diff := cmp.Diff(test.want, paths(report)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoise leaves out what repeats a chart's version, but not what else differs.
func TestNoise(t *testing.T) {
	before := deployment("containers: [{name: a}]")
	after := strings.NewReplacer("web-1.0.0", "web-1.1.0", "checksum/config: aa", "checksum/config: bb").Replace(before)
	report := compare(t, snapshot(t, before), snapshot(t, after))
	if report.Differs() || report.Hidden != 1 {
		t.Errorf("%d applications differ, %d objects are hidden, want none and 1", len(report.Applications), report.Hidden)
	}
	report = compare(t, snapshot(t, before), snapshot(t, strings.Replace(after, "tier: a", "tier: b", 1)))
	if diff := cmp.Diff([]string{"changed metadata.labels.tier"}, paths(report)); diff != "" || report.Hidden != 0 {
		t.Errorf("%d hidden, fields (-want +got):\n%s", report.Hidden, diff)
	}
}

// TestUnknown takes nothing for removed that merely cannot be told.
func TestUnknown(t *testing.T) {
	before, after := snapshot(t, deployment("containers: [{name: a}]")), &Snapshot{Units: []*Unit{{Of: app, App: app, Problem: "it cannot be built"}}}
	report := compare(t, before, after)
	if len(report.Applications) != 1 || len(report.Applications[0].Objects) != 0 || len(report.Applications[0].Problems) != 1 {
		t.Errorf("got %+v, want one application with one problem and no object", report.Applications)
	}
	report = compare(t, after, before)
	if report.Differs() {
		t.Errorf("got %+v, want no difference", report.Applications)
	}
}

// TestMoved tells of an object that goes to another application.
func TestMoved(t *testing.T) {
	before, after := snapshot(t, deployment("containers: [{name: a}]")), snapshot(t, deployment("containers: [{name: a}]"))
	other := domain.Ref{Kind: "Kustomization", Namespace: "media", Name: "other"}
	after.Units[0].Of, after.Units[0].App = other, other
	report := compare(t, before, after)
	if len(report.Applications) != 1 || report.Applications[0].Of != other || *report.Applications[0].Objects[0].From != app {
		t.Errorf("got %+v, want one object that moves from %s to %s", report.Applications, app, other)
	}
}

// secretText is what must never be shown.
const secretText = "correct-horse"

// TestSecrets shows in no form what a Secret holds.
func TestSecrets(t *testing.T) {
	secret := func(value string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: media}\nstringData: {password: " + value + ", same: also-" + secretText + "}\n"
	}
	for name, after := range map[string]string{"changed": secret(secretText + "-2"), "removed": "", "gone": "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: media}\n"} {
		report := compare(t, snapshot(t, secret(secretText)), snapshot(t, after))
		if !report.Differs() {
			t.Errorf("%s: no difference", name)
		}
		for form, write := range forms {
			var out bytes.Buffer
			if err := write(&out, report); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), secretText) || maskPattern.MatchString(out.String()) {
				t.Errorf("%s as %s shows a secret, or its digest:\n%s", name, form, out.String())
			}
		}
	}
}

// TestEncrypted shows no cipher text, and does not take a new encryption of
// something else for a difference of its keys.
func TestEncrypted(t *testing.T) {
	text := func(value, mac string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s, namespace: media}\ndata: {a: 'ENC[" + value + "]'}\nsops: {mac: '" + mac + "'}\n"
	}
	if compare(t, snapshot(t, text("x", "1")), snapshot(t, text("x", "2"))).Differs() {
		t.Error("the mac alone is a difference")
	}
	var out bytes.Buffer
	if err := WriteText(&out, compare(t, snapshot(t, text("x", "1")), snapshot(t, text("y", "2"))), false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "(encrypted) changes") || strings.Contains(out.String(), "ENC[") {
		t.Errorf("got:\n%s", out.String())
	}
}
