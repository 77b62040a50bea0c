package integration_test

import (
	"strings"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
)

// TestHelmReleaseInterop has Helm's own command look at, change, roll back,
// uninstall and install what Hearth releases. What it did, Hearth notices at
// the next reconciliation, and makes the release as Git asks again.
func TestHelmReleaseInterop(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", `{"greeting":"one"}`)
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"greeting":"two"}`) })
	r.ready(hr)
	helm := r.helmCLI()
	chart, err := loader.LoadArchive(strings.NewReader(string(archiveOf(t, "settings", "1.0.0", settings))))
	if err != nil {
		t.Fatal(err)
	}

	all, err := action.NewHistory(helm).Run("demo")
	if err != nil || len(all) != 2 {
		t.Fatalf("helm history shows %d revisions: %v", len(all), err)
	}
	listed, err := action.NewList(helm).Run()
	if err != nil || len(listed) != 1 {
		t.Fatalf("helm list shows %d releases: %v", len(listed), err)
	}
	if rel := listed[0].(*releasev1.Release); rel.Name != "demo" || rel.Version != 2 || rel.Info.Status != common.StatusDeployed || rel.Chart.Name() != "settings" {
		t.Errorf("helm list shows %s, revision %d, %s", rel.Name, rel.Version, rel.Info.Status)
	}
	values, err := action.NewGetValues(helm).Run("demo")
	if diff := cmp.Diff(map[string]any{"greeting": "two"}, values); err != nil || diff != "" {
		t.Errorf("helm get values: %v\n%s", err, diff)
	}
	status, err := action.NewGet(helm).Run("demo")
	if err != nil || status.(*releasev1.Release).Version != 2 || !strings.Contains(status.(*releasev1.Release).Manifest, `greeting: "two"`) {
		t.Errorf("helm get manifest: %+v, %v", status, err)
	}
	// On record are the chart's own templates, whatever rendered them.
	if templates := status.(*releasev1.Release).Chart.Templates; len(templates) != 1 || string(templates[0].Data) != settings["templates/config.yaml"] {
		t.Errorf("the record's templates are %v", templates)
	}

	back := action.NewRollback(helm)
	back.Version, back.WaitStrategy, back.ServerSideApply, back.ForceConflicts = 1, kube.HookOnlyStrategy, "true", true
	if err := back.Run("demo"); err != nil {
		t.Fatalf("helm rollback: %v", err)
	}
	if got := r.configMap("demo")["greeting"]; got != "one" {
		t.Errorf("rolled back to %q", got)
	}
	r.backAt(hr, "two", 4)

	upgrade := action.NewUpgrade(helm)
	upgrade.Namespace, upgrade.WaitStrategy, upgrade.ServerSideApply, upgrade.ForceConflicts = r.namespace, kube.HookOnlyStrategy, "true", true
	if _, err := upgrade.Run("demo", chart, map[string]any{"greeting": "by hand"}); err != nil {
		t.Fatalf("helm upgrade: %v", err)
	}
	r.backAt(hr, "two", 6)

	uninstall := action.NewUninstall(helm)
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	if _, err := uninstall.Run("demo"); err != nil {
		t.Fatalf("helm uninstall: %v", err)
	}
	r.backAt(hr, "two", 1)

	// One that Helm made before there was a HelmRelease.
	install := action.NewInstall(helm)
	install.ReleaseName, install.Namespace, install.WaitStrategy = "older", r.namespace, kube.HookOnlyStrategy
	if _, err := install.Run(chart, map[string]any{"greeting": "theirs"}); err != nil {
		t.Fatalf("helm install: %v", err)
	}
	older := r.release("older", "settings", `{"greeting":"ours"}`)
	r.ready(older)
	if rel := r.revision("older"); rel.Version != 2 || rel.Info.Status != common.StatusDeployed || r.configMap("older")["greeting"] != "ours" {
		t.Errorf("revision %d is %s", rel.Version, rel.Info.Status)
	}
	if got := older.Status.History.Latest(); got.Action != helmv2.ReleaseActionUpgrade {
		t.Errorf("taken over by %s", got.Action)
	}
}

// backAt asks for a reconciliation, and waits until the release is as desired
// with a revision.
func (r *releases) backAt(hr *helmv2.HelmRelease, greeting string, revision int) {
	r.t.Helper()
	r.request(hr)
	r.await(hr, patience, "as desired again", func() bool {
		return conditions.IsTrue(hr, meta.ReadyCondition) && hr.Status.History.Latest().Version == revision
	})
	if got := r.configMap(hr.Name)["greeting"]; got != greeting {
		r.t.Errorf("greeting %q", got)
	}
	r.settled(hr.Name)
}
