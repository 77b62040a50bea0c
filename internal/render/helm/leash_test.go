package helm

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"hearth/internal/render/helm/gotemplate"
)

func TestLeashed(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "{{ hearthStep 0 }}",
		"a {{ .b }} c":               "{{ hearthStep 4 }}a {{ .b  | hearthWrite }} c",
		"{{ range .a }} x {{ end }}": "{{ hearthStep 0 }}{{ range .a }}{{ hearthStep 3 }} x {{ end }}",
		"{{- range $i, $e := .a -}}\n x{{ end }}":          "{{ hearthStep 0 }}{{- range $i, $e := .a -}}{{ hearthStep 3 -}}\n x{{ end }}",
		`{{range (list "}}" '}')}}x{{end}}`:                `{{ hearthStep 0 }}{{range (list "}}" '}')}}{{ hearthStep 1 }}x{{end}}`,
		"{{ range `}}` }}x{{end}}":                         "{{ hearthStep 0 }}{{ range `}}` }}{{ hearthStep 1 }}x{{end}}",
		"{{/* range }} */}}{{ ranges }}":                   "{{ hearthStep 0 }}{{/* range }} */}}{{ ranges  | hearthWrite }}",
		`{{ define "x" }} {{- /* a */ -}} {{ end }}b`:      `{{ hearthStep 3 }}{{ define "x" }} {{- /* a */ -}} {{ end }}b`,
		`{{ define "x" }}y{{ end }}`:                       `{{ hearthStep 0 }}{{ define "x" }}{{ hearthEnter 1 }}y{{ hearthLeave }}{{ end }}`,
		`{{ define "x" -}} y {{- end -}}`:                  `{{ hearthStep 0 }}{{ define "x" -}}{{ hearthEnter 3 -}} y {{- hearthLeave }}{{- end -}}`,
		`{{ tpl .a $ }}`:                                   `{{ hearthStep 0 }}{{ tpl (hearthText .a) $  | hearthWrite }}`,
		`{{ $x := tpl (tpl "a b" .) . | a.tpl }}`:          `{{ hearthStep 0 }}{{ $x := tpl (hearthText (tpl (hearthText "a b") .)) . | a.tpl }}`,
		`{{ $ | tpl (.b | default "}") | tpl }}`:           `{{ hearthStep 0 }}{{ $ | tpl (hearthText (.b | default "}")) | tpl  | hearthWrite }}`,
		"{{ range":                                         "{{ hearthStep 8 }}{{ range",
		`{{ range "`:                                       `{{ hearthStep 10 }}{{ range "`,
		"{{ $a := 1 }}{{$a=2}}{{$a}}{{- $.b -}}":           "{{ hearthStep 0 }}{{ $a := 1 }}{{$a=2}}{{$a | hearthWrite }}{{- $.b  | hearthWrite -}}",
		"a{{ if .b }}cc{{ else }}d{{ end }}e":              "{{ hearthStep 5 }}a{{ if .b }}cc{{ else }}d{{ end }}e",
		"{{ range . }}a{{ range . }}bb{{ end }}c{{ end }}": "{{ hearthStep 0 }}{{ range . }}{{ hearthStep 2 }}a{{ range . }}{{ hearthStep 2 }}bb{{ end }}c{{ end }}",
		`{{ template "x" . }}{{ break }}{{ "y" }}`:         `{{ hearthStep 0 }}{{ template "x" . }}{{ break }}{{ "y"  | hearthWrite }}`,
		"{{ range . }}a{{ end }}{{ end }}b":                "{{ hearthStep 1 }}{{ range . }}{{ hearthStep 1 }}a{{ end }}{{ end }}b",
	} {
		if got := leashed(text); got != want {
			t.Errorf("%q:\n%q, not\n%q", text, got, want)
		}
	}
}

// TestLeashedChartsRenderTheSame holds Helm's engine on the leash to itself.
func TestLeashedChartsRenderTheSame(t *testing.T) {
	template, err := new(Charts).Load(t.Context(), filepath.Join("..", "..", "..", "charts", "app-template"), "sha256:app-template")
	if err != nil {
		t.Fatal(err)
	}
	app := map[string]any{"controllers": map[string]any{"main": map[string]any{"containers": map[string]any{"app": map[string]any{"image": map[string]any{"repository": "example.org/a", "tag": "1"}}}}}}
	for name, of := range map[string]struct {
		chart  *Chart
		values map[string]any
	}{"demanding": {loadChart(t, demanding), nil}, "library": {libraryChart(), libraryValues(2)}, "app-template": {template, app}} {
		want, err := installed(t, Functions(nil), of.values, func() *chart.Chart { return of.chart.Copy("") })
		if err != nil {
			t.Fatal(err)
		}
		custom := map[string]any{}
		got, err := installed(t, custom, of.values, func() *chart.Chart {
			p := of.chart.Press(t.Context(), "", &Presses{}, nil)
			p.Leave()
			maps.Copy(custom, p.Functions())
			return p.Chart
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Manifest, got.Manifest); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTheLeashEndsHelmsEngine has Helm's engine execute templates that do not end.
func TestTheLeashEndsHelmsEngine(t *testing.T) {
	for _, text := range []string{
		`{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}`,
		`{{ define "x" }}{{ if lt (int .) 60 }}{{ include "x" (add . 1) }}{{ include "x" (add . 1) }}{{ end }}{{ end }}{{ include "x" 0 }}`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		p := loadChart(t, map[string]string{"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\n", "templates/a.yaml": text}).Press(ctx, "", &Presses{}, nil)
		p.Leave()
		_, err := installed(t, p.Functions(), nil, func() *chart.Chart { return p.Chart })
		if refused := p.Refused(); err == nil || !errors.Is(refused, context.DeadlineExceeded) {
			t.Errorf("%s: %v, refused for %v", text, err, refused)
		}
		cancel()
	}
}

// TestTheLeashBoundsHelmsEngine has Helm's engine execute templates that would
// take all memory.
func TestTheLeashBoundsHelmsEngine(t *testing.T) {
	for name, text := range endless {
		t.Run(name, func(t *testing.T) {
			p := loadChart(t, map[string]string{"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\n", "templates/a.yaml": text}).Press(t.Context(), "", &Presses{}, nil)
			p.Leave()
			if _, err := installed(t, p.Functions(), nil, func() *chart.Chart { return p.Chart }); err == nil {
				t.Fatal("it is not refused")
			} else if refused := p.Refused(); !errors.Is(refused, gotemplate.ErrRefused) && !endsItself[name] {
				t.Errorf("refused for %v; it ended with %.300v", refused, err)
			}
		})
	}
}

// endsItself are the templates that Helm's engine ends without our doing.
var endsItself = map[string]bool{
	"a template that includes itself": true,
	"two that include each other":     true,
	"a template that calls itself":    true,
	"a text that runs itself":         true,
}

// TestTheLeashKnowsWhereValuesStand prints what a value tells of itself only where
// it stands.
func TestTheLeashKnowsWhereValuesStand(t *testing.T) {
	c := map[string]string{"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\n", "templates/a.yaml": "a: {{ .Capabilities.KubeVersion }} {{ .Values.none }} {{ .Values }} {{ list 1 nil 1.5 }} {{ 1.0 }} {{ true }} {{ quote nil }}\n"}
	want, err := installed(t, Functions(nil), nil, func() *chart.Chart { return loadChart(t, c).Copy("") })
	if err != nil {
		t.Fatal(err)
	}
	p := loadChart(t, c).Press(t.Context(), "", &Presses{}, nil)
	p.Leave()
	got, err := installed(t, p.Functions(), nil, func() *chart.Chart { return p.Chart })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Manifest, got.Manifest); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
