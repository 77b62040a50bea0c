package bucketsource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/scheme"
	"hearth/internal/source"
	"hearth/internal/source/bucket"
	"hearth/internal/source/bucket/buckettest"
)

// world is a reconciler with a cluster, a store, a server and one Bucket.
type world struct {
	t      *testing.T
	client client.Client
	store  *source.Store
	server *buckettest.Server
	events chan string
	told   []string // the Ready messages that were written, in order
	r      *reconciler
}

var key = client.ObjectKey{Namespace: "ns", Name: "home"}

// newWorld makes a Bucket of what the server has, changed as a test wants it.
func newWorld(t *testing.T, o Options, change func(*sourcev1.Bucket), objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, server: buckettest.New()}
	w.server.Put("home", map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b", "readme.md": "md"})
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	obj := &sourcev1.Bucket{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 1, Finalizers: []string{sourcev1.SourceFinalizer}},
		Spec:       sourcev1.BucketSpec{BucketName: "home", Endpoint: w.server.Start(t), Insecure: true, Interval: metav1.Duration{Duration: time.Hour}},
	}
	if change != nil {
		change(obj)
	}
	w.client = fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(append(objects, obj)...).WithStatusSubresource(&sourcev1.Bucket{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			w.told = append(w.told, conditions.GetMessage(obj.(*sourcev1.Bucket), meta.ReadyCondition))
			return c.SubResource(sub).Patch(ctx, obj, patch, options...)
		}}).Build()
	recorder := record.NewFakeRecorder(100)
	w.store, w.events = store, recorder.Events
	o.Store, o.Recorder = store, recorder
	w.r = &reconciler{o: o, client: w.client}
	return w
}

func (w *world) get() *sourcev1.Bucket {
	w.t.Helper()
	obj := &sourcev1.Bucket{}
	if err := w.client.Get(w.t.Context(), key, obj); err != nil {
		w.t.Fatal(err)
	}
	return obj
}

func (w *world) update(change func(*sourcev1.Bucket)) {
	w.t.Helper()
	obj := w.get()
	change(obj)
	if err := w.client.Update(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

// reconcile reconciles once and returns what the cluster then has.
func (w *world) reconcile() (*sourcev1.Bucket, reconcile.Result) {
	w.t.Helper()
	w.told = nil
	result, err := w.r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.get(), result
}

// files returns what the artifact holds.
func (w *world) files(obj *sourcev1.Bucket) map[string]string {
	w.t.Helper()
	dir, err := w.store.Resolve(obj.Status.Artifact)
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// event returns the only event that came since the last, or nothing.
func (w *world) event() string {
	w.t.Helper()
	var all []string
	for len(w.events) > 0 {
		all = append(all, <-w.events)
	}
	return strings.Join(all, "\n")
}

// TestBucketIsStored walks a Bucket from nothing through a change, and holds
// conditions, messages and events to those of Flux.
func TestBucketIsStored(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	obj, result := w.reconcile()
	index := bucket.Index{"apps/a.yaml": buckettest.Tag("a"), "apps/b.yaml": buckettest.Tag("b"), "readme.md": buckettest.Tag("md")}
	if got := obj.Status.Artifact.Revision; got != index.Digest() {
		t.Errorf("the revision is %s, want %s", got, index.Digest())
	}
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b", "readme.md": "md"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	ready := "stored artifact: revision '" + index.Digest() + "'"
	if diff := cmp.Diff([]string{
		"processing object: new generation 0 -> 1", "building artifact: new upstream revision '" + index.Digest() + "'", ready,
	}, w.told); diff != "" {
		t.Error(diff)
	}
	for _, condition := range []string{meta.ReadyCondition, sourcev1.ArtifactInStorageCondition} {
		if c := conditions.Get(obj, condition); c == nil || c.Status != metav1.ConditionTrue || c.Reason != meta.SucceededReason || c.Message != ready {
			t.Errorf("%s is %+v", condition, c)
		}
	}
	if len(obj.Status.Conditions) != 2 || obj.Status.ObservedGeneration != 1 || obj.Status.URL != obj.Status.Artifact.URL || result.RequeueAfter != time.Hour {
		t.Errorf("status %+v, %+v", obj.Status, result)
	}
	if got := w.event(); !strings.HasPrefix(got, "Normal NewArtifact stored artifact with 3 fetched files from 'home' bucket") {
		t.Errorf("the event is %q", got)
	}
	w.server.Got()

	// Nothing changed: nothing is downloaded, written or told.
	obj, _ = w.reconcile()
	if got := w.server.Got(); len(got) > 0 || len(w.told) > 0 || w.event() != "" {
		t.Errorf("got %v, told %v", got, w.told)
	}

	w.server.Put("home", map[string]string{"apps/c.yaml": "c"})
	was := obj.Status.Artifact.Revision
	obj, _ = w.reconcile()
	if obj.Status.Artifact.Revision == was || w.files(obj)["apps/c.yaml"] != "c" {
		t.Errorf("the artifact is %+v", obj.Status.Artifact)
	}
	if got := w.event(); !strings.HasPrefix(got, "Normal NewArtifact stored artifact with 4 fetched files") {
		t.Errorf("the event is %q", got)
	}
}

// TestBucketThatVanishes keeps the artifact that there is, and recovers.
func TestBucketThatVanishes(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	good, _ := w.reconcile()
	w.event()
	w.server.Drop("home")
	obj, result := w.reconcile()
	if diff := cmp.Diff(good.Status.Artifact, obj.Status.Artifact); diff != "" {
		t.Error(diff)
	}
	w.files(obj)
	const message = "bucket 'home' not found"
	for condition, reason := range map[string]string{
		meta.ReadyCondition: sourcev1.BucketOperationFailedReason, sourcev1.FetchFailedCondition: sourcev1.BucketOperationFailedReason,
		meta.ReconcilingCondition: meta.ProgressingWithRetryReason,
	} {
		if c := conditions.Get(obj, condition); c == nil || c.Reason != reason || c.Message != message {
			t.Errorf("%s is %+v", condition, c)
		}
	}
	if result.RequeueAfter != time.Second {
		t.Errorf("it is tried again after %s", result.RequeueAfter)
	}
	if got := w.event(); !strings.HasPrefix(got, "Warning BucketOperationFailed bucket 'home' not found") {
		t.Errorf("the event is %q", got)
	}
	w.server.Put("home", map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b", "readme.md": "md"})
	obj, _ = w.reconcile()
	if !conditions.IsReady(obj) || conditions.Has(obj, sourcev1.FetchFailedCondition) || conditions.Has(obj, meta.ReconcilingCondition) {
		t.Errorf("conditions %+v", obj.Status.Conditions)
	}
	if got := w.event(); !strings.HasPrefix(got, "Normal Succeeded stored artifact with 3 fetched files") {
		t.Errorf("the event is %q", got)
	}
}

func TestBucketFields(t *testing.T) {
	all := map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b", "readme.md": "md"}
	secret := func(name string, data map[string]string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: name}, Data: map[string][]byte{}}
		for k, v := range data {
			s.Data[k] = []byte(v)
		}
		return s
	}
	ref := func(name string) *meta.LocalObjectReference { return &meta.LocalObjectReference{Name: name} }
	ignore := "*.md\n"
	for name, test := range map[string]struct {
		o      Options
		change func(*sourcev1.Bucket)
		keys   bool
		secret *corev1.Secret
		want   map[string]string
		reason string
		err    string
		final  bool
	}{
		"provider generic": {change: func(b *sourcev1.Bucket) { b.Spec.Provider = "generic" }, want: all},
		"provider aws with keys": {keys: true, secret: secret("keys", map[string]string{"accesskey": "owner", "secretkey": "hunter2"}), want: all,
			change: func(b *sourcev1.Bucket) { b.Spec.Provider, b.Spec.SecretRef = "aws", ref("keys") }},
		"keys": {keys: true, secret: secret("keys", map[string]string{"accesskey": "owner", "secretkey": "hunter2"}), want: all,
			change: func(b *sourcev1.Bucket) { b.Spec.SecretRef, b.Spec.Region = ref("keys"), "us-east-1" }},
		"keys for another region": {keys: true, secret: secret("keys", map[string]string{"accesskey": "owner", "secretkey": "hunter2"}),
			change: func(b *sourcev1.Bucket) { b.Spec.SecretRef, b.Spec.Region = ref("keys"), "eu-west-1" },
			reason: sourcev1.BucketOperationFailedReason, err: "Access Denied"},
		"wrong keys": {keys: true, secret: secret("keys", map[string]string{"accesskey": "owner", "secretkey": "hunter3"}),
			change: func(b *sourcev1.Bucket) { b.Spec.SecretRef = ref("keys") }, reason: sourcev1.BucketOperationFailedReason, err: "failed to confirm existence"},
		"half of the keys": {secret: secret("keys", map[string]string{"accesskey": "hunter2"}),
			change: func(b *sourcev1.Bucket) { b.Spec.SecretRef = ref("keys") }, reason: sourcev1.AuthenticationFailedReason,
			err: "invalid 'keys' secret data: required fields 'accesskey' and 'secretkey'"},
		"no Secret":       {change: func(b *sourcev1.Bucket) { b.Spec.SecretRef = ref("keys") }, reason: sourcev1.AuthenticationFailedReason, err: "failed to get secret 'ns/keys'"},
		"no certificates": {change: func(b *sourcev1.Bucket) { b.Spec.CertSecretRef = ref("tls") }, reason: sourcev1.AuthenticationFailedReason, err: "failed to get TLS config"},
		"no proxy": {change: func(b *sourcev1.Bucket) { b.Spec.ProxySecretRef = ref("proxy") }, secret: secret("proxy", map[string]string{"address": "hunter2"}),
			reason: sourcev1.AuthenticationFailedReason, err: "failed to get proxy URL"},
		"a prefix":     {change: func(b *sourcev1.Bucket) { b.Spec.Prefix = "apps/" }, want: map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b"}},
		"ignore":       {change: func(b *sourcev1.Bucket) { b.Spec.Ignore = &ignore }, want: map[string]string{"apps/a.yaml": "a", "apps/b.yaml": "b"}},
		"another name": {change: func(b *sourcev1.Bucket) { b.Spec.BucketName = "other" }, reason: sourcev1.BucketOperationFailedReason, err: "bucket 'other' not found"},
		"TLS":          {change: func(b *sourcev1.Bucket) { b.Spec.Insecure = false }, reason: sourcev1.BucketOperationFailedReason, err: "HTTPS client"},
		"no time": {change: func(b *sourcev1.Bucket) { b.Spec.Timeout = &metav1.Duration{Duration: time.Nanosecond} },
			reason: sourcev1.BucketOperationFailedReason, err: "did not answer within 1ns"},
		"suspended": {change: func(b *sourcev1.Bucket) { b.Spec.Suspend = true }},
		"aws's identity": {change: func(b *sourcev1.Bucket) { b.Spec.Provider, b.Spec.ServiceAccountName = "aws", "me" },
			reason: sourcev1.InvalidProviderConfigurationReason, err: "cannot sign in with the identity of 'aws'", final: true},
		"gcp":   {change: func(b *sourcev1.Bucket) { b.Spec.Provider = "gcp" }, reason: sourcev1.InvalidProviderConfigurationReason, err: "Google", final: true},
		"azure": {change: func(b *sourcev1.Bucket) { b.Spec.Provider = "azure" }, reason: sourcev1.InvalidProviderConfigurationReason, err: "Azure", final: true},
		"a service for another provider": {change: func(b *sourcev1.Bucket) {
			b.Spec.STS = &sourcev1.BucketSTSSpec{Provider: "aws", Endpoint: "https://sts"}
		},
			reason: sourcev1.InvalidSTSConfigurationReason, err: "STS provider 'aws' is not supported for 'generic' bucket provider", final: true},
		"offline":           {o: Options{Offline: true}, reason: sourcev1.BucketOperationFailedReason, err: "is not fetched offline"},
		"private addresses": {o: Options{RefusePrivate: true}, reason: sourcev1.BucketOperationFailedReason, err: "private address"},
	} {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			if test.secret != nil {
				objects = append(objects, test.secret)
			}
			w := newWorld(t, test.o, test.change, objects...)
			if test.keys {
				w.server.Keys = map[string]string{"owner": "hunter2"}
			}
			obj, result := w.reconcile()
			ready := conditions.Get(obj, meta.ReadyCondition)
			if test.want != nil {
				if ready == nil || ready.Status != metav1.ConditionTrue {
					t.Fatalf("Ready is %+v", ready)
				}
				if diff := cmp.Diff(test.want, w.files(obj)); diff != "" || !cmp.Equal(obj.Spec.Ignore, obj.Status.ObservedIgnore) {
					t.Error(diff, obj.Status.ObservedIgnore)
				}
				return
			}
			if test.err == "" {
				if ready != nil {
					t.Errorf("Ready is %+v", ready)
				}
				return
			}
			if ready == nil || ready.Reason != test.reason || !strings.Contains(ready.Message, test.err) {
				t.Errorf("Ready is %+v, want %s: %s", ready, test.reason, test.err)
			}
			if told := ready.Message + w.event(); strings.Contains(told, "hunter") {
				t.Errorf("a secret is told: %s", told)
			}
			if conditions.IsStalled(obj) != test.final || (result.RequeueAfter == 0) != test.final {
				t.Errorf("stalled: %t, tried again after %s", conditions.IsStalled(obj), result.RequeueAfter)
			}
		})
	}
}

// TestIgnoreChangesTheRevision follows spec.ignore where the bucket stays as it
// is.
func TestIgnoreChangesTheRevision(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	before, _ := w.reconcile()
	ignore := "/apps/\n"
	w.update(func(b *sourcev1.Bucket) { b.Spec.Ignore, b.Generation = &ignore, 2 })
	obj, _ := w.reconcile()
	if obj.Status.Artifact.Revision == before.Status.Artifact.Revision || obj.Status.ObservedGeneration != 2 {
		t.Errorf("status %+v", obj.Status)
	}
	if diff := cmp.Diff(map[string]string{"readme.md": "md"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
}

func TestReconcileIsRequested(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	w.reconcile()
	w.update(func(b *sourcev1.Bucket) { b.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"} })
	obj, _ := w.reconcile()
	if obj.Status.LastHandledReconcileAt != "now" || !cmp.Equal(w.told[0], "reconciliation in progress") || !conditions.IsReady(obj) {
		t.Errorf("status %+v, told %v", obj.Status, w.told)
	}
}

// TestArtifactThatDisappeared is fetched again.
func TestArtifactThatDisappeared(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	obj, _ := w.reconcile()
	dir, err := w.store.Resolve(obj.Status.Artifact)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	obj, _ = w.reconcile()
	if len(w.files(obj)) != 3 || w.told[0] != "building artifact: disappeared from storage" {
		t.Errorf("told %v", w.told)
	}
}

func TestDeletedBucketIsLetGo(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	w.reconcile()
	if err := w.client.Delete(t.Context(), w.get()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Get(t.Context(), key, &sourcev1.Bucket{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Bucket is still there: %v", err)
	}
}

// TestWritesThatFail reports that the status cannot be written.
func TestWritesThatFail(t *testing.T) {
	w := newWorld(t, Options{}, nil)
	refused := errors.New("refused")
	w.r.client = interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
		return refused
	}})
	if _, err := w.r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
