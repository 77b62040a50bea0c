package ocisource

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/scheme"
	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

// world is a reconciler with a cluster, a store and a registry.
type world struct {
	t        *testing.T
	client   client.Client
	store    *source.Store
	registry *ocitest.Registry
	events   chan string
	writes   int
	told     []string // the Ready messages that were written, in order
	r        *reconciler
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	return newWorldOf(t, ocitest.New(t), source.ChartOptions{}, objects...)
}

func newWorldOf(t *testing.T, registry *ocitest.Registry, o source.ChartOptions, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, registry: registry}
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o.CacheDir = t.TempDir()
	charts, err := source.NewCharts(o)
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.client = fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).
		WithStatusSubresource(&sourcev1.OCIRepository{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			w.writes++
			w.told = append(w.told, conditions.GetMessage(obj.(*sourcev1.OCIRepository), meta.ReadyCondition))
			return c.SubResource(sub).Patch(ctx, obj, patch, options...)
		}}).Build()
	recorder := record.NewFakeRecorder(100)
	w.events = recorder.Events
	w.r = &reconciler{o: Options{Store: store, Charts: charts, Recorder: recorder}, client: w.client}
	return w
}

// push puts files at the tag 1 of the repository home.
func (w *world) push(content string) string {
	w.t.Helper()
	files := map[string]string{"apps/a.yaml": content, "README.md": "hello", "logo.png": "left out", ".sourceignore": "/secret\n*.png\n", "secret/x": "left out"}
	return w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(w.t, files)}).String()
}

// repository makes an OCIRepository of the tag 1. Its interval is so short that
// every reconcile asks anew.
func (w *world) repository(name string, change func(*sourcev1.OCIRepository)) {
	w.t.Helper()
	obj := &sourcev1.OCIRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Generation: 1},
		Spec: sourcev1.OCIRepositorySpec{
			URL: w.registry.URL("home"), Interval: metav1.Duration{Duration: 2 * time.Nanosecond}, Insecure: true,
			Reference: &sourcev1.OCIRepositoryRef{Tag: "1"},
		},
	}
	if change != nil {
		change(obj)
	}
	if err := w.client.Create(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

// update changes the spec of a repository.
func (w *world) update(name string, change func(*sourcev1.OCIRepository)) {
	w.t.Helper()
	obj := w.get(name)
	change(obj)
	obj.Generation++
	if err := w.client.Update(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *sourcev1.OCIRepository {
	w.t.Helper()
	obj := &sourcev1.OCIRepository{}
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, obj); err != nil {
		w.t.Fatal(err)
	}
	return obj
}

// reconcile reconciles once and returns what the cluster then has.
func (w *world) reconcile(name string) (*sourcev1.OCIRepository, reconcile.Result) {
	w.t.Helper()
	result, err := w.r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.get(name), result
}

// files returns what the artifact holds; of a single file its content.
func (w *world) files(obj *sourcev1.OCIRepository) map[string]string {
	w.t.Helper()
	root, err := w.store.Resolve(obj.Status.Artifact)
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// heard returns the events since it was last called, without annotations.
func (w *world) heard() []string {
	var events []string
	for {
		select {
		case event := <-w.events:
			event, _, _ = strings.Cut(event, "map[")
			events = append(events, strings.TrimSpace(event))
		default:
			return events
		}
	}
}

const (
	ready  = "Ready=True Succeeded"
	stored = "ArtifactInStorage=True Succeeded"
)

// expect compares the conditions, by type, status and reason.
func expect(t *testing.T, obj *sourcev1.OCIRepository, want ...string) {
	t.Helper()
	got := map[string]string{}
	for _, c := range obj.Status.Conditions {
		got[c.Type+"="+string(c.Status)+" "+c.Reason] = c.Message
	}
	for _, line := range want {
		if _, ok := got[line]; !ok {
			t.Errorf("no %s in %v", line, got)
		}
		delete(got, line)
	}
	for line, message := range got {
		t.Errorf("%s: %s", line, message)
	}
}

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}
