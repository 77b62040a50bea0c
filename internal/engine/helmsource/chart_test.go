package helmsource

import (
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

func TestAChartOfARepository(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0", "1.2.0", "2.0.0-rc.1")
	w.chart("early", nil)
	says(t, w.build("early"), "SourceUnavailable", "failed to get source: ")
	w.repository("stable", nil)
	says(t, w.build("early"), "NoSourceArtifact", "no artifact available for HelmRepository source 'stable'")
	index := w.index("stable")
	w.heard()
	for name, test := range map[string]struct{ version, want, reason, says string }{
		"latest": {"*", "1.2.0", sourcev1.ChartPullSucceededReason, "pulled 'demo' chart with version '1.2.0'"},
		"range":  {"~1.0", "1.0.0", sourcev1.ChartPullSucceededReason, ""},
		"exact":  {"2.0.0-rc.1", "2.0.0-rc.1", sourcev1.ChartPullSucceededReason, ""},
		"none":   {"9.x", "", "InvalidChartReference", "no version of chart \"demo\" that matches \"9.x\""},
	} {
		w.chart(name, func(s *sourcev1.HelmChartSpec) { s.Version = test.version })
		obj := w.build(name)
		says(t, obj, test.reason, test.says)
		if test.want == "" {
			if !conditions.IsStalled(obj) {
				t.Errorf("%s is not stalled", name)
			}
			continue
		}
		loaded := w.load(obj)
		if loaded.Metadata.Version != test.want || obj.Status.Artifact.Revision != test.want || obj.Status.ObservedChartName != "demo" ||
			obj.Status.ObservedSourceArtifactRevision != index.Status.Artifact.Revision || obj.Status.URL != obj.Status.Artifact.URL || obj.Status.ObservedGeneration != 1 {
			t.Errorf("%s: %+v", name, obj.Status)
		}
	}
	if events := strings.Join(w.heard(), "\n"); !strings.Contains(events, "Normal ChartPullSucceeded pulled 'demo' chart with version '1.0.0'") || !strings.Contains(events, "Warning InvalidChartReference") {
		t.Errorf("events %s", events)
	}
	before := w.build("latest")
	if again := w.build("latest"); again.ResourceVersion != before.ResourceVersion {
		t.Error("an unchanged chart was written again")
	}
	w.offer("1.0.0", "1.3.0")
	if after := w.build("latest"); after.Status.Artifact.Revision != "1.3.0" {
		t.Errorf("a new version is not followed: %v", after.Status.Artifact)
	}
	w.files["/index.yaml"] = nil
	if failed := w.build("latest"); failed.Status.Artifact.Revision != "1.3.0" || conditions.IsReady(failed) {
		t.Errorf("a failure: %+v", failed.Status)
	}
	w.chart("suspended", func(s *sourcev1.HelmChartSpec) { s.Suspend = true })
	if obj := w.build("suspended"); len(obj.Status.Conditions) > 0 {
		t.Errorf("suspended: %+v", obj.Status)
	}
}

func TestValuesFilesOfARepositorysChart(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	w.repository("stable", nil)
	w.index("stable")
	w.chart("merged", func(s *sourcev1.HelmChartSpec) { s.ValuesFiles = []string{"values.yaml", "prod.yaml"} })
	obj := w.build("merged")
	says(t, obj, sourcev1.ChartPackageSucceededReason, "packaged 'demo' chart with version '1.0.0+1' and merged values files [values.yaml prod.yaml]")
	if diff := cmp.Diff(map[string]any{"a": "prod", "b": 1.0}, w.load(obj).Values); diff != "" || obj.Status.ObservedValuesFiles != nil {
		t.Errorf("observed %v: %s", obj.Status.ObservedValuesFiles, diff)
	}
	w.chart("missing", func(s *sourcev1.HelmChartSpec) { s.ValuesFiles = []string{"none.yaml"} })
	obj = w.build("missing")
	says(t, obj, "ValuesFilesError", "no values file found at path 'none.yaml'")
	if !conditions.IsTrue(obj, sourcev1.BuildFailedCondition) || !conditions.IsStalled(obj) {
		t.Errorf("%v", obj.Status.Conditions)
	}
	w.chart("ignored", func(s *sourcev1.HelmChartSpec) {
		s.ValuesFiles, s.IgnoreMissingValuesFiles = []string{"none.yaml", "prod.yaml"}, true
	})
	obj = w.build("ignored")
	if diff := cmp.Diff([]string{"prod.yaml"}, obj.Status.ObservedValuesFiles); diff != "" || !conditions.IsReady(obj) {
		t.Errorf("%v: %s", obj.Status.Conditions, diff)
	}
}

const chartYAML = "apiVersion: v2\nname: demo\nversion: 1.0.0\n"

func (w *world) fromGit(name string, change func(*sourcev1.HelmChartSpec)) *sourcev1.HelmChart {
	w.t.Helper()
	w.chart(name, func(s *sourcev1.HelmChartSpec) {
		s.Chart, s.SourceRef = "./charts/demo", sourcev1.LocalHelmChartSourceReference{Kind: sourcev1.GitRepositoryKind, Name: "home"}
		if change != nil {
			change(s)
		}
	})
	return w.build(name)
}

func TestAChartOfAFolder(t *testing.T) {
	w := newWorld(t)
	home := &sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Name: "home"}}
	files := map[string]string{
		"charts/demo/Chart.yaml": chartYAML, "charts/demo/values.yaml": "a: default\n", "values/prod.yaml": "a: prod\n",
		"packed/other-2.0.0.tgz": string(archive(t, "other", "2.0.0", nil)), "bad/Chart.yaml": "name: [",
	}
	w.folder(home, "main@sha1:0123456789abcdef", files)
	obj := w.fromGit("plain", nil)
	says(t, obj, sourcev1.ChartPackageSucceededReason, "packaged 'demo' chart with version '1.0.0'")
	if loaded := w.load(obj); loaded.Values["a"] != "default" || obj.Status.ObservedSourceArtifactRevision != "main@sha1:0123456789abcdef" {
		t.Errorf("%v of %+v", loaded.Values, obj.Status)
	}
	values := w.fromGit("values", func(s *sourcev1.HelmChartSpec) {
		s.ValuesFiles, s.ReconcileStrategy = []string{"charts/demo/values.yaml", "./values/prod.yaml"}, sourcev1.ReconcileStrategyRevision
	})
	says(t, values, sourcev1.ChartPackageSucceededReason, "'1.0.0+0123456789ab.1'")
	if loaded := w.load(values); loaded.Values["a"] != "prod" {
		t.Errorf("values %v", loaded.Values)
	}
	says(t, w.fromGit("packed", func(s *sourcev1.HelmChartSpec) { s.Chart = "packed/other-2.0.0.tgz" }), sourcev1.ChartPullSucceededReason, "pulled 'other' chart with version '2.0.0'")
	for name, path := range map[string]string{"outside": "../../etc", "nowhere": "charts/none", "bad": "bad"} {
		if obj := w.fromGit(name, func(s *sourcev1.HelmChartSpec) { s.Chart = path }); conditions.GetReason(obj, sourcev1.FetchFailedCondition) != "InvalidChartReference" {
			t.Errorf("%s: %v", name, obj.Status.Conditions)
		}
	}
	revision := w.fromGit("revision", func(s *sourcev1.HelmChartSpec) { s.ReconcileStrategy = sourcev1.ReconcileStrategyRevision })
	// A change that keeps the version counts where the strategy says so.
	files["charts/demo/values.yaml"] = "a: changed\n"
	w.folder(home, "main@sha1:fedcba9876543210", files)
	if kept := w.build("plain"); kept.Status.Artifact.Digest != obj.Status.Artifact.Digest {
		t.Error("a chart of the same version was packed anew")
	}
	if changed := w.build("revision"); changed.Status.Artifact.Digest == revision.Status.Artifact.Digest || changed.Status.Artifact.Revision != "1.0.0+fedcba987654" {
		t.Errorf("a new revision was not packed: %v", changed.Status.Artifact)
	}
}

func TestAChartOfABucket(t *testing.T) {
	w := newWorld(t)
	w.folder(&sourcev1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: "home"}}, "sha256:0123456789abcdef", map[string]string{"charts/demo/Chart.yaml": chartYAML})
	obj := w.fromGit("demo", func(s *sourcev1.HelmChartSpec) {
		s.SourceRef.Kind, s.ReconcileStrategy = sourcev1.BucketKind, sourcev1.ReconcileStrategyRevision
	})
	says(t, obj, sourcev1.ChartPackageSucceededReason, "'1.0.0+0123456789ab'")
}

func TestDependencies(t *testing.T) {
	w := newWorld(t, secret("login", map[string]string{"username": "owner", "password": "hunter2"}))
	w.offer("1.0.0", "1.5.0")
	w.login = "owner:hunter2"
	w.repository("stable", func(s *sourcev1.HelmRepositorySpec) { s.SecretRef = &meta.LocalObjectReference{Name: "login"} })
	dependencies := func(lines ...string) map[string]string {
		return map[string]string{
			"charts/demo/Chart.yaml": strings.Replace(chartYAML, "demo", "umbrella", 1) + "dependencies:\n- " + strings.Join(lines, "\n- ") + "\n",
			"charts/lib/Chart.yaml":  "apiVersion: v2\nname: lib\nversion: 0.3.0\n",
		}
	}
	remote := "{name: demo, version: 1.x, repository: '" + w.server.URL + "/', alias: renamed}"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
		says  string
	}{
		"local-and-remote": {dependencies("{name: lib, version: 0.x, repository: 'file://../lib'}", remote), []string{"lib 0.3.0", "renamed 1.5.0"}, ""},
		"another-version":  {dependencies("{name: lib, version: 1.x, repository: 'file://../lib'}"), nil, "failed to add local dependency 'lib': can't get a valid version for constraint '1.x'"},
		"outside":          {dependencies("{name: lib, version: 0.x, repository: 'file://../../../../etc'}"), nil, "no chart found at '/etc'"},
		"an-alias":         {dependencies("{name: lib, version: 0.x, repository: '@stable'}"), nil, "aliased repository dependency is not supported"},
		"not-there":        {dependencies("{name: none, version: 1.x, repository: '" + w.server.URL + "'}"), nil, "failed to get chart 'none' version '1.x'"},
		"missing":          {dependencies("{name: lib, version: 0.x}"), nil, "no chart found at '/charts/demo/charts/lib'"},
	} {
		t.Run(name, func(t *testing.T) {
			w.folder(&sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Name: name}}, "main@sha1:0123456789abcdef", test.files)
			obj := w.fromGit(name, func(s *sourcev1.HelmChartSpec) { s.SourceRef.Name = name })
			if test.says != "" {
				says(t, obj, "DependencyBuildError", test.says)
				return
			}
			var got []string
			for _, dependency := range w.load(obj).Dependencies() {
				got = append(got, dependency.Name()+" "+dependency.Metadata.Version)
			}
			if diff := cmp.Diff(test.want, sorted(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func sorted(names []string) []string {
	if len(names) == 2 && names[0] > names[1] {
		names[0], names[1] = names[1], names[0]
	}
	return names
}

func TestAChartOfARegistry(t *testing.T) {
	owner, public := ocitest.NewKey(t)
	w := newWorld(t, secret("keys", map[string]string{"owner.pub": string(public)}), secret("login", map[string]string{"username": "owner", "password": "hunter2"}))
	registry := ocitest.New(t)
	registry.Username, registry.Password = "owner", "hunter2"
	push := func(version string, sign bool) {
		digest := registry.Push("charts/demo", strings.ReplaceAll(version, "+", "_"), nil, ocitest.Layer{MediaType: source.HelmChartLayer, Content: archive(t, "demo", version, nil)})
		if sign {
			registry.Sign("charts/demo", digest, owner)
		}
	}
	push("1.0.0", true)
	push("1.1.0+build", true)
	push("2.0.0", false)
	w.repository("stable", func(s *sourcev1.HelmRepositorySpec) {
		s.Type, s.URL, s.Insecure, s.SecretRef = sourcev1.HelmRepositoryTypeOCI, registry.URL("charts"), true, &meta.LocalObjectReference{Name: "login"}
	})
	signed := &sourcev1.HelmChartVerification{Provider: "cosign", SecretRef: &meta.LocalObjectReference{Name: "keys"}}
	for name, test := range map[string]struct {
		version, want, reason string
		verify                *sourcev1.HelmChartVerification
	}{
		"range":    {"1.x", "1.1.0+build", sourcev1.ChartPullSucceededReason, nil},
		"exact":    {"1.0.0", "1.0.0", sourcev1.ChartPullSucceededReason, nil},
		"signed":   {"1.0.0", "1.0.0", sourcev1.ChartPullSucceededReason, signed},
		"unsigned": {"2.0.0", "", "ChartVerificationError", signed},
		"keyless":  {"1.0.0", "", "ChartVerificationError", &sourcev1.HelmChartVerification{Provider: "cosign"}},
		"none":     {"9.x", "", "ChartPullError", nil},
	} {
		w.chart(name, func(s *sourcev1.HelmChartSpec) { s.Version, s.Verify = test.version, test.verify })
		obj := w.build(name)
		says(t, obj, test.reason, "")
		if test.want != "" && (!obj.Status.Artifact.HasRevision(test.want) || w.load(obj).Metadata.Version != test.want) {
			t.Errorf("%s: %v", name, obj.Status.Artifact)
		}
		if test.verify != nil && conditions.IsTrue(obj, sourcev1.SourceVerifiedCondition) != (test.want != "") {
			t.Errorf("%s: %v", name, obj.Status.Conditions)
		}
	}
	w.repository("aws", func(s *sourcev1.HelmRepositorySpec) {
		s.Type, s.URL, s.Provider = sourcev1.HelmRepositoryTypeOCI, registry.URL("charts"), "aws"
	})
	w.chart("aws", func(s *sourcev1.HelmChartSpec) { s.SourceRef.Name = "aws" })
	says(t, w.build("aws"), "AuthenticationFailed", "cannot sign in with the provider 'aws'")
}

func TestVerifyOfAnHTTPRepository(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	w.repository("stable", nil)
	w.index("stable")
	w.chart("demo", func(s *sourcev1.HelmChartSpec) { s.Verify = &sourcev1.HelmChartVerification{Provider: "cosign"} })
	says(t, w.build("demo"), "ChartVerificationError", "use a HelmRepository of type oci")
}

func FuzzWithin(f *testing.F) {
	f.Add("../../etc")
	f.Add("/a/../../b")
	f.Fuzz(func(t *testing.T, name string) {
		if got := within("/root", "charts/demo", name); got != "/root" && !strings.HasPrefix(got, "/root/") {
			t.Errorf("%q leads to %q", name, got)
		}
	})
}
