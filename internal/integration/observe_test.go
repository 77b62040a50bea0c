package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
)

// observation is a namespace whose objects a watcher tells of, and whose
// statuses the test writes as Flux, External Secrets and a kubelet would.
type observation struct {
	t         *testing.T
	ctx       context.Context
	client    client.Client
	namespace string
	watcher   *observe.Watcher
	told      chan observe.Transition
}

func observeNamespace(t *testing.T) *observation {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o := &observation{t: t, ctx: ctx, namespace: namespace(t), told: make(chan observe.Transition, 1000)}
	var err error
	if o.client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()}); err != nil {
		t.Fatal(err)
	}
	c, err := cache.New(cluster(t).Config(), cache.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	o.watcher = observe.New(objects.New(c, scheme.New()), nil)
	o.watcher.Subscribe(func(tr observe.Transition) {
		if tr.Namespace == o.namespace {
			o.told <- tr
		}
	})
	ended := make(chan error, 2)
	go func() { ended <- c.Start(ctx) }()
	go func() { ended <- o.watcher.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("watching the cluster: %v", err)
			}
		}
	})
	return o
}

func (o *observation) create(obj client.Object) {
	o.t.Helper()
	if err := o.client.Create(o.ctx, obj); err != nil {
		o.t.Fatal(err)
	}
}

func (o *observation) update(obj client.Object) {
	o.t.Helper()
	if err := o.client.Status().Update(o.ctx, obj); err != nil {
		o.t.Fatal(err)
	}
}

// meta names an object of the namespace.
func (o *observation) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: o.namespace, Name: name}
}

// await waits until an object is told to have entered a state, and returns the
// way there since it was last awaited: passed states in lower case, off-model
// ones marked.
func (o *observation) await(kind, name string, state domain.State) string {
	o.t.Helper()
	way := ""
	for {
		select {
		case tr := <-o.told:
			if tr.Kind != kind || tr.Name != name {
				continue
			}
			to := string(tr.To)
			if tr.Passed {
				to = strings.ToLower(to)
			}
			if tr.OffModel {
				to += "!"
			}
			if way == "" {
				way = string(tr.From)
			}
			way += "→" + to
			if tr.To == state && !tr.Passed {
				return way
			}
		case <-time.After(20 * time.Second):
			o.t.Fatalf("%s %s did not become %s; told so far: %s; now: %+v", kind, name, state, way, o.watcher.Snapshot())
		}
	}
}

func (o *observation) expect(kind, name string, state domain.State, way string) {
	o.t.Helper()
	if got := o.await(kind, name, state); got != way {
		o.t.Errorf("%s %s: told %s, want %s", kind, name, got, way)
	}
}

// object returns the watcher's idea of an object, and holds that a single look
// sees the same.
func (o *observation) object(kind, name string) observe.Object {
	o.t.Helper()
	find := func(list []observe.Object) observe.Object {
		for _, object := range list {
			if object.Ref == (domain.Ref{Kind: kind, Namespace: o.namespace, Name: name}) {
				return object
			}
		}
		o.t.Fatalf("there is no %s %s", kind, name)
		return observe.Object{}
	}
	watched := find(o.watcher.Snapshot())
	sight, err := observe.Read(o.ctx, cluster(o.t).Config())
	if err != nil {
		o.t.Fatal(err)
	}
	read := find(sight.Objects)
	read.Since, read.ReadyAt = watched.Since, watched.ReadyAt
	if diff := cmp.Diff(watched, read); diff != "" {
		o.t.Errorf("a single look sees %s %s otherwise: %s", kind, name, diff)
	}
	return watched
}

func conditionsOf(pairs ...string) []metav1.Condition {
	var list []metav1.Condition
	for i := 0; i < len(pairs); i += 4 {
		list = append(list, metav1.Condition{
			Type: pairs[i], Status: metav1.ConditionStatus(pairs[i+1]), Reason: pairs[i+2], Message: pairs[i+3],
			LastTransitionTime: metav1.Now(),
		})
	}
	return list
}

func TestObserveKustomization(t *testing.T) {
	o := observeNamespace(t)
	k := &kustomizev1.Kustomization{ObjectMeta: o.meta("apps")}
	k.Spec = kustomizev1.KustomizationSpec{
		Interval: metav1.Duration{Duration: time.Hour}, Path: "./apps", Prune: true,
		SourceRef: kustomizev1.CrossNamespaceSourceReference{Kind: "GitRepository", Name: "home"},
		DependsOn: []kustomizev1.DependencyReference{{Name: "cilium"}, {Name: "dns", Namespace: "network"}},
	}
	o.create(k)
	o.expect("Kustomization", "apps", "Idle", "[*]→Idle")

	k.Status.Conditions = conditionsOf("Ready", "False", "DependencyNotReady", "dependency 'cilium' is not ready")
	o.update(k)
	k.Status.Conditions = conditionsOf(
		"Reconciling", "True", "Progressing", "Building manifests for revision main@sha1:1 with a timeout of 1m0s",
		"Ready", "Unknown", "Progressing", "Reconciliation in progress")
	o.update(k)
	o.expect("Kustomization", "apps", "Building", "Idle→fetching→Building")

	k.Status.Conditions = conditionsOf(
		"Reconciling", "True", "ProgressingWithRetry", "Building manifests for revision main@sha1:1 with a timeout of 1m0s",
		"Ready", "False", "BuildFailed", "kustomize build failed: no such file")
	o.update(k)
	o.expect("Kustomization", "apps", "Failed", "Building→Failed!")

	k.Status.Conditions = conditionsOf("Ready", "True", "ReconciliationSucceeded", "Applied revision: main@sha1:2")
	k.Status.ObservedGeneration = k.Generation
	o.update(k)
	o.expect("Kustomization", "apps", "Ready", "Failed→fetching→building→applying→Ready")

	got := o.object("Kustomization", "apps")
	want := observe.Object{
		Ref:     domain.Ref{Kind: "Kustomization", Namespace: o.namespace, Name: "apps"},
		State:   domain.KustomizationReady,
		Message: "Applied revision: main@sha1:2", Ready: true,
		Since: got.Since, ReadyAt: got.ReadyAt,
		DependsOn: []domain.Ref{
			{Kind: "Kustomization", Namespace: o.namespace, Name: "cilium"},
			{Kind: "Kustomization", Namespace: "network", Name: "dns"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	if err := o.client.Delete(o.ctx, k); err != nil {
		t.Fatal(err)
	}
	o.expect("Kustomization", "apps", domain.Absent, "Ready→deleting→[*]")
	var off []string
	for _, tr := range o.watcher.OffModel() {
		if tr.Namespace == o.namespace {
			off = append(off, string(tr.From)+"→"+string(tr.To))
		}
	}
	if diff := cmp.Diff([]string{"Building→Failed"}, off); diff != "" {
		t.Errorf("off-model: %s", diff)
	}
}

func TestObserveExternalSecret(t *testing.T) {
	o := observeNamespace(t)
	e := &esv1.ExternalSecret{ObjectMeta: o.meta("immich")}
	e.Spec.SecretStoreRef = esv1.SecretStoreRef{Kind: esv1.SecretStoreKind, Name: "connect"}
	e.Spec.DataFrom = []esv1.ExternalSecretDataFrom{{Extract: &esv1.RemoteRef{Key: "immich"}}}
	o.create(e)
	o.expect("ExternalSecret", "immich", "Pending", "[*]→Pending")

	store := &esv1.SecretStore{ObjectMeta: o.meta("connect")}
	store.Spec.Provider = &esv1.SecretStoreProvider{Fake: &esv1.FakeProvider{Data: []esv1.FakeProviderData{}}}
	o.create(store)
	ready := func(status corev1.ConditionStatus, reason, message string) []esv1.Condition {
		return []esv1.Condition{{Type: esv1.ConditionReady, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.Now()}}
	}
	store.Status.Conditions = ready("True", esv1.ReasonStoreValid, "store validated")
	o.update(store)
	o.expect("ExternalSecret", "immich", "Syncing", "Pending→Syncing")

	e.Status.Conditions = ready("False", esv1.ReasonSecretSyncedError, `item "immich" not found`)
	o.update(e)
	o.expect("ExternalSecret", "immich", "Failed", "Syncing→Failed")
	if got := o.object("ExternalSecret", "immich"); got.Message != `item "immich" not found` || got.Ready {
		t.Errorf("%+v", got)
	}

	e.Status.Conditions = ready("True", esv1.ReasonSecretSynced, "secret synced")
	e.Status.RefreshTime = metav1.Now()
	o.update(e)
	o.expect("ExternalSecret", "immich", "Ready", "Failed→syncing→Ready")
}

func TestObservePodsOfARelease(t *testing.T) {
	o := observeNamespace(t)
	h := &helmv2.HelmRelease{ObjectMeta: o.meta("immich")}
	h.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "media", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	h.Spec.Interval = metav1.Duration{Duration: time.Hour}
	h.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository", Name: "app-template"}
	o.create(h)
	o.expect("HelmRelease", "immich", "Pending", "[*]→Pending")

	d := &appsv1.Deployment{ObjectMeta: o.meta("server")}
	d.Labels = map[string]string{"helm.toolkit.fluxcd.io/name": "immich", "helm.toolkit.fluxcd.io/namespace": o.namespace}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "immich"}}
	d.Spec.Template.Labels = map[string]string{"app": "immich"}
	d.Spec.Template.Spec = corev1.PodSpec{
		Containers: []corev1.Container{{Name: "app", Image: "ghcr.io/immich-app/immich-server:v2.4.1"}},
		Volumes:    []corev1.Volume{{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}}}},
	}
	o.create(d)
	pod := o.scheduledPod("app=immich")
	o.expect("Pod", pod.Name, "WaitingSecrets", "[*]→Pending→init→WaitingSecrets")
	got := o.object("Pod", pod.Name)
	if want := (domain.Ref{Kind: "HelmRelease", Namespace: o.namespace, Name: "immich"}); got.Owner != want || got.Message != "Secret "+o.namespace+"/tls does not exist" {
		t.Errorf("%+v", got)
	}

	o.create(&corev1.Secret{ObjectMeta: o.meta("tls")})
	o.expect("Pod", pod.Name, "Init", "WaitingSecrets→Init!")
	o.podStatus(pod, corev1.PodRunning, corev1.ContainerStatus{
		Name: "app", Image: "x", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
	})
	o.expect("Pod", pod.Name, "Running", "Init→waitingsecrets→pullingimages→starting→Running")
	o.podStatus(pod, corev1.PodRunning, corev1.ContainerStatus{
		Name: "app", Image: "x", RestartCount: 1,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, StartedAt: metav1.Now()}},
	})
	o.expect("Pod", pod.Name, "CrashLoop", "Running→CrashLoop")
	if got := o.object("HelmRelease", "immich"); got.Owner != (domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "media"}) {
		t.Errorf("the release came from %s", got.Owner)
	}
}

// scheduledPod waits for the pod that a label selects, and puts it on a node.
func (o *observation) scheduledPod(selector string) *corev1.Pod {
	o.t.Helper()
	label, value, _ := strings.Cut(selector, "=")
	var pods corev1.PodList
	for range 100 {
		if err := o.client.List(o.ctx, &pods, client.InNamespace(o.namespace), client.MatchingLabels{label: value}); err != nil {
			o.t.Fatal(err)
		}
		if len(pods.Items) > 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(pods.Items) == 0 {
		o.t.Fatalf("no pod has the label %s", selector)
	}
	pod := &pods.Items[0]
	binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "virtual-1"}}
	if err := o.client.SubResource("binding").Create(o.ctx, pod, binding); err != nil {
		o.t.Fatal(err)
	}
	return pod
}

// podStatus writes what a kubelet says of a pod with one container.
func (o *observation) podStatus(pod *corev1.Pod, phase corev1.PodPhase, c corev1.ContainerStatus) {
	o.t.Helper()
	for {
		if err := o.client.Get(o.ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			o.t.Fatal(err)
		}
		pod.Status.Phase, pod.Status.ContainerStatuses = phase, []corev1.ContainerStatus{c}
		err := o.client.Status().Update(o.ctx, pod)
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			o.t.Fatal(err)
		}
	}
}

func TestObserveRoute(t *testing.T) {
	o := observeNamespace(t)
	r := &gatewayv1.HTTPRoute{ObjectMeta: o.meta("immich")}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "envoy-internal"}}
	events := make(chan domain.Event, 10)
	o.watcher.OnEvent(func(e domain.Event) {
		if e.Subject().Namespace == o.namespace {
			events <- e
		}
	})
	o.create(r)
	o.expect("HTTPRoute", "immich", domain.RoutePending, "[*]→Pending")
	select {
	case e := <-events:
		if e.EventName() != "HTTPRouteCreated" {
			t.Errorf("the event is %s", e.EventName())
		}
	case <-time.After(10 * time.Second):
		t.Error("HTTPRouteCreated did not come")
	}
	r.Status.Parents = []gatewayv1.RouteParentStatus{{
		ParentRef: r.Spec.ParentRefs[0], ControllerName: "example.com/gateway",
		Conditions: conditionsOf("Accepted", "True", "Accepted", "", "ResolvedRefs", "True", "ResolvedRefs", ""),
	}}
	o.update(r)
	o.expect("HTTPRoute", "immich", domain.RouteReady, "Pending→Ready")
	o.object("HTTPRoute", "immich")
}

// TestObserveOwnersOfFurtherKinds holds that a pod whose controller is of a kind
// that nobody followed is traced back all the same.
func TestObserveOwnersOfFurtherKinds(t *testing.T) {
	o := observeNamespace(t)
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "hamsters.observe.test"}}
	definition.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "observe.test", Scope: apiextensionsv1.NamespaceScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "hamsters", Singular: "hamster", Kind: "Hamster", ListKind: "HamsterList"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: "v1", Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
		}},
	}
	o.create(definition)
	t.Cleanup(func() {
		if err := o.client.Delete(context.Background(), definition); err != nil {
			t.Errorf("deleting the test's definition: %v", err)
		}
	})
	owner := &unstructured.Unstructured{}
	owner.SetAPIVersion("observe.test/v1")
	owner.SetKind("Hamster")
	owner.SetNamespace(o.namespace)
	owner.SetName("pet")
	owner.SetLabels(map[string]string{"kustomize.toolkit.fluxcd.io/name": "pets", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"})
	deadline := time.Now().Add(20 * time.Second)
	for o.client.Create(o.ctx, owner) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the new kind is not served")
		}
		time.Sleep(100 * time.Millisecond)
	}
	yes := true
	pod := &corev1.Pod{ObjectMeta: o.meta("pet-0")}
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "observe.test/v1", Kind: "Hamster", Name: "pet", UID: owner.GetUID(), Controller: &yes}}
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "x"}}
	for o.client.Create(o.ctx, pod) != nil {
		if time.Now().After(deadline) {
			t.Fatal("no pod can be created")
		}
		time.Sleep(100 * time.Millisecond)
	}
	o.await("Pod", "pet-0", "Pending")
	want := domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "pets"}
	for {
		var got domain.Ref
		for _, object := range o.watcher.Snapshot() {
			if object.Name == "pet-0" && object.Namespace == o.namespace {
				got = object.Owner
			}
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the pod came from %q, want %q", got, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
