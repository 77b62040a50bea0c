package helmrelease

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/helm"
)

func TestReleaseName(t *testing.T) {
	long := strings.Repeat("a", 60)
	for name, want := range map[string]string{
		"demo":                  "demo",
		strings.Repeat("a", 53): strings.Repeat("a", 53),
		long:                    strings.Repeat("a", 40) + "-" + shortened(long)[41:],
	} {
		got := shortened(name)
		if got != want || len(got) > longestName {
			t.Errorf("%s is shortened to %s", name, got)
		}
	}
	if shortened(long) == shortened(long+"b") {
		t.Error("two names are shortened to one")
	}
}

func TestVersionOf(t *testing.T) {
	for _, test := range []struct{ version, revision, want, digest string }{
		{"1.2.3", "1.2.3@sha256:0123456789abcdef", "1.2.3+0123456789ab", "sha256:0123456789abcdef"},
		{"1.2.3", "sha256:0123456789abcdef", "1.2.3+0123456789ab", "sha256:0123456789abcdef"},
		{"1.2.3", "1.2.3", "", ""},
		{"one", "sha256:0123456789abcdef", "", ""},
	} {
		got, digest, err := versionOf(test.version, test.revision)
		if got != test.want || digest != test.digest || (err == nil) != (test.want != "") {
			t.Errorf("%s at %s: %s, %s, %v", test.version, test.revision, got, digest, err)
		}
	}
}

// newStep returns a step of a HelmRelease with a chart.
func newStep(t *testing.T, change func(*helmv2.HelmRelease)) *step {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte("apiVersion: v2\nname: demo\nversion: 1.0.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := new(helm.Charts).Load(t.Context(), dir, "sha256:test")
	if err != nil {
		t.Fatal(err)
	}
	hr := &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "demo", Generation: 1}}
	if change != nil {
		change(hr)
	}
	return &step{reconciler: &reconciler{}, hr: hr, before: hr.DeepCopy(), chart: c, version: "1.0.0"}
}

const rendered = `apiVersion: v1
kind: Service
metadata:
  name: a
  labels: {app: a, team: nobody}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b}
spec: {template: {spec: {containers: [{name: main, image: example.com/b:1}]}}}
`

func TestPostRenderer(t *testing.T) {
	patch := func(p string) helmv2.PostRenderer {
		return helmv2.PostRenderer{Kustomize: &helmv2.Kustomize{
			Patches: []kustomize.Patch{{Patch: p, Target: &kustomize.Selector{Kind: "Deployment", Name: "b"}}},
			Images:  []kustomize.Image{{Name: "example.com/b", NewTag: "2"}},
		}}
	}
	for _, test := range []struct {
		name   string
		change func(*helmv2.HelmRelease)
		has    []string
		count  int
	}{
		{"marks every object", nil, []string{"helm.toolkit.fluxcd.io/name: demo", "helm.toolkit.fluxcd.io/namespace: ns"}, 2},
		{"adds common metadata", func(hr *helmv2.HelmRelease) {
			hr.Spec.CommonMetadata = &helmv2.CommonMetadata{Labels: map[string]string{"team": "home"}, Annotations: map[string]string{"note": "x"}}
		}, []string{"team: home", "note: x"}, 2},
		{"patches", func(hr *helmv2.HelmRelease) {
			hr.Spec.PostRenderers = []helmv2.PostRenderer{patch("- op: add\n  path: /spec/replicas\n  value: 3\n")}
		}, []string{"replicas: 3", "image: example.com/b:2"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := newStep(t, test.change).postRenderer().Run(bytes.NewBufferString(rendered))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.has {
				if got := strings.Count(out.String(), want); got != test.count {
					t.Errorf("%q stands there %d times, not %d:\n%s", want, got, test.count, out)
				}
			}
		})
	}
	broken := newStep(t, func(hr *helmv2.HelmRelease) {
		hr.Spec.PostRenderers = []helmv2.PostRenderer{patch("- op: remove\n  path: /spec/nope/deep\n")}
	})
	if _, err := broken.postRenderer().Run(bytes.NewBufferString(rendered)); err == nil || !strings.Contains(err.Error(), "post-renderer") {
		t.Errorf("a patch that does not fit: %v", err)
	}
}

func TestDecide(t *testing.T) {
	failed := func(strategy helmv2.RemediationStrategy, retries int, failures int64) func(*helmv2.HelmRelease) {
		return func(hr *helmv2.HelmRelease) {
			hr.Status.LastAttemptedReleaseAction = helmv2.ReleaseActionUpgrade
			hr.Status.UpgradeFailures = failures
			hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{Retries: retries, Strategy: &strategy}}
		}
	}
	installFailed := func(retries int, failures int64) func(*helmv2.HelmRelease) {
		return func(hr *helmv2.HelmRelease) {
			hr.Status.LastAttemptedReleaseAction = helmv2.ReleaseActionInstall
			hr.Status.InstallFailures = failures
			hr.Spec.Install = &helmv2.Install{Remediation: &helmv2.InstallRemediation{Retries: retries}}
		}
	}
	force := func(hr *helmv2.HelmRelease) {
		hr.Annotations = map[string]string{helmv2.ForceRequestAnnotation: "x", meta.ReconcileRequestAnnotation: "x"}
	}
	for _, test := range []struct {
		name    string
		state   state
		change  []func(*helmv2.HelmRelease)
		want    string
		stalled string
	}{
		{"in sync", stateInSync, nil, "", ""},
		{"in sync, but forced", stateInSync, []func(*helmv2.HelmRelease){force}, "upgrade", ""},
		{"absent", stateAbsent, nil, "install", ""},
		{"absent with a retry left", stateAbsent, []func(*helmv2.HelmRelease){installFailed(2, 2)}, "install", ""},
		{"absent with none left", stateAbsent, []func(*helmv2.HelmRelease){installFailed(2, 3)}, "", "Failed to install after 3 attempt(s)"},
		{"absent with none left, but forced", stateAbsent, []func(*helmv2.HelmRelease){installFailed(2, 3), force}, "install", ""},
		{"endless retries", stateAbsent, []func(*helmv2.HelmRelease){installFailed(-1, 300)}, "install", ""},
		{"locked", stateLocked, nil, "unlock", ""},
		{"unmanaged", stateUnmanaged, nil, "upgrade", ""},
		{"out of sync", stateOutOfSync, nil, "upgrade", ""},
		{"out of sync with none left", stateOutOfSync, []func(*helmv2.HelmRelease){failed("rollback", 1, 2)}, "", "Failed to upgrade after 2 attempt(s)"},
		{"untested", stateUntested, nil, "test", ""},
		{"failed for other reasons", stateFailed, []func(*helmv2.HelmRelease){failed("rollback", 1, 0)}, "upgrade", ""},
		{"failed install", stateFailed, []func(*helmv2.HelmRelease){installFailed(1, 1)}, "uninstall", ""},
		{"failed install, none left", stateFailed, []func(*helmv2.HelmRelease){installFailed(0, 1)}, "", "Failed to install after 1 attempt(s)"},
		{"failed upgrade to uninstall", stateFailed, []func(*helmv2.HelmRelease){failed("uninstall", 1, 1)}, "uninstall", ""},
		{"failed upgrade without a target", stateFailed, []func(*helmv2.HelmRelease){failed("rollback", 1, 1)}, "", "Failed to perform remediation: missing target release for rollback"},
		{"failed upgrade to be retried", stateFailed, []func(*helmv2.HelmRelease){failed("rollback", 0, 9), func(hr *helmv2.HelmRelease) {
			hr.Spec.Upgrade.Strategy = &helmv2.UpgradeStrategy{Name: "RetryOnFailure"}
		}}, "upgrade", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStep(t, func(hr *helmv2.HelmRelease) {
				for _, c := range test.change {
					c(hr)
				}
			})
			next, err := s.decide(test.state)
			got := ""
			if next != nil {
				got = next.name
			}
			if got != test.want || (err != nil) != (test.stalled != "") {
				t.Errorf("got %q, %v", got, err)
			}
			if message := conditions.GetMessage(s.hr, meta.StalledCondition); message != test.stalled {
				t.Errorf("stalled: %q, want %q", message, test.stalled)
			}
		})
	}
}

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		name     string
		err      error
		change   func(*helmv2.HelmRelease)
		times    int
		after    time.Duration
		observed bool
	}{
		{"ready", nil, nil, 1, time.Hour, true},
		{"stalled", errStalled, nil, 1, 0, true},
		{"waiting", errWaiting, nil, 1, time.Hour, false},
		{"first retry", errRetry, nil, 1, time.Second, false},
		{"third retry", errRetry, nil, 3, 4 * time.Second, false},
		{"capped by the interval", errRetry, nil, 20, time.Hour, false},
		{"capped by the retry interval", errRetry, func(hr *helmv2.HelmRelease) {
			hr.Status.LastAttemptedReleaseAction = helmv2.ReleaseActionInstall
			hr.Spec.Install = &helmv2.Install{Strategy: &helmv2.InstallStrategy{Name: "RetryOnFailure", RetryInterval: &metav1.Duration{Duration: time.Minute}}}
		}, 20, time.Minute, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStep(t, test.change)
			s.hr.Spec.Interval = metav1.Duration{Duration: time.Hour}
			var got time.Duration
			for range test.times {
				got = s.settle(test.err).RequeueAfter
			}
			if got != test.after || (s.hr.Status.ObservedGeneration == 1) != test.observed {
				t.Errorf("again after %s, observed %d", got, s.hr.Status.ObservedGeneration)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	rel := func() *releasev1.Release {
		return &releasev1.Release{
			Name: "demo", Namespace: "ns", Version: 2, Manifest: "a: 1", Config: map[string]any{"a": 1},
			Info:  &releasev1.Info{Status: common.StatusDeployed},
			Chart: &chart.Chart{Metadata: &chart.Metadata{Name: "demo", Version: "1.0.0"}},
			Hooks: []*releasev1.Hook{{Path: "h", Manifest: "m", Events: []releasev1.HookEvent{releasev1.HookTest}}},
		}
	}
	snapshot, err := snapshotOf(rel(), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*releasev1.Release)
		want   error
	}{
		"the same":             {func(*releasev1.Release) {}, nil},
		"tests ran":            {func(r *releasev1.Release) { r.Hooks[0].LastRun.Phase = "Succeeded" }, nil},
		"another revision":     {func(r *releasev1.Release) { r.Version = 3 }, errNotObserved},
		"another manifest":     {func(r *releasev1.Release) { r.Manifest = "a: 2" }, errDigestChanged},
		"rolled back by Helm":  {func(r *releasev1.Release) { r.Info.Status = common.StatusSuperseded }, errDigestChanged},
		"values read as JSON":  {func(r *releasev1.Release) { r.Config["a"] = float64(1) }, nil},
		"values are others":    {func(r *releasev1.Release) { r.Config["a"] = 2 }, errDigestChanged},
		"the chart is another": {func(r *releasev1.Release) { r.Chart.Metadata.Version = "2" }, errDigestChanged},
	} {
		changed := rel()
		test.change(changed)
		if got := verifyObserved(snapshot, changed); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	config, err := digestOfValues(rel().Config)
	if err != nil {
		t.Fatal(err)
	}
	wanted := chart.Metadata{Name: "demo", Version: "1.0.0"}
	if err := verifyDesired(rel(), &wanted, config); err != nil {
		t.Error(err)
	}
	if err := verifyDesired(rel(), &chart.Metadata{Name: "demo", Version: "1.0.1"}, config); err != errChartChanged {
		t.Error(err)
	}
	if err := verifyDesired(rel(), &wanted, "sha256:other"); err != errConfigChanged {
		t.Error(err)
	}
}

func TestLocated(t *testing.T) {
	dir := t.TempDir()
	const file = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: demo\n  namespace: ns\nspec:\n  values:\n    main:\n      replicas: many\n"
	if err := os.WriteFile(filepath.Join(dir, "release.yaml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newStep(t, nil)
	s.o.Index = &render.Index{}
	key := render.Key{Group: helmv2.GroupVersion.Group, Kind: helmv2.HelmReleaseKind, Namespace: "ns", Name: "demo"}
	s.o.Index.Put(key, render.Origin{Root: dir, File: "release.yaml"})
	s.values.Secrets.Add("hunter22")
	got := s.located(errorString("demo:\n- at '/main/replicas': got string, want integer, not hunter22\n"))
	if want := (domain.Place{File: "release.yaml", Line: 9}).String(); !strings.HasSuffix(got, "("+want+")") || strings.Contains(got, "hunter22") {
		t.Errorf("got %q, want it to end with %s", got, want)
	}
}

type errorString string

func (e errorString) Error() string { return string(e) }
