package helm

import (
	"bytes"
	cmpor "cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"hearth/internal/render/helm/gotemplate"
)

// demanding is a chart whose templates do what charts do with what they are
// given, and change it.
var demanding = map[string]string{
	"Chart.yaml":                         "apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.0.0, condition: lib.enabled}]\n",
	"values.yaml":                        "lib: {enabled: true, word: lib}\ntext: plain\nglobal: {where: here}\n",
	"files/a.txt":                        "of the file",
	"charts/lib/Chart.yaml":              "apiVersion: v2\nname: lib\nversion: 1.0.0\n",
	"charts/lib/values.yaml":             "word: own\n",
	"charts/lib/templates/_all.tpl":      `{{ define "lib.word" }}{{ .Values.text | default .Values.word }}{{ end }}`,
	"templates/_name.tpl":                `{{ define "name" }}{{ .Release.Name }}-{{ .Chart.Version }}{{ end }}`,
	"templates/a.yaml":                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  name: {{ include \"name\" . }}\n  file: {{ .Files.Get \"files/a.txt\" }}\n  sum: {{ include (print $.Template.BasePath \"/z.yaml\") . | sha256sum }}\n  changed: {{ .Values.changed | default \"no\" | quote }}\n",
	"templates/sub/c.yaml":               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {at: {{ .Template.Name | quote }}, word: {{ include \"lib.word\" . | quote }}, below: \"{{ with .Subcharts.lib }}{{ .Values.global.where }}{{ end }}\"}\n",
	"templates/tests/deeper/still/d.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata: {tpl: {{ tpl .Values.text . | quote }}, missing: \"{{ .Values.none }}\"}\n",
	"templates/z.yaml":                   "{{- $_ := set .Values \"changed\" .Release.Name }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndata: {kube: {{ .Capabilities.KubeVersion.Version | quote }}, root: {{ .Chart.IsRoot | quote }}, install: {{ .Release.IsInstall | quote }}}\n",
}

// recent are the capabilities of a cluster that app-template takes.
func recent(t testing.TB) *common.Capabilities {
	c := common.DefaultCapabilities.Copy()
	version, err := common.ParseKubeVersion("v1.37.0")
	if err != nil {
		t.Fatal(err)
	}
	c.KubeVersion = *version
	return c
}

// TestPressRendersAsHelm holds a press to Helm's own rendering.
func TestPressRendersAsHelm(t *testing.T) {
	small := loadChart(t, demanding)
	template, err := new(Charts).Load(t.Context(), filepath.Join("..", "..", "..", "charts", "app-template"), "sha256:app-template")
	if err != nil {
		t.Fatal(err)
	}
	requests := []Request{
		{Chart: small, Name: "one", Namespace: "x"},
		{Chart: small, Name: "two", Namespace: "y", Version: "2.0.0", Upgrade: true},
		{Chart: small, Name: "three", Values: Values{Map: map[string]any{"text": "{{ .Release.Name }} {{ include \"name\" . }}", "global": map[string]any{"where": "there"}}}},
		{Chart: small, Name: "fails", Values: Values{Map: map[string]any{"text": "{{ fail \"no\" }}"}}},
		{Chart: small, Name: "without", Values: Values{Map: map[string]any{"lib": map[string]any{"enabled": false}}}},
		{Chart: small, Name: "four", Values: Values{Map: map[string]any{"lib": map[string]any{"word": "other"}, "text": ""}}},
	}
	for i := range 4 {
		requests = append(requests, Request{Chart: template, Name: fmt.Sprint("app", i), Namespace: "apps", Capabilities: recent(t), Values: Values{Map: map[string]any{
			"controllers": map[string]any{"main": map[string]any{"replicas": i, "containers": map[string]any{"app": map[string]any{
				"image": map[string]any{"repository": "example.org/app", "tag": fmt.Sprint(i)},
				"env":   map[string]any{"NAME": "{{ .Release.Name }}"},
			}}}},
			"service": map[string]any{"main": map[string]any{"controller": "main", "ports": map[string]any{"http": map[string]any{"port": 80 + i}}}},
		}}})
	}
	var presses Presses
	defer presses.Close()
	check := func(r Request) {
		want, wantErr := Render(t.Context(), r)
		r.Presses = &presses
		got, gotErr := Render(t.Context(), r)
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Errorf("%s: error %v, want %v", r.Name, gotErr, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Helm +press):\n%s", r.Name, diff)
		}
	}
	for _, r := range requests {
		check(r)
	}
	var group sync.WaitGroup
	for range 4 {
		for _, r := range requests {
			group.Go(func() { check(r) })
		}
	}
	group.Wait()
	// A release that fails takes its press along, so the last ones are to succeed.
	check(requests[0])
	check(requests[len(requests)-1])
}

// compare renders with a press and with Helm's own engine and functions, holds
// the files to each other, and tells whether the press rendered them itself.
func compare(t testing.TB, presses *Presses, r Request) bool {
	t.Helper()
	render := func(f func(*chart.Chart, common.Values) (map[string]string, error)) (map[string]string, error) {
		c := r.Chart.Copy(r.Version)
		values := r.Values.Map
		if values == nil {
			values = map[string]any{}
		}
		if err := chartutil.ProcessDependencies(c, values); err != nil {
			return nil, err
		}
		options := common.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: !r.Upgrade, IsUpgrade: r.Upgrade}
		all, err := util.ToRenderValuesWithSchemaValidation(c, values, options, cmpor.Or(r.Capabilities, common.DefaultCapabilities), true)
		if err != nil {
			return nil, err
		}
		return f(c, all)
	}
	want, wantErr := render(func(c *chart.Chart, values common.Values) (map[string]string, error) {
		return engine.Engine{}.RenderWithContext(t.Context(), c, values)
	})
	tied, tiedErr := render(func(c *chart.Chart, values common.Values) (map[string]string, error) {
		swap(c, leashedFile)
		return engine.Engine{CustomTemplateFuncs: onLeash(t.Context(), Functions(nil), func(error) {})}.RenderWithContext(t.Context(), c, values)
	})
	if (wantErr == nil) != (tiedErr == nil) {
		t.Errorf("%s: on the leash %v, but without %v", r.Name, tiedErr, wantErr)
	} else if diff := cmp.Diff(want, tied); wantErr == nil && diff != "" {
		t.Errorf("%s (-Helm +Helm on the leash):\n%s", r.Name, diff)
	}
	got, gotErr := render(func(c *chart.Chart, values common.Values) (map[string]string, error) {
		made, err := presses.render(t.Context(), r.Chart, c, values, nil)
		return made.files, err
	})
	if gotErr != nil {
		if wantErr == nil && !errors.Is(gotErr, gotemplate.ErrUnsure) {
			t.Errorf("%s: %v, but Helm renders it", r.Name, gotErr)
		}
		t.Logf("%s is left to Helm: %v (Helm: %v)", r.Name, gotErr, wantErr)
		return false
	}
	if wantErr != nil {
		t.Errorf("%s is rendered, but Helm says: %v", r.Name, wantErr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-Helm +press):\n%s", r.Name, diff)
	}
	return true
}

// TestPressRendersSubcharts renders a chart whose subchart makes objects, of
// other values.
func TestPressRendersSubcharts(t *testing.T) {
	files := map[string]string{"charts/lib/templates/own.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {word: {{ .Values.word }}, name: {{ .Template.Name }}, base: {{ .Template.BasePath }}}\n"}
	for name, content := range demanding {
		files[name] = content
	}
	c := loadChart(t, files)
	var presses Presses
	if !compare(t, &presses, Request{Chart: c, Name: "r"}) {
		t.Error("no press renders it")
	}
	presses.Close()
	if _, err := Render(t.Context(), Request{Chart: loadChart(t, demanding), Name: "r", Presses: &presses}); err != nil {
		t.Errorf("after closing: %v", err)
	}
}

func file(name, content string) *common.File {
	return &common.File{Name: name, Data: []byte(content)}
}

// TestHelmRendersTheRest looks for the line that says that, and why, a release
// is left to Helm's engine.
func TestHelmRendersTheRest(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	render := func(template string) {
		t.Helper()
		c := loadChart(t, map[string]string{"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: " + template + "}\n"})
		r := Request{Chart: c, Name: "one", Namespace: "ns"}
		r.Values.Secrets.Add("correct-horse")
		objects, err := Render(t.Context(), r)
		if err != nil || len(objects) != 1 {
			t.Errorf("%d objects, %v", len(objects), err)
		}
	}
	render(`{{ upper "x" }}`)
	if strings.Contains(log.String(), "Helm's engine") {
		t.Errorf("a plain template is left to Helm: %s", &log)
	}
	render(`{{ html .Capabilities | sha256sum }}`)
	if text := log.String(); !strings.Contains(text, "level=DEBUG") || !strings.Contains(text, "release=ns/one") || !strings.Contains(text, "Capabilities is printed") {
		t.Errorf("the log says %q", text)
	}
}
