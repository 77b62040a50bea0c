package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease"
	"hearth/internal/render"
	"hearth/internal/source"
)

// TestHelmReleaseChartTemplate looks at the HelmChart that spec.chart becomes.
func TestHelmReleaseChartTemplate(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.ChartRef = nil
		hr.Spec.Chart = &helmv2.HelmChartTemplate{
			ObjectMeta: &helmv2.HelmChartTemplateObjectMeta{Labels: map[string]string{"team": "home"}, Annotations: map[string]string{"why": "because"}},
			Spec: helmv2.HelmChartTemplateSpec{
				Chart: "./charts/settings", Version: "1.x",
				SourceRef: helmv2.CrossNamespaceObjectReference{APIVersion: sourcev1.GroupVersion.String(), Kind: sourcev1.GitRepositoryKind, Name: "home", Namespace: r.namespace},
				Interval:  seconds(777), ReconcileStrategy: sourcev1.ReconcileStrategyRevision,
				ValuesFiles: []string{"values.yaml", "more.yaml"}, IgnoreMissingValuesFiles: true,
			},
		}
	})
	r.failing(hr, "SourceNotReady")
	chart := &sourcev1.HelmChart{}
	if !r.object(chart, r.namespace+"-demo") || hr.Status.HelmChart != r.namespace+"/"+r.namespace+"-demo" {
		t.Fatalf("there is no HelmChart %s", hr.Status.HelmChart)
	}
	want := sourcev1.HelmChartSpec{
		Chart: "./charts/settings", Version: "1.x", SourceRef: sourcev1.LocalHelmChartSourceReference{Kind: sourcev1.GitRepositoryKind, Name: "home"},
		Interval: *seconds(777), ReconcileStrategy: sourcev1.ReconcileStrategyRevision,
		ValuesFiles: []string{"values.yaml", "more.yaml"}, IgnoreMissingValuesFiles: true,
	}
	if diff := cmp.Diff(want, chart.Spec); diff != "" {
		t.Errorf("HelmChart (-want +got):\n%s", diff)
	}
	if chart.Labels["team"] != "home" || chart.Labels["helm.toolkit.fluxcd.io/name"] != "demo" || chart.Annotations["why"] != "because" {
		t.Errorf("metadata %v, %v", chart.Labels, chart.Annotations)
	}
	// Charts of registries may have to be signed.
	r.change(hr, func() {
		hr.Spec.Chart.Spec.SourceRef = helmv2.CrossNamespaceObjectReference{Kind: sourcev1.HelmRepositoryKind, Name: "registry"}
		hr.Spec.Chart.Spec.Chart = "settings"
		hr.Spec.Chart.Spec.Verify = &helmv2.HelmChartTemplateVerification{Provider: "notation", SecretRef: &meta.LocalObjectReference{Name: "keys"}}
	})
	r.await(hr, patience, "with another HelmChart", func() bool {
		r.object(chart, r.namespace+"-demo")
		return chart.Spec.SourceRef.Name == "registry"
	})
	if diff := cmp.Diff(&sourcev1.HelmChartVerification{Provider: "notation", SecretRef: &meta.LocalObjectReference{Name: "keys"}}, chart.Spec.Verify); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
	// Another source: the HelmChart goes.
	r.change(hr, func() {
		hr.Spec.Chart, hr.Spec.ChartRef = nil, &helmv2.CrossNamespaceSourceReference{Kind: sourcev1.OCIRepositoryKind, Name: "settings"}
	})
	r.ready(hr)
	r.gone(chart)
	if hr.Status.HelmChart != "" {
		t.Errorf("the status still names HelmChart %s", hr.Status.HelmChart)
	}
}

// TestHelmReleaseChartRefs takes a chart from a HelmChart that somebody made, in
// a namespace that is named.
func TestHelmReleaseChartRefs(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.pushOnly("settings", "1.2.0", settings)
	r.create(&sourcev1.HelmRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "registry"},
		Spec:       sourcev1.HelmRepositorySpec{Type: "oci", URL: "oci://" + r.registry, Insecure: true, Interval: *seconds(3600)},
	})
	r.create(&sourcev1.HelmChart{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "made"},
		Spec: sourcev1.HelmChartSpec{
			Chart: "settings", Version: "1.x", Interval: *seconds(3600), SourceRef: sourcev1.LocalHelmChartSourceReference{Kind: sourcev1.HelmRepositoryKind, Name: "registry"},
		},
	})
	hr := r.release("demo", "", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{APIVersion: sourcev1.GroupVersion.String(), Kind: sourcev1.HelmChartKind, Name: "made", Namespace: r.namespace}
	})
	r.ready(hr)
	if got := hr.Status.History.Latest().VersionedChartName(); got != "settings@1.2.0" || hr.Status.LastAttemptedRevision != "1.2.0" {
		t.Errorf("installed %s", got)
	}
}

func TestHelmReleaseReadyExpr(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	r.push("refused", "1.0.0", refused)
	// Never ready, but said to be good enough.
	first := r.release("first", "refused", `{"port":0}`)
	second := r.release("second", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.DependsOn = []helmv2.DependencyReference{{Name: "first", Namespace: r.namespace, ReadyExpr: "dep.status.failures > 0 && dep.metadata.name + '-x' == self.metadata.annotations.after"}}
	})
	r.stalled(first)
	r.failing(second, helmv2.DependencyNotReadyReason)
	r.change(second, func() { second.Annotations = map[string]string{"after": "first-x"} })
	r.request(second)
	r.ready(second)

	broken := r.release("broken", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.DependsOn = []helmv2.DependencyReference{{Name: "first", ReadyExpr: "dep.status."}}
	})
	r.stalled(broken)
	if got := conditions.GetReason(broken, meta.StalledCondition); got != meta.InvalidCELExpressionReason {
		t.Errorf("stalled for %s", got)
	}
}

func TestHelmReleaseHealthCheckExprs(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	group := r.namespace + ".health.dev"
	r.push("rich", "1.0.0", rich(group))
	expr := func(current string) []kustomize.CustomHealthCheck {
		return []kustomize.CustomHealthCheck{{
			APIVersion: group + "/v1", Kind: "Thing",
			HealthCheckExpressions: kustomize.HealthCheckExpressions{Current: current, InProgress: "!has(status.phase)", Failed: "has(status.phase) && status.phase == 'Broken'"},
		}}
	}
	hr := r.release("demo", "rich", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.HealthCheckExprs = expr("has(status.phase) && status.phase == 'Done'")
	})
	thing := &unstructured.Unstructured{}
	thing.SetAPIVersion(group + "/v1")
	thing.SetKind("Thing")
	r.await(hr, patience, "waiting", func() bool {
		err := r.client.Get(context.Background(), client.ObjectKey{Namespace: r.namespace, Name: "demo"}, thing)
		return err == nil && conditions.IsReconciling(hr)
	})
	defer r.definedVersion(group)
	if conditions.IsReady(hr) {
		t.Error("ready before its object is")
	}
	patch := []byte(`{"status":{"phase":"Done"}}`)
	if err := r.client.Status().Patch(context.Background(), thing, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		t.Fatal(err)
	}
	r.ready(hr)

	// The older strategy takes what it does not know for ready.
	legacy := r.release("legacy", "rich", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.HealthCheckExprs = expr("has(status.phase) && status.phase == 'Done'")
		hr.Spec.WaitStrategy = &helmv2.WaitStrategy{Name: helmv2.WaitStrategyLegacy}
	})
	r.ready(legacy)
	broken := r.release("broken", "rich", "", func(hr *helmv2.HelmRelease) { hr.Spec.HealthCheckExprs = expr("status.") })
	r.stalled(broken)
	if got := conditions.GetReason(broken, meta.StalledCondition); got != meta.InvalidCELExpressionReason {
		t.Errorf("stalled for %s", got)
	}
}

// TestHelmReleaseWaitStrategies waits for a Job with either strategy.
func TestHelmReleaseWaitStrategies(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("working", "1.0.0", working)
	for _, strategy := range []helmv2.WaitStrategyName{helmv2.WaitStrategyPoller, helmv2.WaitStrategyLegacy} {
		name := string(strategy)
		hr := r.release(name, "working", "", func(hr *helmv2.HelmRelease) { hr.Spec.WaitStrategy = &helmv2.WaitStrategy{Name: strategy} })
		r.await(hr, patience, "waiting", func() bool { return r.job(name+"-work") && conditions.IsReconciling(hr) })
		if conditions.IsReady(hr) {
			t.Errorf("%s: ready before its Job is", name)
		}
		r.complete(name + "-work")
		r.ready(hr)
	}
}

func TestHelmReleaseServiceAccount(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	g := &gitops{t: t, namespace: r.namespace, client: r.client}
	g.apply(fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: worker, namespace: %s}}", r.namespace))
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) { hr.Spec.ServiceAccountName = "worker" })
	r.await(hr, patience, "refused", func() bool {
		return strings.Contains(conditions.GetMessage(hr, meta.ReadyCondition), "system:serviceaccount:"+r.namespace+":worker")
	})
	g.admit("worker")
	r.request(hr)
	r.ready(hr)
	// Where the account is gone, nobody may uninstall, and the release stays.
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "worker"}}
	if err := r.client.Delete(context.Background(), account); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	if r.list()["demo"] == nil || r.configMap("demo") == nil {
		t.Error("the release is gone")
	}
}

func TestHelmReleaseKubeConfig(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	g := &gitops{t: t, namespace: r.namespace, client: r.client}
	group := r.namespace + ".remote.dev"
	chart := rich(group)
	delete(chart, "crds/crd.yaml") // whom the kubeconfig stands for may define nothing
	chart["templates/job.yaml"] = working["templates/job.yaml"]
	r.push("rich", "1.0.0", chart)
	remote := func(key string) func(*helmv2.HelmRelease) {
		return func(hr *helmv2.HelmRelease) {
			hr.Spec.KubeConfig = &meta.KubeConfigReference{SecretRef: &meta.SecretKeyReference{Name: "remote", Key: key}}
		}
	}
	hr := r.release("demo", "rich", "", remote(""), func(hr *helmv2.HelmRelease) {
		hr.Spec.DriftDetection = &helmv2.DriftDetection{Mode: helmv2.DriftDetectionEnabled}
	})
	if got := r.failing(hr, "RESTClientError"); !strings.Contains(got, "KubeConfig secret '"+r.namespace+"/remote' not found") {
		t.Errorf("message %q", got)
	}
	g.secret("remote", "value", g.login("limited"))
	g.admit("limited")
	r.change(hr, func() { hr.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "with a kubeconfig"} })
	r.await(hr, patience, "waiting for its Job there", func() bool { return r.job("demo-work") })
	r.complete("demo-work")
	r.ready(hr)
	if rel := r.revision("demo"); rel.Version < 1 || r.configMap("demo-pre") == nil {
		t.Errorf("revision %d", rel.Version)
	}
	r.edit("demo", func(c *corev1.ConfigMap) { c.Data["greeting"] = "changed" })
	r.request(hr)
	r.ready(hr)
	if got := r.configMap("demo")["greeting"]; got != "hello" {
		t.Errorf("drifted to %q", got)
	}
	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	if r.configMap("demo") != nil || r.list()["demo"] != nil {
		t.Error("the release is left")
	}

	other := r.release("other", "rich", "", remote("config"))
	if got := r.failing(other, "RESTClientError"); !strings.Contains(got, "does not contain a 'config' key") {
		t.Errorf("message %q", got)
	}
	g.secret("exec", "value", "{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: s3cr3t-token}}}], contexts: [{name: a, context: {cluster: a, user: a}}]}")
	r.change(other, func() { other.Spec.KubeConfig.SecretRef = &meta.SecretKeyReference{Name: "exec"} })
	r.await(other, patience, "refused", func() bool {
		return strings.Contains(conditions.GetMessage(other, meta.ReadyCondition), "exec") && !strings.Contains(conditions.GetMessage(other, meta.ReadyCondition), "s3cr3t")
	})
}

func TestHelmReleaseStorage(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	storage := namespace(t)
	two := 2
	hr := r.release("demo", "settings", `{"greeting":"1"}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.StorageNamespace, hr.Spec.MaxHistory = storage, &two
		hr.Spec.ReleaseName = "shorter"
	})
	r.ready(hr)
	for i := 2; i <= 4; i++ {
		r.change(hr, func() { hr.Spec.Values = jsonOf(t, fmt.Sprintf(`{"greeting":"%d"}`, i)) })
		r.ready(hr)
	}
	var records corev1.SecretList
	if err := r.client.List(context.Background(), &records, client.InNamespace(storage), client.MatchingLabels{"owner": "helm"}); err != nil {
		t.Fatal(err)
	}
	if len(records.Items) != 2 || hr.Status.StorageNamespace != storage || len(r.list()) != 0 {
		t.Errorf("%d records in %s, of %d", len(records.Items), hr.Status.StorageNamespace, len(r.list()))
	}
	if latest := hr.Status.History.Latest(); latest.Version != 4 || latest.Name != "shorter" || r.configMap(latest.Name)["greeting"] != "4" {
		t.Errorf("history %+v", latest)
	}
	// Elsewhere: the old release goes first.
	r.change(hr, func() { hr.Spec.StorageNamespace, hr.Spec.MaxHistory = "", nil })
	r.ready(hr)
	if err := r.client.List(context.Background(), &records, client.InNamespace(storage), client.MatchingLabels{"owner": "helm"}); err != nil {
		t.Fatal(err)
	}
	if len(records.Items) != 0 || len(r.list()) != 1 {
		t.Errorf("%d records are left, %d are new", len(records.Items), len(r.list()))
	}
}

func TestHelmReleasePostRenderFields(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("pod", "1.0.0", files{
		"templates/pod.yaml":  "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}, labels: {app: x}, annotations: {on: \"yes\"}}\nspec: {containers: [{name: main, image: \"old.invalid/app:1\"}, {name: side, image: \"other.invalid/side:1\"}]}\n",
		"templates/hook.yaml": configOf("hook", "a: b", "helm.sh/hook: pre-install"),
	})
	for _, strategy := range []helmv2.PostRenderStrategy{helmv2.PostRenderStrategyNoHooks, helmv2.PostRenderStrategyCombined, helmv2.PostRenderStrategySeparate} {
		name := strings.ToLower(string(strategy))
		hr := r.release(name, "pod", "", func(hr *helmv2.HelmRelease) {
			hr.Spec.Install = &helmv2.Install{DisableWait: true}
			hr.Spec.PostRenderStrategy = strategy
			hr.Spec.CommonMetadata = &helmv2.CommonMetadata{Labels: map[string]string{"team": "home"}, Annotations: map[string]string{"note": "this"}}
			hr.Spec.PostRenderers = []helmv2.PostRenderer{{Kustomize: &helmv2.Kustomize{
				Images: []kustomize.Image{{Name: "old.invalid/app", NewName: "new.invalid/app", NewTag: "2"}, {Name: "other.invalid/side", Digest: "sha256:" + strings.Repeat("a", 64)}},
				Patches: []kustomize.Patch{{
					Target: &kustomize.Selector{Version: "v1", Kind: "Pod", Name: name, LabelSelector: "app=x", AnnotationSelector: "on=yes"},
					Patch:  "- {op: add, path: /metadata/labels/patched, value: one}\n",
				}, {
					Target: &kustomize.Selector{Group: "apps", Kind: "Deployment", Namespace: "nowhere"},
					Patch:  "- {op: add, path: /metadata/labels/patched, value: two}\n",
				}},
			}}}
		})
		r.ready(hr)
		pod := &corev1.Pod{}
		if !r.object(pod, name) {
			t.Fatalf("%s: there is no Pod", name)
		}
		if pod.Labels["patched"] != "one" || pod.Labels["team"] != "home" || pod.Annotations["note"] != "this" {
			t.Errorf("%s: metadata %v, %v", name, pod.Labels, pod.Annotations)
		}
		if a, b := pod.Spec.Containers[0].Image, pod.Spec.Containers[1].Image; a != "new.invalid/app:2" || !strings.HasPrefix(b, "other.invalid/side") || !strings.HasSuffix(b, strings.Repeat("a", 64)) {
			t.Errorf("%s: images %s and %s", name, a, b)
		}
		hook := &corev1.ConfigMap{}
		r.object(hook, name+"-hook")
		if rendered := hook.Labels["team"] == "home"; rendered != (strategy != helmv2.PostRenderStrategyNoHooks) {
			t.Errorf("%s: the hook went through the post-renderers: %v", name, rendered)
		}
		if hr.Status.ObservedPostRenderersDigest == "" || hr.Status.ObservedCommonMetadataDigest == "" {
			t.Errorf("%s: no digests in the status", name)
		}
	}
}

// TestHelmReleaseValuesFields composes values in all ways, and looks at what the
// event says of them.
func TestHelmReleaseValuesFields(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("nested", "1.0.0", files{"templates/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  all: {{ .Values | toJson | quote }}\n"})
	r.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "plain"}, Data: map[string]string{
		"values.yaml": "a: {b: 1, c: plain}\n", "literal": `x,y={z}`, "number": "5", "text": "'6'",
	}})
	r.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "secret"}, StringData: map[string]string{"more": "a: {pin: 123, name: s3cr3t-name}\n"}})
	hr := r.release("demo", "nested", `{"own":"value","a":{"c":"own"}}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.ValuesFrom = []meta.ValuesReference{
			{Kind: "ConfigMap", Name: "plain"},
			{Kind: "Secret", Name: "secret", ValuesKey: "more"},
			{Kind: "ConfigMap", Name: "plain", ValuesKey: "literal", TargetPath: "lit", Literal: true},
			{Kind: "ConfigMap", Name: "plain", ValuesKey: "number", TargetPath: "list[0].n"},
			{Kind: "ConfigMap", Name: "plain", ValuesKey: "text", TargetPath: "text"},
			{Kind: "ConfigMap", Name: "plain", ValuesKey: "none", Optional: true},
			{Kind: "Secret", Name: "none", Optional: true},
		}
	})
	r.ready(hr)
	var got map[string]any
	if err := json.Unmarshal([]byte(r.configMap("demo")["all"]), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "global")
	want := map[string]any{
		"a": map[string]any{"b": 1.0, "c": "own", "pin": 123.0, "name": "s3cr3t-name"}, "own": "value", "lit": "x,y={z}",
		"list": []any{map[string]any{"n": 5.0}}, "text": "6",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	event := r.event(hr, helmv2.InstallSucceededReason)
	var shown map[string]any
	if err := json.Unmarshal([]byte(event.Annotations["hearth.dev/values"]), &shown); err != nil {
		t.Fatalf("the event's values %q: %v", event.Annotations["hearth.dev/values"], err)
	}
	a := shown["a"].(map[string]any)
	for _, key := range []string{"pin", "name"} {
		if digest, ok := a[key].(string); !ok || !strings.HasPrefix(digest, "sha256:") {
			t.Errorf("the event shows %s as %v", key, a[key])
		}
		a[key] = want["a"].(map[string]any)[key]
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("the event's values (-want +got):\n%s", diff)
	}
	if got := event.Annotations["helm.toolkit.fluxcd.io/revision"]; got != hr.Status.LastAttemptedRevision {
		t.Errorf("the event is about %s", got)
	}
}

// TestHelmReleaseKeepsToItsNamespace refuses charts of other namespaces, where
// that is asked for, until the spec changes.
func TestHelmReleaseKeepsToItsNamespace(t *testing.T) {
	t.Parallel()
	r := startReleases(t, func(o *helmrelease.Options, _ *source.ChartOptions) { o.NoCrossNamespaceRefs = true })
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) { hr.Spec.ChartRef.Namespace = "elsewhere" })
	r.stalled(hr)
	want := "can't access 'OCIRepository/elsewhere/settings', cross-namespace references have been blocked"
	if reason, message := conditions.GetReason(hr, meta.ReadyCondition), conditions.GetMessage(hr, meta.ReadyCondition); reason != "AccessDenied" || message != want {
		t.Errorf("%s: %s", reason, message)
	}
	r.change(hr, func() { hr.Spec.ChartRef.Namespace = r.namespace })
	r.ready(hr)
	templated := r.release("templated", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.ChartRef = nil
		hr.Spec.Chart = &helmv2.HelmChartTemplate{Spec: helmv2.HelmChartTemplateSpec{
			Chart: "settings", SourceRef: helmv2.CrossNamespaceObjectReference{Kind: sourcev1.HelmRepositoryKind, Name: "charts", Namespace: "elsewhere"},
		}}
	})
	r.stalled(templated)
	if got := templated.Status.HelmChart; got != "" {
		t.Errorf("the HelmChart %s was made", got)
	}
}

// TestHelmReleaseErrorsNameTheirPlace walks through errors in a HelmRelease that
// stands in a file.
func TestHelmReleaseErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	root := t.TempDir()
	const file = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: demo
spec:
  valuesFrom:
    - kind: ConfigMap
      name: here
    - kind: ConfigMap
      name: missing
  values:
    main:
      replicas: many
    db:
      size: 1
`
	if err := os.WriteFile(filepath.Join(root, "release.yaml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	r.index.Put(render.Key{Group: helmv2.GroupVersion.Group, Kind: helmv2.HelmReleaseKind, Namespace: r.namespace, Name: "demo"}, render.Origin{Root: root, File: "release.yaml"})
	r.push("strict", "1.0.0", files{
		"Chart.yaml":             "apiVersion: v2\nname: strict\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0}]\n",
		"values.schema.json":     `{"type":"object","properties":{"main":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}`,
		"templates/c.yaml":       "{{ if .Values.deep }}{{ .Values.deep.er.still }}{{ end }}\n{{ if .Values.owned }}\n{{ required \"whose is it?\" .Values.main.owner }}{{ end }}",
		"charts/db/Chart.yaml":   "apiVersion: v2\nname: db\nversion: 1.0.0\n",
		"charts/db/templates/d.": "x", "charts/db/templates/d.yaml": "{{ if .Values.strict }}{{ required \"no engine\" .Values.engine }}{{ end }}",
	})
	r.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "here"}, Data: map[string]string{"values.yaml": "{}"}})
	hr := r.release("demo", "strict", `{"main":{"replicas":"many"},"db":{"size":1}}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.ValuesFrom = []meta.ValuesReference{{Kind: "ConfigMap", Name: "here"}, {Kind: "ConfigMap", Name: "missing"}}
	})
	if got := r.failing(hr, "ValuesError"); !strings.Contains(got, "could not find ConfigMap 'missing'") || !strings.HasSuffix(got, "(release.yaml:9)") {
		t.Errorf("valuesFrom: %s", got)
	}
	r.change(hr, func() { hr.Spec.ValuesFrom = nil })
	if got := r.failing(hr, helmv2.InstallFailedReason); !strings.Contains(got, "at '/main/replicas'") || !strings.HasSuffix(got, "(release.yaml:13)") {
		t.Errorf("schema: %s", got)
	}
	for _, c := range []struct{ values, what, where string }{
		{`{"main":{"replicas":1},"owned":true}`, "whose is it?: the template reads .Values.main.owner", "(release.yaml:12)"},
		{`{"main":{"replicas":1},"db":{"strict":true}}`, "no engine: the template reads .Values.db.engine", "(release.yaml:14)"},
		{`{"main":{"replicas":1},"deep":{"a":1}}`, "<.Values.deep.er.still>", "(release.yaml:11)"},
	} {
		r.change(hr, func() { hr.Spec.Values = jsonOf(t, c.values) })
		r.await(hr, patience, c.what, func() bool {
			message := conditions.GetMessage(hr, meta.ReadyCondition)
			return strings.Contains(message, c.what) && strings.HasSuffix(message, c.where)
		})
	}
}

// TestHelmReleaseIntervals reconciles by itself, and not where it is suspended.
func TestHelmReleaseIntervals(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Interval = metav1.Duration{Duration: time.Second}
		hr.Spec.DriftDetection = &helmv2.DriftDetection{Mode: helmv2.DriftDetectionEnabled}
	})
	r.ready(hr)
	r.edit("demo", func(c *corev1.ConfigMap) { c.Data["greeting"] = "changed" })
	r.await(hr, patience, "corrected by itself", func() bool { return r.configMap("demo")["greeting"] == "hello" })
}
