package helm

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	kubefake "helm.sh/helm/v4/pkg/kube/fake"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"

	"hearth/internal/render/helm/gotemplate"
)

// installed installs a chart, and upgrades it, without a cluster; custom are
// template functions.
func installed(t *testing.T, custom map[string]any, values map[string]any, chartOf func() *chart.Chart) (*releasev1.Release, error) {
	t.Helper()
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	config.Releases = storage.Init(driver.NewMemory())
	config.KubeClient = &kubefake.PrintingKubeClient{Out: io.Discard, LogOutput: io.Discard}
	config.Capabilities = recent(t)
	config.CustomTemplateFuncs = custom
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace, install.SkipCRDs = "demo", "apps", true
	first, err := install.Run(chartOf(), values)
	if err != nil {
		return nil, err
	}
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace, upgrade.SkipCRDs = "apps", true
	second, err := upgrade.Run("demo", chartOf(), values)
	if err != nil {
		return nil, err
	}
	rel := *second.(*releasev1.Release)
	rel.Hooks = append(rel.Hooks, first.(*releasev1.Release).Hooks...)
	rel.Manifest += "\n# the first\n" + first.(*releasev1.Release).Manifest
	rel.Info.Notes += first.(*releasev1.Release).Info.Notes
	return &rel, nil
}

// TestActionsRenderWithAPress holds the records of releases that a press
// rendered to those of Helm's engine.
func TestActionsRenderWithAPress(t *testing.T) {
	parts := maps.Clone(demanding)
	parts["Chart.yaml"] = "apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies:\n- {name: lib, version: 1.0.0, alias: twin, condition: twin.enabled}\n- {name: lib, version: 1.0.0, condition: lib.enabled}\n"
	parts["templates/NOTES.txt"] = "{{ .Release.Name }} is {{ if .Release.IsUpgrade }}upgraded{{ else }}new{{ end }}, revision {{ .Release.Revision }}.\n"
	parts["templates/hook.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, annotations: {helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-weight: \"3\"}}\n"
	parts["charts/lib/templates/lib.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata: {word: {{ include \"lib.word\" . }}, root: {{ .Chart.IsRoot | quote }}}\n"
	parts["crds/a.yaml"] = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
	template, err := new(Charts).Load(t.Context(), filepath.Join("..", "..", "..", "charts", "app-template"), "sha256:app-template")
	if err != nil {
		t.Fatal(err)
	}
	app := map[string]any{
		"controllers": map[string]any{"main": map[string]any{"containers": map[string]any{"app": map[string]any{"image": map[string]any{"repository": "example.org/a", "tag": "1"}}}}},
		"service":     map[string]any{"main": map[string]any{"controller": "main", "ports": map[string]any{"http": map[string]any{"port": 80}}}},
	}
	for name, of := range map[string]struct {
		chart  *Chart
		values map[string]any
	}{
		"parts":         {loadChart(t, parts), nil},
		"without twin":  {loadChart(t, parts), map[string]any{"twin": map[string]any{"enabled": false}}},
		"library chart": {libraryChart(), libraryValues(3)},
		"app-template":  {template, app},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := installed(t, Functions(nil), of.values, func() *chart.Chart { return of.chart.Copy("1.2.3") })
			if err != nil {
				t.Fatal(err)
			}
			var presses Presses
			custom := map[string]any{}
			var all []*Pressing
			got, err := installed(t, custom, of.values, func() *chart.Chart {
				p := of.chart.Press(t.Context(), "1.2.3", &presses, nil)
				all = append(all, p)
				maps.Copy(custom, p.Functions())
				return p.Chart
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range all {
				if p.run == nil || p.err != nil {
					t.Errorf("it was not pressed: %v", p.err)
				}
				p.Restore()
			}
			if want.Manifest == "" || want.Manifest != got.Manifest {
				t.Errorf("manifest (-want +got):\n%s", cmp.Diff(want.Manifest, got.Manifest))
			}
			if want.Info.Notes != got.Info.Notes {
				t.Errorf("notes %q, not %q", got.Info.Notes, want.Info.Notes)
			}
			if diff := cmp.Diff(want.Config, got.Config); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if len(want.Hooks) != len(got.Hooks) {
				t.Fatalf("%d hooks, not %d", len(got.Hooks), len(want.Hooks))
			}
			for i := range want.Hooks {
				if diff := cmp.Diff(want.Hooks[i].Manifest, got.Hooks[i].Manifest); diff != "" {
					t.Errorf("hook (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(textsOf(want.Chart), textsOf(got.Chart)); diff != "" {
				t.Errorf("the chart on record (-want +got):\n%s", diff)
			}
		})
	}
}

// textsOf lists a chart's templates by name.
func textsOf(c *chart.Chart) map[string]string {
	texts := map[string]string{}
	for _, one := range templatesOf(c) {
		texts[one.name] = string(one.file.Data)
	}
	return texts
}

// TestActionsWithAnEndlessTemplateEnd ends actions whose template does not, and
// leaves to Helm what no press is sure of.
func TestActionsWithAnEndlessTemplateEnd(t *testing.T) {
	head := "apiVersion: v2\nname: demo\nversion: 1.0.0\n"
	for name, of := range map[string]struct {
		template        string
		refused, unsure bool
		timeout         time.Duration
	}{
		"without end":  {`{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}`, true, false, 200 * time.Millisecond},
		"without size": {`{{ $s := repeat 100000 "x" }}{{ range until 100000 }}{{ $s }}{{ end }}`, true, false, time.Hour},
		"failing":      {`{{ fail "no" }}`, false, true, time.Hour},
		"fine":         {`a: b`, false, false, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), of.timeout)
			defer cancel()
			var presses Presses
			p := loadChart(t, map[string]string{"Chart.yaml": head, "templates/a.yaml": of.template}).Press(ctx, "", &presses, nil)
			_, err := installed(t, p.Functions(), nil, func() *chart.Chart { return p.Chart })
			if (p.Refused() != nil) != of.refused || (p.Unsure() != nil) != of.unsure {
				t.Errorf("refused: %v, unsure: %v, with the error %v", p.Refused(), p.Unsure(), err)
			}
			if refused := p.Refused(); refused != nil && !errors.Is(refused, gotemplate.ErrRefused) && !errors.Is(refused, context.DeadlineExceeded) {
				t.Errorf("refused for %v", refused)
			}
		})
	}
}
