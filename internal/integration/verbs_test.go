package integration_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
)

// foreign is a namespace in which the test plays Flux's controllers.
type foreign struct {
	t         *testing.T
	ctx       context.Context
	client    client.WithWatch
	namespace string
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	c, err := client.NewWithWatch(cluster(t).Config(), client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	return &foreign{t, t.Context(), c, namespace(t)}
}

func (f *foreign) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: f.namespace, Name: name}
}

func (f *foreign) create(objects ...client.Object) {
	f.t.Helper()
	for _, obj := range objects {
		if err := f.client.Create(f.ctx, obj); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *foreign) status(obj client.Object) {
	f.t.Helper()
	if err := f.client.Status().Update(f.ctx, obj); err != nil {
		f.t.Fatal(err)
	}
}

// run runs a verb on this cluster and namespace.
func (f *foreign) run(args ...string) (stdout string, code int) {
	f.t.Helper()
	stdout, stderr, code := hearth(f.t, append(args, "-n", f.namespace, "--kubeconfig", cluster(f.t).KubeconfigPath())...)
	return stdout + stderr, code
}

// expect runs a verb and holds it to its exit code and to what it says.
func (f *foreign) expect(code int, says []string, args ...string) string {
	f.t.Helper()
	output, got := f.run(args...)
	if got != code {
		f.t.Errorf("%v: exit code %d, want %d: %s", args, got, code, output)
	}
	for _, want := range says {
		if !strings.Contains(output, want) {
			f.t.Errorf("%v does not say %q: %s", args, want, output)
		}
	}
	return output
}

func (f *foreign) kustomization(name string) *kustomizev1.Kustomization {
	k := &kustomizev1.Kustomization{ObjectMeta: f.meta(name)}
	k.Spec = kustomizev1.KustomizationSpec{
		Interval: metav1.Duration{Duration: time.Hour}, Path: "./" + name, Prune: true,
		SourceRef: kustomizev1.CrossNamespaceSourceReference{Kind: "GitRepository", Name: "home"},
	}
	return k
}

// play answers each reconcile request of a Kustomization as Flux's controller
// would: first that it is at work, then how that ended.
func (f *foreign) play(name string, end ...string) {
	f.t.Helper()
	w, err := f.client.Watch(f.ctx, &kustomizev1.KustomizationList{}, client.InNamespace(f.namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(w.Stop)
	go func() {
		for change := range w.ResultChan() {
			seen, ok := change.Object.(*kustomizev1.Kustomization)
			if !ok || change.Type == watch.Deleted {
				continue
			}
			key, k := client.ObjectKeyFromObject(seen), &kustomizev1.Kustomization{}
			if err := f.client.Get(f.ctx, key, k); err != nil {
				continue // the watch may lag behind
			}
			asked := k.Annotations[meta.ReconcileRequestAnnotation]
			if asked == k.Status.LastHandledReconcileAt && k.Status.ObservedGeneration == k.Generation || k.Spec.Suspend {
				continue
			}
			f.answer(key, conditionsOf("Reconciling", "True", "Progressing", "Building manifests for revision main@sha1:2", "Ready", "Unknown", "Progressing", "Reconciliation in progress"), "")
			f.answer(key, conditionsOf(end...), asked)
		}
	}()
}

// answer writes conditions, and with the last of them that a request was handled.
func (f *foreign) answer(key types.NamespacedName, conditions []metav1.Condition, handled string) {
	for {
		var k kustomizev1.Kustomization
		if err := f.client.Get(f.ctx, key, &k); err != nil {
			return
		}
		k.Status.Conditions = conditions
		if conditions[0].Type == meta.ReadyCondition {
			k.Status.LastHandledReconcileAt, k.Status.ObservedGeneration = handled, k.Generation
		}
		if err := f.client.Status().Update(f.ctx, &k); !apierrors.IsConflict(err) {
			return
		}
	}
}

func TestVerbsReconcileWhereFluxDoes(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	f.create(f.kustomization("good"), f.kustomization("bad"), f.kustomization("quiet"))
	f.play("good", "Ready", "True", "ReconciliationSucceeded", "Applied revision: main@sha1:2")
	f.play("bad", "Ready", "False", "BuildFailed", "apps/bad/kustomization.yaml:3: no such file \x1b[2J")
	f.expect(0, []string{"Kustomization " + f.namespace + "/good  asked to reconcile", "Ready: Applied revision: main@sha1:2"}, "reconcile", "ks/good")
	output := f.expect(1, []string{"Failed: apps/bad/kustomization.yaml:3: no such file"}, "reconcile", "ks", "bad")
	if strings.Contains(output, "\x1b") {
		t.Errorf("control characters reach the terminal: %q", output)
	}
	// Nobody reconciles this one.
	f.expect(1, []string{"✗ Kustomization " + f.namespace + "/quiet"}, "reconcile", "ks/quiet", "--timeout", "5s")

	f.expect(0, []string{"good  suspended"}, "suspend", "ks/good")
	f.expect(1, []string{"it is suspended: resume it first"}, "reconcile", "ks/good")
	f.expect(0, []string{"was suspended already"}, "suspend", "ks/good")
	f.expect(0, []string{"suspended, Ready"}, "wait", "ks/good", "--for", "suspended")
	f.expect(0, []string{"good  resumed", "Ready: Applied revision: main@sha1:2"}, "resume", "ks", "--all")
}

// TestVerbsFindByName holds that a name that several namespaces have is not
// guessed at.
func TestVerbsFindByName(t *testing.T) {
	f, g := newForeign(t), newForeign(t)
	name := "find-" + f.namespace
	f.create(f.kustomization(name))
	kubeconfig := cluster(t).KubeconfigPath()
	tree := func() (string, int) {
		stdout, stderr, code := hearth(t, "tree", "ks/"+name, "--kubeconfig", kubeconfig)
		return stdout + stderr, code
	}
	if output, code := tree(); code != 0 || !strings.Contains(output, "Kustomization "+f.namespace+"/"+name) {
		t.Errorf("a unique name: exit code %d: %s", code, output)
	}
	g.create(g.kustomization(name))
	if output, code := tree(); code != 1 || !strings.Contains(output, "several Kustomization") || !strings.Contains(output, f.namespace) || !strings.Contains(output, g.namespace) {
		t.Errorf("a name in two namespaces: exit code %d: %s", code, output)
	}
}

// TestVerbsSuspendSaysWhatGitSays tells a field that Git sets from one that it
// leaves to others.
func TestVerbsSuspendSaysWhatGitSays(t *testing.T) {
	f := newForeign(t)
	apply := func(name string, spec map[string]any) {
		k := f.kustomization(name)
		k.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "cluster", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
		k.SetGroupVersionKind(kustomizev1.GroupVersion.WithKind("Kustomization"))
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(k)
		if err != nil {
			t.Fatal(err)
		}
		delete(content, "status")
		for field, value := range spec {
			content["spec"].(map[string]any)[field] = value
		}
		data, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.client.Patch(f.ctx, k, client.RawPatch(types.ApplyPatchType, data), client.FieldOwner("kustomize-controller"), client.ForceOwnership); err != nil {
			t.Fatal(err)
		}
	}
	apply("silent", nil)
	apply("outspoken", map[string]any{"suspend": false})
	f.expect(0, []string{"Git does not know: Kustomization flux-system/cluster"}, "suspend", "ks/silent")
	f.expect(0, []string{"Git says otherwise: the next reconcile of Kustomization flux-system/cluster sets it back"}, "suspend", "ks/outspoken")
}

// TestVerbsTreeOfARelease reads the objects of a release from its record, as
// where Flux's own helm-controller wrote it, and no value of a Secret.
func TestVerbsTreeOfARelease(t *testing.T) {
	f := newForeign(t)
	d := &appsv1.Deployment{ObjectMeta: f.meta("server")}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "immich"}}
	d.Spec.Template.Labels = d.Spec.Selector.MatchLabels
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: "x"}}
	const value = "S3cret-of-the-tree"
	h := &helmv2.HelmRelease{ObjectMeta: f.meta("immich")}
	h.Spec.Interval = metav1.Duration{Duration: time.Hour}
	h.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository", Name: "app-template"}
	manifest := "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: server}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: " + value + "}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: lost}\n"
	record := &corev1.Secret{ObjectMeta: f.meta("sh.helm.release.v1.immich.v1"), Type: "helm.sh/release.v1", Data: map[string][]byte{"release": helmRecord(t, manifest)}}
	login := &corev1.Secret{ObjectMeta: f.meta("login"), StringData: map[string]string{"password": value}}
	k := f.kustomization("media")
	f.create(d, h, record, login, k)
	h.Status.StorageNamespace = f.namespace
	h.Status.History = helmv2.Snapshots{{
		Name: "immich", Namespace: f.namespace, Version: 1, Digest: "sha256:1", ConfigDigest: "sha256:1", ChartName: "app-template", ChartVersion: "5.0.0",
		Status: "deployed", FirstDeployed: metav1.Now(), LastDeployed: metav1.Now(),
	}}
	f.status(h)
	k.Status.Inventory = &kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{
		{ID: f.namespace + "_immich_helm.toolkit.fluxcd.io_HelmRelease", Version: "v2"},
		{ID: f.namespace + "_media_kustomize.toolkit.fluxcd.io_Kustomization", Version: "v1"}, // itself
		{ID: f.namespace + "_toy_toys.example.com_Toy", Version: "v1"},
	}}
	f.status(k)
	f.expect(0, []string{"Progressing=True"}, "wait", "deploy/server", "--for", "condition=Progressing", "--timeout", "60s")
	f.scheduled("app=immich")

	output := f.expect(0, []string{
		"Kustomization " + f.namespace + "/media",
		"├── HelmRelease " + f.namespace + "/immich",
		"│   ├── Deployment " + f.namespace + "/server",
		"Pod " + f.namespace + "/server-",
		"│   ├── Secret " + f.namespace + "/login",
		"│   └── Service " + f.namespace + "/lost",
		"└── Toy " + f.namespace + "/toy",
	}, "tree", "ks/media")
	if strings.Count(output, "/media") != 1 {
		t.Errorf("the Kustomization is below itself: %s", output)
	}
	asJSON := f.expect(0, nil, "tree", "ks/media", "-o", "json")
	var root observe.Node
	if err := json.Unmarshal([]byte(asJSON), &root); err != nil || len(root.Children) != 2 || len(root.Children[0].Children) != 3 {
		t.Errorf("%v: %s", err, asJSON)
	}
	if strings.Contains(output+asJSON, value) {
		t.Error("a value of a Secret is told")
	}
	compact := f.expect(0, []string{"HelmRelease " + f.namespace + "/immich"}, "tree", "ks/media", "--compact")
	if strings.Contains(compact, "Deployment") {
		t.Errorf("--compact shows workloads: %s", compact)
	}
	if shallow := f.expect(0, nil, "tree", "ks/media", "--depth", "1"); strings.Contains(shallow, "Deployment") {
		t.Errorf("--depth 1 shows two levels: %s", shallow)
	}
}

// scheduled waits until a pod with a label exists.
func (f *foreign) scheduled(selector string) {
	f.t.Helper()
	label, value, _ := strings.Cut(selector, "=")
	deadline := time.Now().Add(90 * time.Second)
	for {
		var pods corev1.PodList
		if err := f.client.List(f.ctx, &pods, client.InNamespace(f.namespace), client.MatchingLabels{label: value}); err != nil {
			f.t.Fatal(err)
		}
		if len(pods.Items) > 0 {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("no pod has the label %s", selector)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestVerbsEvents(t *testing.T) {
	f := newForeign(t)
	k := f.kustomization("apps")
	f.create(k)
	k.Status.Conditions = conditionsOf("Ready", "True", "ReconciliationSucceeded", "Applied revision: main@sha1:2")
	k.Status.ObservedGeneration, k.Status.LastAppliedRevision = k.Generation, "main@sha1:2"
	f.status(k)
	event := func(name, reason, message string, ago time.Duration) {
		at := metav1.NewTime(time.Now().Add(-ago))
		f.create(&corev1.Event{
			ObjectMeta:     f.meta(name),
			InvolvedObject: corev1.ObjectReference{Kind: "Kustomization", Namespace: f.namespace, Name: "apps", UID: k.UID},
			Type:           "Warning", Reason: reason, Message: message, FirstTimestamp: at, LastTimestamp: at, Count: 1,
		})
	}
	event("b", "BuildFailed", "no such file", 2*time.Hour)
	event("a", "HealthCheckFailed", "timeout", 3*time.Hour)
	event("c", "BuildFailed", "no such file", time.Hour)
	output := f.expect(0, nil, "events", "ks/apps")
	var order []int
	for _, want := range []string{"HealthCheckFailed: timeout", "BuildFailed: no such file (2 times)", "FluxReconciled: Ready with 0 objects at main@sha1:2"} {
		order = append(order, strings.Index(output, want))
	}
	if order[0] < 0 || order[0] >= order[1] || order[1] >= order[2] {
		t.Errorf("events are missing or not in order: %s", output)
	}
	f.expect(0, []string{"nothing is on record"}, "events", "sa/default")
}

// TestVerbsFollowEvents holds that events are told as they happen, those of the
// domain too, until the end is asked for.
func TestVerbsFollowEvents(t *testing.T) {
	f := newForeign(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan observe.Happening, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- observe.FollowHappenings(ctx, cluster(t).Config(), f.client, f.namespace, func(h observe.Happening) { told <- h })
	}()
	// Until the watches stand, nothing is told: so it happens again and again.
	wanted := map[string]bool{"Greeting": true, "FluxReconciled": true}
	deadline := time.After(90 * time.Second)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for len(wanted) > 0 {
		select {
		case h := <-told:
			delete(wanted, h.Reason)
		case <-tick.C:
			f.create(&corev1.Event{
				ObjectMeta:     metav1.ObjectMeta{Namespace: f.namespace, GenerateName: "greeting-"},
				InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: f.namespace, Name: "x"},
				Type:           "Normal", Reason: "Greeting", FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(),
			})
			k := f.kustomization("")
			k.GenerateName = "follow-"
			f.create(k)
			k.Status.Conditions = conditionsOf("Ready", "True", "ReconciliationSucceeded", "Applied revision: main@sha1:2")
			k.Status.ObservedGeneration = k.Generation
			f.status(k)
		case <-deadline:
			t.Fatalf("never told: %v", wanted)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("following events: %v", err)
	}
}

func TestVerbsWaitAndStats(t *testing.T) {
	f := newForeign(t)
	repository := &sourcev1.GitRepository{ObjectMeta: f.meta("home")}
	repository.Spec = sourcev1.GitRepositorySpec{URL: "https://git.example.com/home.git", Interval: metav1.Duration{Duration: time.Hour}}
	f.create(repository)
	f.expect(1, []string{"not ready in time"}, "wait", "gitrepo/home", "--timeout", "1s")
	repository.Status.Conditions = conditionsOf("Ready", "True", "Succeeded", "stored artifact for revision 'main@sha1:2'")
	repository.Status.ObservedGeneration = repository.Generation
	size := int64(2048)
	repository.Status.Artifact = &meta.Artifact{Path: "x", URL: "http://x", Revision: "main@sha1:2", Digest: "sha256:1", LastUpdateTime: metav1.Now(), Size: &size}
	f.status(repository)
	f.expect(0, []string{"Ready: stored artifact"}, "wait", "gitrepo/home", "--timeout", "60s")
	f.expect(0, []string{"Ready=True"}, "wait", "gitrepo", "home", "--for", "condition=ready=true", "--timeout", "60s")

	failing := f.kustomization("failing")
	f.create(failing)
	failing.Status.Conditions = conditionsOf("Ready", "False", "BuildFailed", "no such file")
	f.status(failing)
	paused := f.kustomization("paused")
	paused.Spec.Suspend = true
	f.create(paused)
	output := f.expect(0, nil, "stats", "-o", "json")
	var got struct{ Kinds []observe.KindStats }
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	seen := 0
	for _, s := range got.Kinds {
		switch {
		case s.Kind == "GitRepository" && s.Total == 1 && s.Ready == 1 && s.Stored == 2048,
			s.Kind == "Kustomization" && s.Total == 2 && s.Failing == 1 && s.Suspended == 1 && s.Ready == 0:
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("stats: %s", output)
	}

	if err := f.client.Delete(f.ctx, paused); err != nil {
		t.Fatal(err)
	}
	f.expect(0, []string{"it does not exist"}, "wait", "ks/paused", "--for", "deleted", "--timeout", "60s")
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"wait", "ks/failing", "--for", "condition="}, 2, "nothing to wait for"},
		{[]string{"wait", "ks/failing", "--timeout", "0s"}, 2, "no time to wait"},
		{[]string{"wait", "gizmo/x"}, 2, `no kind "gizmo"`},
		{[]string{"tree", "ks/failing", "ks/other"}, 2, "one root"},
		{[]string{"reconcile", "ks/a/b/c"}, 2, "names no object"},
		{[]string{"suspend", "es/x"}, 1, `no ExternalSecret "x"`},
		{[]string{"suspend", "ks", "hr", "--all"}, 2, "one kind at most"},
		{[]string{"wait", "imagerepository/x"}, 1, "is not defined there"},
	} {
		f.expect(test.code, []string{test.says}, test.args...)
	}
	provider := &notificationv1beta3.Provider{ObjectMeta: f.meta("chat"), Spec: notificationv1beta3.ProviderSpec{Type: "generic"}}
	f.create(provider)
	f.expect(0, []string{"nothing reconciles it"}, "reconcile", "provider/chat")
}

// helmRecord packs a manifest as Helm does for its Secret.
func helmRecord(t *testing.T, manifest string) []byte {
	t.Helper()
	content, err := json.Marshal(map[string]any{"name": "immich", "manifest": manifest})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(packed.Bytes()))
}
