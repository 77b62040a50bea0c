package observe

import (
	"context"
	"fmt"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// informed is a watcher that is told changes by hand, on a clock of its own.
type informed struct {
	*Watcher
	clock time.Time
}

func newInformed() *informed {
	i := &informed{clock: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	i.Watcher = newWatcher(func() time.Time { return i.clock })
	return i
}

// see tells the watcher an object, a second after what it was told before.
func (i *informed) see(kind schema.GroupVersionKind, obj client.Object) {
	i.clock = i.clock.Add(time.Second)
	if created := obj.GetCreationTimestamp(); created.IsZero() {
		obj.SetCreationTimestamp(metav1.NewTime(i.clock))
	}
	i.handle(objects.Change{Key: objects.Key{GroupVersionKind: kind, NamespacedName: client.ObjectKeyFromObject(obj)}, New: obj})
}

func (i *informed) lose(kind schema.GroupVersionKind, obj client.Object) {
	i.clock = i.clock.Add(time.Second)
	i.handle(objects.Change{Key: objects.Key{GroupVersionKind: kind, NamespacedName: client.ObjectKeyFromObject(obj)}, Old: obj})
}

// log writes the transitions of an object as drawn does.
func (i *informed) log(name string) string {
	var way []step
	for _, t := range i.Transitions() {
		if t.Name == name {
			way = append(way, step{t.From, t.To, t.Passed, t.OffModel})
		}
	}
	return drawn(way)
}

func (i *informed) object(t *testing.T, kind, name string) Object {
	t.Helper()
	for _, o := range i.Snapshot() {
		if o.Kind == kind && o.Name == name {
			return o
		}
	}
	t.Fatalf("the snapshot has no %s %s", kind, name)
	return Object{}
}

func kustomization(name string, conditions ...metav1.Condition) *kustomizev1.Kustomization {
	k := &kustomizev1.Kustomization{}
	k.Namespace, k.Name, k.UID = "flux-system", name, "1"
	k.Status.Conditions = conditions
	return k
}

func progress(message string) []metav1.Condition {
	return []metav1.Condition{
		{Type: "Reconciling", Status: metav1.ConditionTrue, Reason: "Progressing", Message: message},
		{Type: "Ready", Status: metav1.ConditionUnknown, Reason: "Progressing"},
	}
}

func is(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: "Ready", Status: status, Reason: reason, Message: message}
}

func TestWatcherRecordsEveryStep(t *testing.T) {
	w := newInformed()
	for _, conditions := range [][]metav1.Condition{
		nil,
		progress("Fetching manifests"),
		progress("Building manifests"),
		progress("Detecting drift"),
		progress("Running health checks"),
		{is(metav1.ConditionTrue, "ReconciliationSucceeded", "Applied revision: a")},
	} {
		w.see(kustomizationKind, kustomization("apps", conditions...))
	}
	if got, want := w.log("apps"), "[*]→Idle→Fetching→Building→Applying→Ready"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := w.object(t, "Kustomization", "apps")
	want := Object{
		Ref:   domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "apps"},
		State: domain.KustomizationReady, Message: "Applied revision: a", Ready: true,
		Since: w.clock, ReadyAt: w.clock,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	first := w.clock
	w.see(kustomizationKind, kustomization("apps", is(metav1.ConditionFalse, "BuildFailed", "bad")))
	w.lose(kustomizationKind, kustomization("apps"))
	if got, want := w.log("apps"), "[*]→Idle→Fetching→Building→Applying→Ready→idle→fetching→building→Failed!→[*]!"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(w.Snapshot()) != 0 {
		t.Errorf("still there: %v", w.Snapshot())
	}
	off := w.OffModel()
	if len(off) != 2 || off[0].From != domain.KustomizationBuilding || off[0].To != domain.KustomizationFailed || !off[0].At.After(first) || off[0].Trigger != "" {
		t.Errorf("off-model: %+v", off)
	}
	if trigger := w.Transitions()[4].Trigger; trigger != "everything applied" {
		t.Errorf("the trigger of Applying→Ready is %q", trigger)
	}
}

func TestWatcherNoticesRoundsThatItDidNotSee(t *testing.T) {
	w := newInformed()
	ready := is(metav1.ConditionTrue, "ReconciliationSucceeded", "")
	for _, revision := range []string{"a", "a", "b"} {
		k := kustomization("apps", ready)
		k.Status.LastAppliedRevision = revision
		w.see(kustomizationKind, k)
	}
	if got, want := w.log("apps"), "[*]→idle→fetching→building→applying→Ready→idle→fetching→building→applying→Ready"; got != want {
		t.Errorf("Kustomization: got %s, want %s", got, want)
	}

	for version := range 2 {
		h := &helmv2.HelmRelease{}
		h.Namespace, h.Name, h.UID = "media", "immich", "2"
		h.Status.History = helmv2.Snapshots{{Version: version + 1}}
		h.Status.Conditions = []metav1.Condition{ready}
		w.see(helmReleaseKind, h)
	}
	if got, want := w.log("immich"), "[*]→pending→reconciling→Ready→reconciling→Ready"; got != want {
		t.Errorf("HelmRelease: got %s, want %s", got, want)
	}

	for restarts := range int32(2) {
		p := &corev1.Pod{}
		p.Namespace, p.Name, p.UID = "media", "immich-0", "3"
		p.Spec.NodeName, p.Spec.Containers = "k8s-1", []corev1.Container{{Name: "app"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", Ready: true, RestartCount: restarts,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}
		w.see(podKind, p)
	}
	if got, want := w.log("immich-0"), "[*]→pending→init→waitingsecrets→pullingimages→starting→Running→crashloop→starting→Running"; got != want {
		t.Errorf("Pod: got %s, want %s", got, want)
	}
}

func externalSecret(refreshed int64) *esv1.ExternalSecret {
	e := &esv1.ExternalSecret{}
	e.Namespace, e.Name, e.UID = "media", "immich", "4"
	e.Spec.SecretStoreRef = esv1.SecretStoreRef{Kind: esv1.ClusterSecretStoreKind, Name: "onepassword-connect"}
	e.Spec.Target.Name = "immich-secret"
	e.Spec.DataFrom = []esv1.ExternalSecretDataFrom{{Extract: &esv1.RemoteRef{Key: "immich"}}}
	e.Spec.Data = []esv1.ExternalSecretData{{RemoteRef: esv1.RemoteRef{Key: "smtp", Property: "PASSWORD"}}}
	if refreshed > 0 {
		e.Status.RefreshTime = metav1.Unix(refreshed, 0)
		e.Status.Conditions = []esv1.Condition{{Type: esv1.ConditionReady, Status: corev1.ConditionTrue, Reason: esv1.ReasonSecretSynced}}
	}
	return e
}

func TestWatcherFollowsAnExternalSecretAndItsStore(t *testing.T) {
	w := newInformed()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "immich-secret"}}
	written := func(hash string) {
		s := secret.DeepCopy()
		s.Annotations = map[string]string{annotationDataHash: hash}
		w.see(secretKind, s)
	}
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: "onepassword-connect"}}

	w.see(externalSecretKind, externalSecret(0))
	w.see(clusterStoreKind, store)
	if s := w.object(t, "ExternalSecret", "immich").State; s != domain.SecretPending {
		t.Errorf("with a store that is not ready: %s", s)
	}
	store = store.DeepCopy()
	store.Status.Conditions = []esv1.Condition{{Type: esv1.ConditionReady, Status: corev1.ConditionTrue}}
	w.see(clusterStoreKind, store)
	if s := w.object(t, "ExternalSecret", "immich").State; s != domain.SecretSyncing {
		t.Errorf("with a store that is ready: %s", s)
	}
	written("a")
	w.see(externalSecretKind, externalSecret(1))
	w.see(externalSecretKind, externalSecret(2))
	written("b")
	w.see(externalSecretKind, externalSecret(3))

	want := "[*]→Pending→Syncing→Ready→refreshing→Ready→refreshing→updated→Ready"
	if got := w.log("immich"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWatcherSeesASecretAfterItsStatus tells of new content although the status
// that was written after the Secret is seen before it, once, and not ahead of a
// status that follows.
func TestWatcherSeesASecretAfterItsStatus(t *testing.T) {
	w := newInformed()
	written := func(hash, version string) {
		w.see(secretKind, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Namespace: "media", Name: "immich-secret", ResourceVersion: version, Annotations: map[string]string{annotationDataHash: hash},
		}})
	}
	synced := func(round int64, version string) {
		e := externalSecret(round)
		e.ResourceVersion = version
		w.see(externalSecretKind, e)
	}
	written("a", "10")
	synced(1, "11")
	synced(2, "21")
	written("b", "20")
	written("b", "22")
	written("c", "30")
	synced(3, "31")
	want := "[*]→pending→syncing→Ready→refreshing→Ready→refreshing→updated→Ready→refreshing→updated→Ready"
	if got := w.log("immich"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWatcherSeesASecretFailThatWasInSync has the store go down under an
// ExternalSecret that was in sync, and come back.
func TestWatcherSeesASecretFailThatWasInSync(t *testing.T) {
	w := newInformed()
	store := func(status corev1.ConditionStatus) {
		s := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: "onepassword-connect"}}
		s.Status.Conditions = []esv1.Condition{{Type: esv1.ConditionReady, Status: status}}
		w.see(clusterStoreKind, s)
	}
	store(corev1.ConditionTrue)
	w.see(externalSecretKind, externalSecret(1))
	store(corev1.ConditionFalse)
	if s := w.object(t, "ExternalSecret", "immich").State; s != domain.SecretReady {
		t.Errorf("before its refresh it is %s", s)
	}
	failed := externalSecret(1)
	failed.Status.Conditions[0].Status = corev1.ConditionFalse
	w.see(externalSecretKind, failed)
	if s := w.object(t, "ExternalSecret", "immich").State; s != domain.SecretFailed {
		t.Errorf("while its store is down it is %s", s)
	}
	store(corev1.ConditionTrue)
	w.see(externalSecretKind, externalSecret(2))
	want := "[*]→pending→syncing→Ready→refreshing→Failed→syncing→Ready"
	if got := w.log("immich"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if off := w.OffModel(); len(off) != 0 {
		t.Errorf("off the model: %v", off)
	}
}

func TestWatcherLooksAgainAtPodsThatWait(t *testing.T) {
	w := newInformed()
	p := &corev1.Pod{}
	p.Namespace, p.Name, p.UID = "media", "immich-0", "3"
	p.Spec.NodeName, p.Spec.Containers = "k8s-1", []corev1.Container{{Name: "app"}}
	p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}}}}
	w.see(podKind, p)
	if o := w.object(t, "Pod", "immich-0"); o.State != domain.PodWaitingSecrets || o.Message != "Secret media/tls does not exist" {
		t.Errorf("without the Secret: %s (%s)", o.State, o.Message)
	}
	elsewhere := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "network", Name: "tls"}}
	w.see(secretKind, elsewhere)
	if o := w.object(t, "Pod", "immich-0"); o.State != domain.PodWaitingSecrets {
		t.Errorf("with a Secret of another namespace: %s", o.State)
	}
	w.see(secretKind, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "tls"}})
	if o := w.object(t, "Pod", "immich-0"); o.State != domain.PodInit {
		t.Errorf("with the Secret: %s", o.State)
	}
}

func TestWatcherCountsPulls(t *testing.T) {
	w := newInformed()
	states := []domain.State{}
	for _, reason := range []string{"ErrImagePull", "ImagePullBackOff", "ErrImagePull", "ErrImagePull", "ImagePullBackOff", "ErrImagePull"} {
		p := &corev1.Pod{}
		p.Namespace, p.Name, p.UID = "media", "immich-0", "3"
		p.Spec.NodeName, p.Spec.Containers = "k8s-1", []corev1.Container{{Name: "app"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
		}}
		w.see(podKind, p)
		states = append(states, w.object(t, "Pod", "immich-0").State)
	}
	want := []domain.State{"PullingImages", "Failed", "PullingImages", "PullingImages", "Failed", "Failed"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
	if off := w.OffModel(); len(off) != 0 {
		t.Errorf("off-model: %v", off)
	}
}

func TestWatcherTellsObjectsOfTheSameNameApart(t *testing.T) {
	w := newInformed()
	w.see(kustomizationKind, kustomization("apps", is(metav1.ConditionTrue, "", "")))
	again := kustomization("apps")
	again.UID = "another"
	w.see(kustomizationKind, again)
	if got, want := w.log("apps"), "[*]→idle→fetching→building→applying→Ready→deleting→[*]→Idle"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWatcherTakesWhatWasThereAsItIs(t *testing.T) {
	w := newInformed()
	k := kustomization("apps", is(metav1.ConditionTrue, "", ""))
	at := metav1.NewTime(w.clock.Add(-time.Hour))
	k.CreationTimestamp, k.Status.Conditions[0].LastTransitionTime = at, at
	w.see(kustomizationKind, k)
	if got := w.Transitions(); len(got) != 0 {
		t.Errorf("transitions of what was there before: %v", got)
	}
	if o := w.object(t, "Kustomization", "apps"); !o.Since.Equal(at.Time) || !o.ReadyAt.Equal(at.Time) {
		t.Errorf("since %s, ready at %s; want %s", o.Since, o.ReadyAt, at)
	}
}

func TestSnapshotFindsOwners(t *testing.T) {
	w := newInformed()
	controller := func(kind, name string) []metav1.OwnerReference {
		yes := true
		return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, Controller: &yes}}
	}
	meta := func(name string, labels, annotations map[string]string, owners []metav1.OwnerReference) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "media", Name: name, Labels: labels, Annotations: annotations, OwnerReferences: owners}
	}
	ks := map[string]string{labelKustomizationName: "media", labelKustomizationNamespace: "flux-system"}
	w.see(workloadKinds[0], &appsv1.ReplicaSet{ObjectMeta: meta("a-1", nil, nil, controller("Deployment", "a"))})
	w.see(workloadKinds[1], &appsv1.Deployment{ObjectMeta: meta("a", map[string]string{labelReleaseName: "immich", labelReleaseNamespace: "media"}, nil, nil)})
	w.see(workloadKinds[2], &appsv1.StatefulSet{ObjectMeta: meta("b", nil, map[string]string{annotationRelease: "db", annotationReleaseNamespace: "media"}, nil)})
	w.see(workloadKinds[2], &appsv1.StatefulSet{ObjectMeta: meta("c", ks, nil, nil)})
	for _, m := range []metav1.ObjectMeta{
		meta("flux", nil, nil, controller("ReplicaSet", "a-1")),
		meta("helm", nil, nil, controller("StatefulSet", "b")),
		meta("kustomize", nil, nil, controller("StatefulSet", "c")),
		meta("label", map[string]string{labelInstance: "db"}, nil, controller("StatefulSet", "unknown")),
		meta("stranger", map[string]string{labelInstance: "other"}, nil, nil),
	} {
		m.UID = "x"
		w.see(podKind, &corev1.Pod{ObjectMeta: m})
	}
	h := &helmv2.HelmRelease{ObjectMeta: meta("database", ks, nil, nil)}
	h.Spec.ReleaseName = "db"
	w.see(helmReleaseKind, h)

	got := map[string]string{}
	for _, o := range w.Snapshot() {
		got[o.Name] = o.Owner.String()
	}
	want := map[string]string{
		"flux":      "HelmRelease media/immich",
		"helm":      "HelmRelease media/database",
		"kustomize": "Kustomization flux-system/media",
		"label":     "HelmRelease media/database",
		"stranger":  domain.Ref{}.String(),
		"database":  "Kustomization flux-system/media",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRingForgetsTheOldest(t *testing.T) {
	var r ring
	for i := range maxTransitions + 2 {
		r.add(Transition{Message: fmt.Sprint(i)})
	}
	list := r.list()
	if len(list) != maxTransitions || list[0].Message != "2" || list[len(list)-1].Message != fmt.Sprint(maxTransitions+1) {
		t.Errorf("%d kept, from %s to %s", len(list), list[0].Message, list[len(list)-1].Message)
	}
}

// TestSubscribersMissNothing subscribes twice, before and after transitions.
func TestSubscribersMissNothing(t *testing.T) {
	w := newInformed()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var early, late []string
	done := make(chan struct{})
	w.Subscribe(func(t Transition) { early = append(early, t.Name+" "+string(t.To)) })
	w.see(kustomizationKind, kustomization("a"))
	w.Subscribe(func(t Transition) {
		if late = append(late, t.Name+" "+string(t.To)); t.Name == "b" {
			close(done)
		}
	})
	w.see(kustomizationKind, kustomization("b"))
	go w.deliver(ctx)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the second transition did not come")
	}
	want := []string{"a Idle", "b Idle"}
	if diff := cmp.Diff([][]string{want, want}, [][]string{early, late}); diff != "" {
		t.Error(diff)
	}
}
