package integration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
	"hearth/internal/engine/gitsource"
	"hearth/internal/engine/kustomization"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/source"
)

// gitops runs the sources and Kustomizations of one namespace against the
// shared cluster; its tree is the repository.
type gitops struct {
	t         testing.TB
	namespace string
	tree      string
	store     string        // where the artifacts are, also after a restart
	client    client.Client // reads from the server
	index     *render.Index
	refresh   chan struct{}
	others    []string // namespaces that the reconcilers see beside their own
}

func startGitOps(t testing.TB, files map[string]string, change ...func(*kustomization.Options)) *gitops {
	t.Helper()
	g := newGitOps(t, files)
	g.run(cluster(t).Config(), change...)
	return g
}

// newGitOps has a tree and a source, and no reconcilers yet.
func newGitOps(t testing.TB, files map[string]string) *gitops {
	t.Helper()
	g := &gitops{t: t, namespace: namespace(t), tree: t.TempDir(), store: t.TempDir(), index: &render.Index{}, refresh: make(chan struct{}, 1)}
	g.write(files)
	var err error
	if g.client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()}); err != nil {
		t.Fatal(err)
	}
	g.apply(fmt.Sprintf("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: home, namespace: %s}, spec: {url: %q, interval: 1h, ref: {branch: main}}}", g.namespace, gitopsURL))
	return g
}

// gitopsURL is the repository that the tree stands for.
const gitopsURL = "https://git.example.org/owner/home.git"

// run starts the reconcilers, which end with the test or when stop is called.
func (g *gitops) run(config *rest.Config, change ...func(*kustomization.Options)) (stop func()) {
	t := g.t
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	only := cache.ByObject{Namespaces: map[string]cache.Config{g.namespace: {}}}
	for _, other := range g.others {
		only.Namespaces[other] = cache.Config{}
	}
	mgr, err := manager.New(config, manager.Options{
		Scheme:  scheme.New(),
		Logger:  logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&kustomizev1.Kustomization{}: only, &sourcev1.GitRepository{}: only, &sourcev1.OCIRepository{}: only,
				&sourcev1.Bucket{}: only, &sourcev1.ExternalArtifact{}: only,
			},
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := source.OpenStore(g.store)
	if err != nil {
		t.Fatal(err)
	}
	gate := work.NewGate(4)
	o := kustomization.Options{Gate: gate, Objects: objects.New(mgr.GetCache(), mgr.GetScheme()), Store: store, Index: g.index}
	for _, c := range change {
		c(&o)
	}
	err = gitsource.Setup(mgr, gitsource.Options{
		Gate: gate, Store: store, Offline: true, Refresh: g.refresh,
		Overrides: []gitsource.Override{{URL: "ssh://git@git.example.org/owner/home", Folder: g.tree}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := kustomization.Setup(mgr, o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the reconcilers ended with: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the reconcilers do not end")
		}
	})
	t.Cleanup(stop)
	t.Cleanup(g.clear)
	return stop
}

// clear deletes what would keep the namespace from going.
func (g *gitops) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var list kustomizev1.KustomizationList
	if err := g.client.List(ctx, &list, client.InNamespace(g.namespace)); err != nil {
		g.t.Error(err)
		return
	}
	for i := range list.Items {
		if err := g.client.Delete(ctx, &list.Items[i]); client.IgnoreNotFound(err) != nil {
			g.t.Error(err)
		}
	}
	for ctx.Err() == nil {
		if err := g.client.List(ctx, &list, client.InNamespace(g.namespace)); err != nil || len(list.Items) == 0 {
			return
		}
		time.Sleep(time.Duration(20+len(list.Items)) * time.Millisecond)
	}
	for _, k := range list.Items {
		g.t.Errorf("Kustomization %s does not go: %v", k.Name, k.Status.Conditions)
	}
}

// write writes files of the repository; NS in them stands for the namespace.
// Empty content removes a file.
func (g *gitops) write(files map[string]string) {
	g.t.Helper()
	for name, content := range files {
		path := filepath.Join(g.tree, name)
		if content == "" {
			if err := os.Remove(path); err != nil {
				g.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(content, "NS", g.namespace)), 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// push writes files and tells the source.
func (g *gitops) push(files map[string]string) {
	g.t.Helper()
	g.write(files)
	g.refresh <- struct{}{}
}

func (g *gitops) apply(manifest string) *unstructured.Unstructured {
	g.t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &obj.Object); err != nil {
		g.t.Fatal(err)
	}
	err := g.client.Apply(g.t.Context(), client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("test"), client.ForceOwnership)
	if err != nil {
		g.t.Fatal(err)
	}
	return obj
}

// kustomization applies a Kustomization; spec may add to and replace its fields.
func (g *gitops) kustomization(name, spec string) {
	g.t.Helper()
	fields := map[string]any{"path": "./" + name, "prune": true, "interval": "1h", "sourceRef": map[string]any{"kind": "GitRepository", "name": "home"}}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		g.t.Fatal(err)
	}
	data, err := yaml.Marshal(map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": name, "namespace": g.namespace}, "spec": fields,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	g.apply(string(data))
}

func (g *gitops) get(name string) *kustomizev1.Kustomization {
	g.t.Helper()
	k := &kustomizev1.Kustomization{}
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, k); err != nil {
		g.t.Fatal(err)
	}
	return k
}

// until waits for a Kustomization to be as wanted.
func (g *gitops) until(name, want string, is func(*kustomizev1.Kustomization) bool) *kustomizev1.Kustomization {
	g.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		k := g.get(name)
		if is(k) {
			return k
		}
		if time.Now().After(deadline) {
			data, _ := yaml.Marshal(k.Status)
			g.t.Fatalf("Kustomization %s is not %s:\n%s", name, want, data)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (g *gitops) ready(name string) *kustomizev1.Kustomization {
	g.t.Helper()
	revision := ""
	return g.until(name, "ready", func(k *kustomizev1.Kustomization) bool {
		revision = k.Status.LastAppliedRevision
		return conditions.IsReady(k) && k.Status.ObservedGeneration == k.Generation && revision != ""
	})
}

// readyAgain waits until a Kustomization is ready at another revision.
func (g *gitops) readyAgain(name, than string) *kustomizev1.Kustomization {
	g.t.Helper()
	return g.until(name, "ready at another revision", func(k *kustomizev1.Kustomization) bool {
		return conditions.IsReady(k) && k.Status.LastAppliedRevision != than
	})
}

func (g *gitops) failed(name, reason, message string) *kustomizev1.Kustomization {
	g.t.Helper()
	return g.until(name, reason+" with "+message, func(k *kustomizev1.Kustomization) bool {
		c := conditions.Get(k, meta.ReadyCondition)
		return c != nil && c.Status == metav1.ConditionFalse && c.Reason == reason && strings.Contains(c.Message, message)
	})
}

func (g *gitops) configMap(name string) *corev1.ConfigMap {
	g.t.Helper()
	cm := &corev1.ConfigMap{}
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, cm); err != nil {
		g.t.Fatal(err)
	}
	return cm
}

func (g *gitops) exists(name string) bool {
	g.t.Helper()
	err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, &corev1.ConfigMap{})
	if client.IgnoreNotFound(err) != nil {
		g.t.Fatal(err)
	}
	return err == nil
}

func (g *gitops) gone(name string) {
	g.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); g.exists(name); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("ConfigMap %s is still there", name)
		}
	}
}

func (g *gitops) events(name string) (messages []string) {
	g.t.Helper()
	var list corev1.EventList
	if err := g.client.List(g.t.Context(), &list, client.InNamespace(g.namespace)); err != nil {
		g.t.Fatal(err)
	}
	for _, e := range list.Items {
		if e.InvolvedObject.Name == name {
			messages = append(messages, e.Reason+": "+e.Message)
		}
	}
	return messages
}

func configMap(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  namespace: NS\ndata:\n  value: %q\n", name, value)
}

func TestKustomizationApplies(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": "# first\n" + configMap("a", "1")})
	g.kustomization("apps", "{commonMetadata: {labels: {team: home}}}")
	k := g.ready("apps")

	if got := conditions.GetMessage(k, meta.ReadyCondition); got != "Applied revision: "+k.Status.LastAppliedRevision {
		t.Errorf("Ready says %q", got)
	}
	if reason := conditions.GetReason(k, meta.ReadyCondition); reason != meta.ReconciliationSucceededReason || conditions.Has(k, meta.ReconcilingCondition) || conditions.Has(k, meta.StalledCondition) {
		t.Errorf("conditions are %+v", k.Status.Conditions)
	}
	want := &kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{{ID: g.namespace + "_a__ConfigMap", Version: "v1"}}}
	if diff := cmp.Diff(want, k.Status.Inventory); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
	labels := map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": g.namespace, "team": "home"}
	cm := g.configMap("a")
	if diff := cmp.Diff(labels, cm.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if len(cm.ManagedFields) != 1 || cm.ManagedFields[0].Manager != "kustomize-controller" || cm.ManagedFields[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("fields are managed by %+v", cm.ManagedFields)
	}
	if k.Status.LastAttemptedRevision != k.Status.LastAppliedRevision || k.Status.History.Len() != 1 {
		t.Errorf("status is %+v", k.Status)
	}
	key := render.Key{Kind: "ConfigMap", Namespace: g.namespace, Name: "a"}
	if place := g.index.Place(key, "data", "value"); place != (domain.Place{File: "apps/a.yaml", Line: 8}) {
		t.Errorf("data.value stands at %s", place)
	}
	if events := g.events("apps"); !slices.Contains(events, "Progressing: ConfigMap/"+g.namespace+"/a created") {
		t.Errorf("no event tells what was applied: %q", events)
	}
}

func TestKustomizationTellsItsSteps(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	watching, err := client.NewWithWatch(cluster(t).Config(), client.Options{Scheme: g.client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := watching.Watch(t.Context(), &kustomizev1.KustomizationList{}, client.InNamespace(g.namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	g.kustomization("apps", "{}")
	var steps []string
	for event := range watch.ResultChan() {
		k := event.Object.(*kustomizev1.Kustomization)
		if first, _, _ := strings.Cut(conditions.GetMessage(k, meta.ReconcilingCondition), " "); first != "" && (len(steps) == 0 || steps[len(steps)-1] != first) {
			steps = append(steps, first)
		}
		if conditions.IsReady(k) {
			break
		}
	}
	if diff := cmp.Diff([]string{"Fetching", "Building", "Detecting"}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestKustomizationWritesNothingWithoutDrift(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1"), "apps/b.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, namespace: NS}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: c, image: c}]}\n"})
	g.kustomization("apps", "{interval: 1s, retryInterval: 1s}")
	before := g.ready("apps")
	cm := g.configMap("a")
	time.Sleep(3500 * time.Millisecond)
	if after := g.get("apps"); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the status was written:\n%s", cmp.Diff(before.Status, after.Status))
	}
	if after := g.configMap("a"); after.ResourceVersion != cm.ResourceVersion {
		t.Error("the object was written")
	}

	cm.Data["value"] = "by hand"
	cm.Data["other"] = "kept"
	if err := g.client.Update(t.Context(), cm, client.FieldOwner("hand")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); g.configMap("a").Data["value"] != "1"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a manual change was not undone")
		}
	}
	if got := g.configMap("a").Data["other"]; got != "kept" {
		t.Errorf("a field owned by others is %q", got)
	}
	var events []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && len(events) == 0; time.Sleep(20 * time.Millisecond) {
		events = slices.DeleteFunc(g.events("apps"), func(e string) bool { return !strings.Contains(e, "ConfigMap/"+g.namespace+"/a configured") })
	}
	if len(events) == 0 {
		t.Errorf("no event tells of the drift: %q", g.events("apps"))
	}
}

func TestKustomizationDependencies(t *testing.T) {
	files := map[string]string{}
	const depth = 6
	for i := range depth {
		files[fmt.Sprintf("k%d/a.yaml", i)] = configMap(fmt.Sprintf("k%d", i), "1")
	}
	g := startGitOps(t, files)
	for i := range depth {
		spec := "{}"
		if i > 0 {
			spec = fmt.Sprintf("{dependsOn: [{name: k%d}]}", i-1)
		}
		g.kustomization(fmt.Sprintf("k%d", i), spec)
	}
	last := g.ready(fmt.Sprintf("k%d", depth-1))
	for i := 1; i < depth; i++ {
		before, after := g.configMap(fmt.Sprintf("k%d", i-1)), g.configMap(fmt.Sprintf("k%d", i))
		if after.UID == before.UID || after.CreationTimestamp.Before(&before.CreationTimestamp) {
			t.Errorf("k%d was applied before k%d", i, i-1)
		}
	}

	// A new revision goes down the chain in order, and at once.
	revision := last.Status.LastAppliedRevision
	g.push(map[string]string{"k5/a.yaml": configMap("k5", "2")})
	g.readyAgain("k5", revision)
	if got := g.configMap("k5").Data["value"]; got != "2" {
		t.Errorf("k5 has %q", got)
	}
}

func TestKustomizationDependencyMissingOrCyclic(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"a/a.yaml": configMap("a", "1"), "b/b.yaml": configMap("b", "1"), "late/c.yaml": configMap("c", "1")})
	g.kustomization("a", "{dependsOn: [{name: late}]}")
	g.failed("a", meta.DependencyNotReadyReason, fmt.Sprintf("dependency '%s/late' not found", g.namespace))
	g.kustomization("late", "{dependsOn: [{name: b}]}")
	g.kustomization("b", "{dependsOn: [{name: a}]}")
	g.failed("a", meta.DependencyNotReadyReason, fmt.Sprintf("dependency cycle %[1]s/a → %[1]s/late → %[1]s/b → %[1]s/a", g.namespace))
	if g.exists("a") || g.exists("b") || g.exists("c") {
		t.Error("something was applied before its dependencies")
	}
	g.kustomization("b", "{dependsOn: []}")
	for _, name := range []string{"b", "late", "a"} {
		g.ready(name)
	}
}

func TestKustomizationReadyExpr(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"a/a.yaml": configMap("a", "1"), "b/b.yaml": configMap("b", "1")})
	g.kustomization("b", "{dependsOn: [{name: a, readyExpr: 'has(dep.metadata.annotations) && dep.metadata.annotations[\"go\"] == self.metadata.name'}]}")
	g.kustomization("a", "{}")
	g.ready("a")
	g.failed("b", meta.DependencyNotReadyReason, "is not ready according to readyExpr eval")
	a := g.get("a")
	patch := client.MergeFrom(a.DeepCopy())
	a.Annotations = map[string]string{"go": "b"}
	if err := g.client.Patch(t.Context(), a, patch); err != nil {
		t.Fatal(err)
	}
	g.ready("b")
}

func TestKustomizationPrunes(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/keep.yaml":      configMap("keep", "1"),
		"apps/gone.yaml":      configMap("gone", "1"),
		"apps/protected.yaml": strings.Replace(configMap("protected", "1"), "  namespace", "  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n  namespace", 1),
	})
	g.kustomization("apps", "{}")
	first := g.ready("apps")

	// A broken file: nothing is pruned, all stays, and the place is told.
	g.push(map[string]string{"apps/gone.yaml": "", "apps/broken.yaml": "kind: ConfigMap\n  bad: [\n"})
	broken := g.failed("apps", meta.BuildFailedReason, "apps/broken.yaml:2")
	if broken.Status.LastAppliedRevision != first.Status.LastAppliedRevision || broken.Status.LastAttemptedRevision == first.Status.LastAttemptedRevision {
		t.Errorf("applied %s, attempted %s", broken.Status.LastAppliedRevision, broken.Status.LastAttemptedRevision)
	}
	if diff := cmp.Diff(first.Status.Inventory, broken.Status.Inventory); diff != "" {
		t.Errorf("the inventory changed:\n%s", diff)
	}
	if !g.exists("gone") {
		t.Error("a failed build pruned")
	}
	// The same of an object that the server refuses.
	g.push(map[string]string{"apps/broken.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: NS}\nspec: {ports: [{port: 99999}]}\n"})
	g.failed("apps", meta.ReconciliationFailedReason, "(apps/broken.yaml:1)")
	if !g.exists("gone") {
		t.Error("a failed apply pruned")
	}

	g.push(map[string]string{"apps/broken.yaml": "", "apps/protected.yaml": ""})
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	g.gone("gone")
	if !g.exists("keep") || !g.exists("protected") {
		t.Error("what is kept or protected was pruned")
	}
	if events := g.events("apps"); !slices.ContainsFunc(events, func(e string) bool { return strings.Contains(e, "ConfigMap/"+g.namespace+"/gone deleted") }) {
		t.Errorf("no event tells of the pruning: %q", events)
	}
}

func TestKustomizationMovesObjectsWithoutDeletingThem(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"a/a.yaml": configMap("a", "1"), "a/x.yaml": configMap("x", "1"), "b/b.yaml": configMap("b", "1")})
	g.kustomization("a", "{}")
	g.kustomization("b", "{}")
	first := g.ready("a").Status.LastAppliedRevision
	g.ready("b")
	uid := g.configMap("x").UID
	g.kustomization("a", "{dependsOn: [{name: b}]}")
	g.ready("a")
	g.push(map[string]string{"a/x.yaml": "", "b/x.yaml": configMap("x", "1")})
	g.readyAgain("b", first)
	g.readyAgain("a", first)
	if g.configMap("x").UID != uid {
		t.Error("an object that moved to another Kustomization was deleted")
	}
}

const helmRelease = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: app, namespace: NS}\nspec: {interval: 1h, chartRef: {kind: OCIRepository, name: app}}\n"

// setReleaseReady plays the reconciler of the HelmRelease app.
func (g *gitops) setReleaseReady(status string) {
	g.t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(schema.GroupVersionKind{Group: "helm.toolkit.fluxcd.io", Version: "v2", Kind: "HelmRelease"})
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "app"}, obj); err != nil {
		g.t.Fatal(err)
	}
	obj.Object["status"] = map[string]any{"observedGeneration": obj.GetGeneration(), "conditions": []any{map[string]any{
		"type": "Ready", "status": status, "reason": "Test", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
	}}}
	if err := g.client.Status().Update(g.t.Context(), obj); err != nil {
		g.t.Fatal(err)
	}
}

// TestKustomizationHealthTimeout takes Flux's shortest timeout, half a minute.
func TestKustomizationHealthTimeout(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"waits/app.yaml": helmRelease})
	g.kustomization("waits", "{wait: true, timeout: 30s}")
	g.until("waits", "checking", func(k *kustomizev1.Kustomization) bool { return conditions.IsUnknown(k, meta.HealthyCondition) })
	time.Sleep(29 * time.Second)
	late := g.failed("waits", meta.HealthCheckFailedReason, fmt.Sprintf("timeout waiting for: [HelmRelease/%s/app status: 'InProgress']", g.namespace))
	if !conditions.IsFalse(late, meta.HealthyCondition) {
		t.Errorf("after the timeout the conditions are %+v", late.Status.Conditions)
	}
	g.setReleaseReady("True")
	g.ready("waits")
}

func TestKustomizationHealth(t *testing.T) {
	g := startGitOps(t, map[string]string{"waits/app.yaml": helmRelease, "checks/c.yaml": configMap("state", "working")})
	g.kustomization("waits", "{wait: true, timeout: 30s}")
	waiting := g.until("waits", "checking", func(k *kustomizev1.Kustomization) bool {
		return strings.HasPrefix(conditions.GetMessage(k, meta.ReconcilingCondition), "Running health checks for revision")
	})
	if !conditions.IsUnknown(waiting, meta.ReadyCondition) || !conditions.IsUnknown(waiting, meta.HealthyCondition) {
		t.Errorf("while it waits the conditions are %+v", waiting.Status.Conditions)
	}
	g.setReleaseReady("True")
	done := g.ready("waits")
	if !conditions.IsTrue(done, meta.HealthyCondition) || !strings.HasPrefix(conditions.GetMessage(done, meta.HealthyCondition), "Health check passed in ") {
		t.Errorf("once healthy the conditions are %+v", done.Status.Conditions)
	}

	g.kustomization("checks", "{timeout: 1m, healthChecks: [{apiVersion: v1, kind: ConfigMap, name: state, namespace: "+g.namespace+"}], healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, inProgress: \"data.value == 'working'\", failed: \"data.value == 'broken'\", current: \"data.value == 'done'\"}]}")
	g.until("checks", "checking", func(k *kustomizev1.Kustomization) bool { return conditions.IsUnknown(k, meta.HealthyCondition) })
	g.push(map[string]string{"checks/c.yaml": configMap("state", "broken")})
	g.failed("checks", meta.HealthCheckFailedReason, fmt.Sprintf("failed early due to stalled resources: [ConfigMap/%s/state status: 'Failed']", g.namespace))
	g.push(map[string]string{"checks/c.yaml": configMap("state", "done")})
	g.ready("checks")

	g.kustomization("checks", "{healthChecks: [], healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: \"(((\"}]}")
	stalled := g.failed("checks", meta.InvalidCELExpressionReason, "Reconciliation failed terminally due to configuration error")
	if !conditions.IsStalled(stalled) {
		t.Errorf("an invalid expression does not stall: %+v", stalled.Status.Conditions)
	}
}

func TestKustomizationSuspend(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("apps", "{}")
	first := g.ready("apps")
	g.kustomization("apps", "{suspend: true}")
	time.Sleep(300 * time.Millisecond)
	g.push(map[string]string{"apps/a.yaml": configMap("a", "2")})
	time.Sleep(700 * time.Millisecond)
	if got := g.configMap("a").Data["value"]; got != "1" {
		t.Errorf("a suspended Kustomization applied %q", got)
	}
	g.kustomization("apps", "{suspend: false}")
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	if got := g.configMap("a").Data["value"]; got != "2" {
		t.Errorf("resumed, it has %q", got)
	}
}

func TestKustomizationDeletion(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"mirror/a.yaml": configMap("mirror", "1"), "orphan/a.yaml": configMap("orphan", "1"), "noprune/a.yaml": configMap("noprune", "1"), "waits/a.yaml": configMap("waits", "1")})
	g.kustomization("mirror", "{}")
	g.kustomization("orphan", "{deletionPolicy: Orphan}")
	g.kustomization("noprune", "{prune: false}")
	g.kustomization("waits", "{deletionPolicy: WaitForTermination}")
	for _, name := range []string{"mirror", "orphan", "noprune", "waits"} {
		g.ready(name)
	}
	held := g.configMap("waits")
	controllerutil.AddFinalizer(held, "example.org/held")
	if err := g.client.Update(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mirror", "orphan", "noprune", "waits"} {
		if err := g.client.Delete(t.Context(), g.get(name)); err != nil {
			t.Fatal(err)
		}
	}
	present := func(name string) bool {
		err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, &kustomizev1.Kustomization{})
		return !apierrors.IsNotFound(err)
	}
	wait := func(name string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); present(name); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("Kustomization %s does not go", name)
			}
		}
	}
	wait("mirror")
	wait("orphan")
	wait("noprune")
	g.gone("mirror")
	if !g.exists("orphan") || !g.exists("noprune") {
		t.Error("what was to stay was deleted")
	}
	if !present("waits") {
		t.Error("the Kustomization went before its objects")
	}
	held = g.configMap("waits")
	patch := client.MergeFrom(held.DeepCopy())
	controllerutil.RemoveFinalizer(held, "example.org/held")
	if err := g.client.Patch(t.Context(), held, patch); err != nil {
		t.Fatal(err)
	}
	wait("waits")
}

// definition returns a CRD of a group of its own.
func definition(group, kind string) string {
	plural := strings.ToLower(kind) + "s"
	return fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %[2]s.%[1]s}\nspec:\n  group: %[1]s\n  scope: Namespaced\n  names: {kind: %[3]s, plural: %[2]s, singular: %[4]s, listKind: %[3]sList}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n", group, plural, kind, strings.ToLower(kind))
}

func (g *gitops) dropDefinition(name string) {
	g.t.Cleanup(func() {
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := g.client.Delete(context.Background(), crd); client.IgnoreNotFound(err) != nil {
			g.t.Error(err)
		}
	})
}

func TestKustomizationUnknownKind(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/a.yaml": configMap("a", "1"),
		"apps/w.yaml": "\n\napiVersion: late.example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: NS}\n",
	})
	g.dropDefinition("widgets.late.example.org")
	g.kustomization("apps", "{interval: 1h, retryInterval: 1h}")
	g.failed("apps", meta.ReconciliationFailedReason, "(apps/w.yaml:3)")
	if g.exists("a") {
		t.Error("an apply that failed applied something")
	}
	time.Sleep(4 * time.Second) // the back-off has grown: only the definition itself wakes soon
	settled := g.get("apps")
	g.apply(definition("late.example.org", "Widget"))
	g.ready("apps")
	if settled.Status.History.Len() > 1 {
		t.Errorf("the same failure was written again and again: %+v", settled.Status.History)
	}
}

func TestKustomizationRetriesLeaveNoTrace(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/w.yaml": "apiVersion: never.example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: NS}\n"})
	g.kustomization("apps", "{interval: 1s}")
	g.failed("apps", meta.ReconciliationFailedReason, "no matches for kind")
	time.Sleep(300 * time.Millisecond)
	before := g.get("apps")
	time.Sleep(3 * time.Second)
	if after := g.get("apps"); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("a retry that failed alike was written:\n%s", cmp.Diff(before.Status, after.Status))
	}
}

func TestKustomizationUnknownKindSupplied(t *testing.T) {
	t.Parallel()
	var place domain.Place
	var g *gitops
	g = startGitOps(t, map[string]string{"apps/w.yaml": "apiVersion: supplied.example.org/v1\nkind: Gadget\nmetadata: {name: w, namespace: NS}\n"}, func(o *kustomization.Options) {
		o.UnknownKind = func(_ context.Context, gvk schema.GroupVersionKind, at domain.Place) (bool, error) {
			place = at
			g.apply(definition(gvk.Group, gvk.Kind))
			return true, nil
		}
	})
	g.dropDefinition("gadgets.supplied.example.org")
	g.kustomization("apps", "{}")
	g.ready("apps")
	if place != (domain.Place{File: "apps/w.yaml", Line: 1}) {
		t.Errorf("asked about a kind at %s", place)
	}
}

func TestKustomizationStages(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, nil)
	other := g.namespace + "-staged"
	g.write(map[string]string{
		"apps/crd.yaml": definition("staged.example.org", "Part"),
		"apps/a.yaml":   "apiVersion: staged.example.org/v1\nkind: Part\nmetadata: {name: p, namespace: NS-staged}\nspec: {x: 1}\n",
		"apps/ns.yaml":  "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-staged}\n",
	})
	g.refresh <- struct{}{}
	g.dropDefinition("parts.staged.example.org")
	g.kustomization("apps", "{wait: true, timeout: 20s}")
	g.ready("apps")
	part := &unstructured.Unstructured{}
	part.SetGroupVersionKind(schema.GroupVersionKind{Group: "staged.example.org", Version: "v1", Kind: "Part"})
	if err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: other, Name: "p"}, part); err != nil {
		t.Error(err)
	}
}

func TestKustomizationSubstitutes(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "${DOMAIN} ${EXTRA} ${TOKEN} ${NONE:=default}")})
	g.kustomization("apps", "{postBuild: {substitute: {DOMAIN: example.org}, substituteFrom: [{kind: ConfigMap, name: vars}, {kind: Secret, name: secret}, {kind: Secret, name: absent, optional: true}]}}")
	g.failed("apps", meta.BuildFailedReason, "substitute from 'ConfigMap/vars' error")
	g.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: vars, namespace: " + g.namespace + "}, data: {EXTRA: more, DOMAIN: overridden}}")
	g.apply("{apiVersion: v1, kind: Secret, metadata: {name: secret, namespace: " + g.namespace + ", labels: {reconcile.fluxcd.io/watch: Enabled}}, stringData: {TOKEN: s3cr3t-value}}")
	g.ready("apps")
	if got := g.configMap("a").Data["value"]; got != "example.org more s3cr3t-value default" {
		t.Errorf("built %q", got)
	}

	// What the server refuses, it cites: the secret must not show.
	g.push(map[string]string{"apps/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: NS, labels: {x: '${TOKEN} is no label'}}\nspec: {ports: [{port: 80}]}\n"})
	bad := g.failed("apps", meta.ReconciliationFailedReason, "*****")
	if strings.Contains(fmt.Sprint(bad.Status, g.events("apps")), "s3cr3t") {
		t.Error("a secret's value shows")
	}

	// Unknown and without a default: an error, as in Flux 2.9.
	g.push(map[string]string{"apps/s.yaml": configMap("b", "${UNKNOWN}")})
	g.failed("apps", meta.BuildFailedReason, "(apps/s.yaml:7)")

	g.push(map[string]string{"apps/s.yaml": ""})
	g.ready("apps")
	g.apply("{apiVersion: v1, kind: Secret, metadata: {name: secret, namespace: " + g.namespace + ", labels: {reconcile.fluxcd.io/watch: Enabled}}, stringData: {TOKEN: rotated}}")
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(g.configMap("a").Data["value"], "rotated"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a rotated secret was not noticed")
		}
	}
}

func TestKustomizationPathAndNamespace(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/a.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
		"root/own.yaml": "# the child\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: child\n  namespace: NS\nspec:\n  interval: 1h\n  prune: true\n  path: ./nowhere\n  sourceRef: {kind: GitRepository, name: home}\n",
	})
	g.kustomization("apps", "{targetNamespace: "+g.namespace+"}")
	g.ready("apps")
	if !g.exists("a") {
		t.Error("the target namespace was not used")
	}
	g.kustomization("root", "{}")
	g.ready("root")
	g.failed("child", meta.ArtifactFailedReason, `kustomization path not found: the source has no folder "./nowhere" (root/own.yaml:10)`)
	g.push(map[string]string{"nowhere/x.yaml": configMap("x", "1")})
	g.ready("child")
}

func TestKustomizationSource(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("apps", "{sourceRef: {kind: GitRepository, name: later}}")
	g.failed("apps", meta.ArtifactFailedReason, "not found")
	g.apply("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: later, namespace: " + g.namespace + "}, spec: {url: 'https://elsewhere.example.org/x', interval: 1h}}")
	g.failed("apps", meta.ArtifactFailedReason, "Source artifact not found")
	repo := &sourcev1.GitRepository{}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "later"}, repo); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(conditions.GetMessage(repo, meta.ReadyCondition), "https://elsewhere.example.org/x is not cloned offline") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("an offline repository says %+v", repo.Status.Conditions)
		}
	}
	repo.Spec.URL = "https://git.example.org/owner/home"
	if err := g.client.Update(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	g.ready("apps")
	if err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "later"}, repo); err != nil {
		t.Fatal(err)
	}
	want := "stored artifact for revision '" + repo.Status.Artifact.Revision + "'"
	if got := conditions.GetMessage(repo, meta.ReadyCondition); got != want || !conditions.IsTrue(repo, sourcev1.ArtifactInStorageCondition) || repo.Status.ObservedGeneration != repo.Generation {
		t.Errorf("the repository says %+v", repo.Status)
	}
}

func TestKustomizationRequested(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("apps", "{}")
	k := g.ready("apps")
	if err := g.client.Delete(t.Context(), g.configMap("a")); err != nil {
		t.Fatal(err)
	}
	patch := client.MergeFrom(k.DeepCopy())
	k.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := g.client.Patch(t.Context(), k, patch); err != nil {
		t.Fatal(err)
	}
	g.until("apps", "reconciled as asked", func(k *kustomizev1.Kustomization) bool {
		return k.Status.LastHandledReconcileAt == "now" && conditions.IsReady(k)
	})
	if !g.exists("a") {
		t.Error("a deleted object was not applied again")
	}
}

func TestKustomizationImpersonates(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("apps", "{serviceAccountName: nobody, retryInterval: 1s}")
	g.failed("apps", meta.ReconciliationFailedReason, "system:serviceaccount:"+g.namespace+":nobody")
	g.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: nobody, namespace: " + g.namespace + "}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{kind: ServiceAccount, name: nobody, namespace: " + g.namespace + "}]}")
	g.ready("apps")
}
