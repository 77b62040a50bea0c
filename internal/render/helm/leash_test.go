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
)

func TestLeashed(t *testing.T) {
	const step, trim = "{{ hearthStep }}", "{{ hearthStep -}}"
	for text, want := range map[string]string{
		"":                           step,
		"a {{ .b }} c":               step + "a {{ .b }} c",
		"{{ range .a }} x {{ end }}": step + "{{ range .a }}" + step + " x {{ end }}",
		"{{- range $i, $e := .a -}}\n x{{ end }}":    step + "{{- range $i, $e := .a -}}" + trim + "\n x{{ end }}",
		`{{range (list "}}" '}')}}x{{end}}`:          step + `{{range (list "}}" '}')}}` + step + `x{{end}}`,
		"{{ range `}}` }}x{{end}}":                   step + "{{ range `}}` }}" + step + "x{{end}}",
		"{{/* range }} */}}{{ ranges }}":             step + "{{/* range }} */}}{{ ranges }}",
		`{{ define "x" }} {{- /* a */ -}} {{ end }}`: step + `{{ define "x" }} {{- /* a */ -}} {{ end }}`,
		`{{ define "x" }}y{{ end }}`:                 step + `{{ define "x" }}` + step + `y{{ end }}`,
		"{{ range":                                   step + "{{ range",
		`{{ range "`:                                 step + `{{ range "`,
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
