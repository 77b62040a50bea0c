package integration_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestHelmReleaseRichChart installs, tests and upgrades a chart that has all
// that charts may have.
func TestHelmReleaseRichChart(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	group := r.namespace + ".rich.dev"
	r.push("rich", "1.0.0", rich(group))
	hr := r.release("demo", "rich", `{"greeting":"servus","global":{"zone":"attic"}}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.PersistentClient = new(bool)
		hr.Spec.Test = &helmv2.Test{Enable: true, Filters: &[]helmv2.Filter{{Name: "demo-test-two", Exclude: true}}, Timeout: seconds(90)}
	})
	r.ready(hr)
	defer r.definedVersion(group)
	if got := r.configMap("demo"); got["greeting"] != "servus" || got["replicas"] != "1" {
		t.Errorf("app: %v", got)
	}
	if got := r.configMap("demo-db"); got["engine"] != "sqlite" || got["zone"] != "attic" {
		t.Errorf("subchart: %v", got)
	}
	if r.configMap("demo-cache") != nil {
		t.Error("a subchart is there whose condition is false")
	}
	if r.configMap("demo-pre") == nil || r.configMap("demo-post") != nil {
		t.Error("the wrong hooks ran")
	}
	want := []string{"ConfigMap/demo", "ConfigMap/demo-db", "CustomResourceDefinition/things." + group, "Thing/demo"}
	if diff := cmp.Diff(want, inventoryOf(hr)); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
	latest := hr.Status.History.Latest()
	if tests := latest.GetTestHooks(); len(tests) != 1 || tests["demo-test-one"].Phase != "Succeeded" || tests["demo-test-one"].LastCompleted.IsZero() {
		t.Errorf("tests: %+v", tests)
	}
	if r.configMap("demo-test-two") != nil {
		t.Error("a test ran that is excluded")
	}
	if latest.AppVersion != "7" || latest.Action != helmv2.ReleaseActionInstall || latest.APIVersion != helmv2.CurrentSnapshotAPIVersion ||
		latest.ConfigDigest == "" || latest.FirstDeployed.IsZero() || latest.LastDeployed.IsZero() || latest.Namespace != r.namespace || latest.Name != "demo" {
		t.Errorf("history: %+v", latest)
	}
	if hr.Status.LastAttemptedReleaseAction != helmv2.ReleaseActionInstall || hr.Status.LastAttemptedReleaseActionDuration == nil ||
		hr.Status.LastAttemptedGeneration != hr.Generation || hr.Status.LastAttemptedConfigDigest != latest.ConfigDigest || hr.Status.StorageNamespace != r.namespace {
		t.Errorf("status: %+v", hr.Status)
	}

	r.change(hr, func() {
		hr.Spec.Values = jsonOf(t, `{"db":{"enabled":false},"cache":{"enabled":true}}`)
		hr.Spec.Test.Filters = &[]helmv2.Filter{{Name: "demo-test-two"}}
	})
	r.ready(hr)
	if r.configMap("demo-db") != nil || r.configMap("demo-cache") == nil || r.configMap("demo-post") == nil {
		t.Error("the upgrade did not switch the subcharts, or ran no hook")
	}
	if tests := hr.Status.History.Latest().GetTestHooks(); len(tests) != 1 || tests["demo-test-two"] == nil {
		t.Errorf("tests: %+v", tests)
	}
	if got := hr.Status.History.Latest().Action; got != helmv2.ReleaseActionUpgrade {
		t.Errorf("action %s", got)
	}
}

func seconds(n int) *metav1.Duration {
	return &metav1.Duration{Duration: time.Duration(n) * time.Second}
}

// TestHelmReleaseInstallOptions makes one release for each option.
func TestHelmReleaseInstallOptions(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	group := r.namespace + ".install.dev"
	r.push("rich", "1.0.0", rich(group))
	r.push("working", "1.0.0", working)
	r.push("misspelt", "1.0.0", files{"templates/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec: {ports: [{port: 80}], misspelt: true}\n"})
	install := func(i helmv2.Install) func(*helmv2.HelmRelease) {
		return func(hr *helmv2.HelmRelease) { hr.Spec.Install = &i }
	}

	skip := r.release("skip", "rich", "", install(helmv2.Install{CRDs: helmv2.Skip, DisableHooks: true, Timeout: seconds(77)}))
	old := r.release("old", "rich", "", install(helmv2.Install{SkipCRDs: true}))
	r.ready(skip)
	r.ready(old)
	if version := r.definedVersion(group); version != "" {
		t.Errorf("the CRD %s is there, though to be skipped", version)
	}
	if r.configMap("skip-pre") != nil || r.configMap("old-pre") == nil {
		t.Error("hooks ran that were disabled, or did not run")
	}
	// Which values the schema admits is not asked where it is disabled.
	lax := r.release("lax", "rich", `{"replicas":0}`, install(helmv2.Install{CRDs: helmv2.Create, DisableSchemaValidation: true}))
	strict := r.release("strict", "rich", `{"replicas":0}`)
	r.ready(lax)
	if version := r.definedVersion(group); version != "v1" {
		t.Errorf("the CRD is at %q", version)
	}
	if got := r.failing(strict, helmv2.InstallFailedReason); !strings.Contains(got, "at '/replicas': minimum") {
		t.Errorf("schema: %s", got)
	}

	still := r.release("still", "working", "", install(helmv2.Install{DisableWait: true}))
	jobs := r.release("jobs", "working", "", install(helmv2.Install{DisableWaitForJobs: true}))
	r.ready(still)
	r.ready(jobs)

	yes, no := true, false
	server := r.release("server", "misspelt", "", install(helmv2.Install{ServerSideApply: &yes}))
	applied := r.release("client", "misspelt", "", install(helmv2.Install{ServerSideApply: &no, DisableOpenAPIValidation: true}))
	r.ready(applied)
	if got := r.revision("client").ApplyMethod; got != "csa" {
		t.Errorf("applied by %s", got)
	}
	if got := r.failing(server, helmv2.InstallFailedReason); !strings.Contains(got, "misspelt") {
		t.Errorf("validation: %s", got)
	}

	// What somebody else made is only taken over where that is allowed.
	for _, name := range []string{"mine", "yours"} {
		r.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}, Data: map[string]string{"greeting": "theirs"}})
	}
	mine := r.release("mine", "rich", "", install(helmv2.Install{CRDs: helmv2.CreateReplace}))
	yours := r.release("yours", "rich", "", install(helmv2.Install{DisableTakeOwnership: true}))
	r.ready(mine)
	if got := r.failing(yours, helmv2.InstallFailedReason); !strings.Contains(got, "cannot be imported into the current release") {
		t.Errorf("ownership: %s", got)
	}
	if r.configMap("mine")["greeting"] != "hello" || r.configMap("yours")["greeting"] != "theirs" {
		t.Error("the wrong one was taken over")
	}
}

// TestHelmReleaseInstallReplaces installs over what an uninstall left in the
// storage, where that is allowed.
func TestHelmReleaseInstallReplaces(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Uninstall = &helmv2.Uninstall{KeepHistory: true}
	})
	r.ready(hr)
	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	kept, err := r.helm().Releases.Last("demo")
	if err != nil || kept.(*releasev1.Release).Info.Status != common.StatusUninstalled {
		t.Fatalf("the history is not kept: %v, %v", kept, err)
	}
	refused := r.release("demo", "settings", "")
	if got := r.failing(refused, helmv2.InstallFailedReason); !strings.Contains(got, "in use") {
		t.Errorf("message %q", got)
	}
	r.change(refused, func() { refused.Spec.Install = &helmv2.Install{Replace: true} })
	r.ready(refused)
	if got := r.revision("demo"); got.Version != 2 || got.Info.Status != common.StatusDeployed {
		t.Errorf("revision %d is %s", got.Version, got.Info.Status)
	}
}

// TestHelmReleaseUpgradeOptions upgrades one release after the other option.
func TestHelmReleaseUpgradeOptions(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	group := r.namespace + ".upgrade.dev"
	first, second := rich(group), rich(group)
	second["crds/crd.yaml"] = definitionOf(group, "v2")
	second["Chart.yaml"] = strings.Replace(second["Chart.yaml"], "version: 1.0.0", "version: 1.1.0", 1)
	r.push("rich", "1.0.0", first)
	hr := r.release("demo", "rich", `{"greeting":"servus","replicas":2}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.Upgrade = &helmv2.Upgrade{DisableHooks: true, PreserveValues: true, Timeout: seconds(78)}
	})
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"replicas":3}`) })
	r.ready(hr)
	if got := r.configMap("demo"); got["greeting"] != "servus" || got["replicas"] != "3" || r.configMap("demo-post") != nil {
		t.Errorf("upgraded to %v, hook %v", got, r.configMap("demo-post"))
	}
	// What is preserved is not upgraded again and again.
	r.request(hr)
	r.ready(hr)
	if got := r.revision("demo").Version; got != 2 {
		t.Errorf("revision %d without a change", got)
	}
	r.change(hr, func() { hr.Spec.Upgrade = &helmv2.Upgrade{} })
	r.ready(hr)
	if got := r.configMap("demo")["greeting"]; got != "hello" {
		t.Errorf("greeting %q, though values are not preserved any more", got)
	}

	r.push("rich", "1.1.0", second)
	r.await(hr, patience, "at 1.1.0", func() bool {
		return strings.HasPrefix(hr.Status.LastAttemptedRevision, "1.1.0+") && conditions.IsReady(hr)
	})
	if got := r.definedVersion(group); got != "v1" {
		t.Errorf("the CRD is at %q, though upgrades skip it", got)
	}
	r.change(hr, func() {
		hr.Spec.Upgrade = &helmv2.Upgrade{CRDs: helmv2.CreateReplace, DisableSchemaValidation: true, DisableTakeOwnership: true}
		hr.Spec.Values = jsonOf(t, `{"replicas":0}`)
	})
	r.ready(hr)
	if got := r.definedVersion(group); got != "v2" {
		t.Errorf("the CRD is at %q", got)
	}
	if got := r.configMap("demo")["replicas"]; got != "0" {
		t.Errorf("replicas %q", got)
	}
}

// partial is a chart that makes an object and then fails, where a value says so.
var partial = files{
	"values.yaml":        "greeting: hello\nextra: false\nbad: false\n",
	"templates/job.yaml": working["templates/job.yaml"],
	"templates/c.yaml":   configOf("c", "greeting: {{ .Values.greeting }}", ""),
	"templates/z.yaml":   "{{ if .Values.extra }}\n" + configOf("extra", "a: b", "") + "{{ end }}",
	"templates/bad.yaml": "{{ if .Values.bad }}\napiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec: {ports: [{port: 0}]}\n{{ end }}",
}

func TestHelmReleaseUpgradeFailures(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("partial", "1.0.0", partial)
	for name, cleanup := range map[string]bool{"tidy": true, "untidy": false} {
		hr := r.release(name, "partial", "", func(hr *helmv2.HelmRelease) {
			hr.Spec.Install = &helmv2.Install{DisableWait: true}
			hr.Spec.Upgrade = &helmv2.Upgrade{DisableWait: true, CleanupOnFail: cleanup, Remediation: &helmv2.UpgradeRemediation{RemediateLastFailure: new(bool)}}
		})
		r.ready(hr)
		// The extra object is made before the one that fails.
		r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"extra":true,"bad":true}`) })
		r.stalled(hr)
		if got := conditions.GetMessage(hr, meta.ReadyCondition); !strings.Contains(got, "spec.ports[0].port") {
			t.Errorf("message %q", got)
		}
		if left := r.configMap(name+"-extra") != nil; left == cleanup {
			t.Errorf("%s: what the failed upgrade made is left: %v", name, left)
		}
	}
}

// TestHelmReleaseUpgradeOwnership upgrades to an object that somebody else made,
// and waits for none, for all but Jobs, or not even that.
func TestHelmReleaseUpgradeOwnership(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("partial", "1.0.0", partial)
	upgraded := func(name string, upgrade helmv2.Upgrade) *helmv2.HelmRelease {
		hr := r.release(name, "partial", "", func(hr *helmv2.HelmRelease) {
			hr.Spec.Install, hr.Spec.Upgrade = &helmv2.Install{DisableWait: true}, &upgrade
		})
		r.ready(hr)
		r.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name + "-extra"}, Data: map[string]string{"a": "theirs"}})
		r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"extra":true}`) })
		return hr
	}
	r.ready(upgraded("any", helmv2.Upgrade{DisableWait: true}))
	if got := r.configMap("any-extra")["a"]; got != "b" {
		t.Errorf("not taken over: %s", got)
	}
	own := upgraded("own", helmv2.Upgrade{DisableTakeOwnership: true})
	if got := r.failing(own, helmv2.UpgradeFailedReason); !strings.Contains(got, "exists and cannot be imported into the current release") {
		t.Errorf("ownership: %s", got)
	}
	r.ready(upgraded("jobs", helmv2.Upgrade{DisableWaitForJobs: true}))
	if got := r.configMap("jobs-extra")["a"]; got != "b" {
		t.Errorf("not upgraded: %s", got)
	}
}

// TestHelmReleaseUpgradeForces replaces objects, which takes what others added,
// where an apply leaves that.
func TestHelmReleaseUpgradeForces(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	chart := maps.Clone(partial)
	delete(chart, "templates/job.yaml")
	r.push("partial", "1.0.0", chart)
	hr := r.release("demo", "partial", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Install = &helmv2.Install{ServerSideApply: new(bool)}
		hr.Spec.Upgrade = &helmv2.Upgrade{DisableOpenAPIValidation: true, DisableWaitForJobs: true}
	})
	r.ready(hr)
	r.edit("demo-c", func(c *corev1.ConfigMap) { c.Data["mine"] = "kept" })
	for _, c := range []struct {
		greeting, method string
		force            bool
		mode             helmv2.ServerSideApplyMode
		mine             string
	}{
		{"one", "csa", false, helmv2.ServerSideApplyAuto, "kept"},
		{"two", "ssa", false, helmv2.ServerSideApplyEnabled, "kept"},
		{"three", "csa", true, helmv2.ServerSideApplyDisabled, ""},
	} {
		r.change(hr, func() {
			hr.Spec.Values = jsonOf(t, `{"greeting":"`+c.greeting+`"}`)
			hr.Spec.Upgrade.Force, hr.Spec.Upgrade.ServerSideApply = c.force, c.mode
		})
		r.ready(hr)
		data := r.configMap("demo-c")
		if got := r.revision("demo").ApplyMethod; got != c.method || data["greeting"] != c.greeting || data["mine"] != c.mine {
			t.Errorf("%s: applied by %s: %v", c.greeting, got, data)
		}
	}
}

func TestHelmReleaseChartNameChanges(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	other := maps.Clone(settings)
	other["Chart.yaml"] = "apiVersion: v2\nname: other\nversion: 2.0.0\n"
	r.push("other", "2.0.0", other)
	for _, c := range []struct {
		name     string
		strategy helmv2.ChartNameChangeStrategy
		revision int
	}{
		{"anew", helmv2.ChartNameChangeStrategyReinstall, 1},
		{"over", helmv2.ChartNameChangeStrategyInPlaceUpdate, 2},
	} {
		hr := r.release(c.name, "settings", "", func(hr *helmv2.HelmRelease) {
			hr.Spec.Upgrade = &helmv2.Upgrade{ChartNameChangeStrategy: c.strategy}
		})
		r.ready(hr)
		r.change(hr, func() { hr.Spec.ChartRef.Name = "other" })
		r.ready(hr)
		if rel := r.revision(c.name); rel.Chart.Name() != "other" || rel.Version != c.revision {
			t.Errorf("%s: revision %d of %s", c.strategy, rel.Version, rel.Chart.Name())
		}
	}
}

func TestHelmReleaseUninstallOptions(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("leaving", "1.0.0", files{
		"templates/config.yaml": settings["templates/config.yaml"],
		"templates/job.yaml":    working["templates/job.yaml"],
		"templates/hook.yaml":   configOf("bye", "a: b", "helm.sh/hook: pre-delete"),
	})
	orphan := "orphan"
	quiet := r.release("quiet", "leaving", `{"greeting":"x"}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.Install = &helmv2.Install{DisableWait: true}
		hr.Spec.Uninstall = &helmv2.Uninstall{DisableHooks: true, DisableWait: true, DeletionPropagation: &orphan, Timeout: seconds(79)}
	})
	loud := r.release("loud", "leaving", `{"greeting":"x"}`, func(hr *helmv2.HelmRelease) { hr.Spec.Install = &helmv2.Install{DisableWait: true} })
	r.ready(quiet)
	r.ready(loud)
	ran := r.watchRuns()
	// A pod of a Job, as the Job's controller would make it.
	job := &batchv1.Job{}
	r.object(job, "quiet-work")
	r.create(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "left", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "hearth.invalid/x:1"}}},
	})
	for _, hr := range []*helmv2.HelmRelease{quiet, loud} {
		if err := r.client.Delete(context.Background(), hr); err != nil {
			t.Fatal(err)
		}
		r.gone(hr)
	}
	ran.settles(t, "loud-bye", 1)
	if ran.of("quiet-bye") != 0 {
		t.Error("a hook ran that was disabled")
	}
	r.gone(job)
	pod := &corev1.Pod{}
	if !r.object(pod, "left") || !pod.DeletionTimestamp.IsZero() {
		t.Error("what the Job had made was deleted with it, though to be left")
	}
}

// failingLater is a chart whose upgrade fails on a value, and whose tests fail
// on another.
var failingLater = files{
	"values.yaml":           "port: 80\ntest: ok\n",
	"templates/config.yaml": configOf("port", "port: {{ .Values.port | quote }}", ""),
	"templates/s.yaml":      refused["templates/service.yaml"],
	"templates/hook.yaml":   configOf("back", "a: b", "helm.sh/hook: post-rollback"),
	"templates/test.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-test\n  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation}\ndata: {a: {{ .Values.test }}}\n",
}

func TestHelmReleaseRemediation(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("later", "1.0.0", failingLater)

	// An install that is uninstalled after its last failure.
	yes := true
	gone := r.release("gone", "later", `{"port":0}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.Install = &helmv2.Install{Remediation: &helmv2.InstallRemediation{Retries: 1, RemediateLastFailure: &yes}}
	})
	r.stalled(gone)
	if got := conditions.GetReason(gone, helmv2.RemediatedCondition); got != helmv2.UninstallSucceededReason {
		t.Errorf("install: %s", got)
	}
	if r.list()["gone"] != nil || r.configMap("gone-port") != nil {
		t.Error("the failed install is left")
	}
	if got := gone.Status.History.Latest(); got.Action != helmv2.ReleaseActionUninstallRemediation || got.Deleted.IsZero() {
		t.Errorf("history: %+v", got)
	}

	// An upgrade that is uninstalled and installed anew.
	anew := r.release("anew", "later", "", func(hr *helmv2.HelmRelease) {
		strategy := helmv2.UninstallRemediationStrategy
		hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{Strategy: &strategy, RemediateLastFailure: &yes}}
	})
	r.ready(anew)
	r.change(anew, func() { anew.Spec.Values = jsonOf(t, `{"port":0}`) })
	r.event(anew, helmv2.UninstallSucceededReason)
	r.stalled(anew)
	if got := anew.Status.LastAttemptedReleaseAction; got != helmv2.ReleaseActionInstall {
		t.Errorf("after the uninstall came %s", got)
	}

	// An upgrade that is not remediated after its last failure.
	no := false
	left := r.release("left", "later", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{RemediateLastFailure: &no}}
	})
	r.ready(left)
	r.change(left, func() { left.Spec.Values = jsonOf(t, `{"port":0}`) })
	r.stalled(left)
	if rel := r.revision("left"); rel.Info.Status != common.StatusFailed || rel.Version != 2 || left.Status.UpgradeFailures != 1 {
		t.Errorf("revision %d is %s after %d failures", rel.Version, rel.Info.Status, left.Status.UpgradeFailures)
	}
}

func TestHelmReleaseRollbackOptions(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("later", "1.0.0", failingLater)
	back := func(o helmv2.Rollback) func(*helmv2.HelmRelease) {
		return func(hr *helmv2.HelmRelease) {
			hr.Spec.Rollback = &o
			hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{Retries: 1}}
		}
	}
	ran := r.watchRuns()
	plain := r.release("plain", "later", "", back(helmv2.Rollback{Timeout: seconds(76), CleanupOnFail: true, Recreate: true}))
	forced := r.release("forced", "later", "", back(helmv2.Rollback{
		DisableHooks: true, DisableWait: true, DisableWaitForJobs: true, Force: true, ServerSideApply: helmv2.ServerSideApplyDisabled,
	}))
	for _, hr := range []*helmv2.HelmRelease{plain, forced} {
		r.ready(hr)
		r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":0}`) })
		r.stalled(hr)
		if got := conditions.GetReason(hr, helmv2.RemediatedCondition); got != helmv2.RollbackSucceededReason {
			t.Errorf("%s: %s: %s", hr.Name, got, conditions.GetMessage(hr, helmv2.RemediatedCondition))
		}
		if got := r.configMap(hr.Name + "-port")["port"]; got != "80" {
			t.Errorf("%s: port %s", hr.Name, got)
		}
	}
	if got := r.revision("forced").ApplyMethod; got != "csa" {
		t.Errorf("rolled back by %s", got)
	}
	if got := r.revision("plain").ApplyMethod; got != "ssa" {
		t.Errorf("rolled back by %s", got)
	}
	if ran.of("forced-back") != 0 {
		t.Error("a hook ran that was disabled")
	}
	ran.settles(t, "plain-back", 2) // once for each upgrade that failed
}

func TestHelmReleaseRetryStrategy(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("refused", "1.0.0", refused)
	retry := &metav1.Duration{Duration: 2 * time.Second}
	hr := r.release("demo", "refused", `{"port":0}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.Install = &helmv2.Install{Strategy: &helmv2.InstallStrategy{Name: string(helmv2.ActionStrategyRetryOnFailure), RetryInterval: retry}}
		hr.Spec.Upgrade = &helmv2.Upgrade{Strategy: &helmv2.UpgradeStrategy{Name: string(helmv2.ActionStrategyRetryOnFailure), RetryInterval: retry}}
	})
	r.await(hr, patience, "tried three times", func() bool { return hr.Status.Failures >= 3 })
	if conditions.IsStalled(hr) || conditions.Has(hr, helmv2.RemediatedCondition) {
		t.Errorf("conditions: %+v", hr.Status.Conditions)
	}
	r.await(hr, patience, "about to try again", func() bool {
		return conditions.GetMessage(hr, meta.ReconcilingCondition) == "retrying after 2s"
	})
	if !slices.ContainsFunc(hr.Status.History, func(s *helmv2.Snapshot) bool { return s.Status == "failed" }) {
		t.Errorf("history: %+v", hr.Status.History)
	}
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":80}`) })
	r.ready(hr)
	if hr.Status.Failures != 0 || hr.Status.InstallFailures != 0 || hr.Status.UpgradeFailures != 0 {
		t.Errorf("failures are left: %+v", hr.Status)
	}
}

// probed is a chart whose test is a Job.
var probed = files{
	"templates/config.yaml": configOf("c", "v: {{ .Values.v | quote }}", ""),
	"templates/test.yaml":   strings.ReplaceAll(strings.ReplaceAll(hooked["templates/hook.yaml"], "pre-install", "test"), "prepare", "test"),
}

func TestHelmReleaseFailedTests(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("testing", "1.0.0", probed)
	ignored := true
	for _, c := range []struct {
		name   string
		change func(*helmv2.HelmRelease)
		ready  bool
	}{
		{"strict", func(*helmv2.HelmRelease) {}, false},
		{"lenient", func(hr *helmv2.HelmRelease) { hr.Spec.Test.IgnoreFailures = true }, true},
		{"installed", func(hr *helmv2.HelmRelease) {
			hr.Spec.Install = &helmv2.Install{Remediation: &helmv2.InstallRemediation{IgnoreTestFailures: &ignored}}
		}, false},
	} {
		hr := r.release(c.name, "testing", `{"v":"1"}`, func(hr *helmv2.HelmRelease) {
			hr.Spec.Test = &helmv2.Test{Enable: true, Timeout: seconds(1)}
			c.change(hr)
		})
		r.await(hr, patience, "tested", func() bool { return conditions.IsFalse(hr, helmv2.TestSuccessCondition) })
		if got := conditions.GetMessage(hr, helmv2.TestSuccessCondition); !strings.Contains(got, "Helm test failed for release "+r.namespace+"/"+c.name+".v1") {
			t.Errorf("%s: %s", c.name, got)
		}
		if c.ready {
			r.ready(hr)
			continue
		}
		if c.name == "strict" {
			r.stalled(hr)
		}
		if got := hr.Status.History.Latest(); got == nil || !got.HasTestInPhase("Failed") {
			t.Errorf("%s: history %+v", c.name, got)
		}
	}
	// A test that fails sends an upgrade back.
	hr := &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "lenient"}}
	r.change(hr, func() {
		hr.Spec.Values = jsonOf(t, `{"v":"2"}`)
		hr.Spec.Test.IgnoreFailures = false
		hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{Retries: 0, IgnoreTestFailures: &ignored}}
	})
	r.await(hr, patience, "upgraded and tested", func() bool {
		return conditions.IsFalse(hr, helmv2.TestSuccessCondition) && r.configMap("lenient-c")["v"] == "2"
	})
	if conditions.Has(hr, helmv2.RemediatedCondition) {
		t.Error("remediated, though test failures are ignored")
	}
}
