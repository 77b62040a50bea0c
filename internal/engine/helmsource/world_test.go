package helmsource

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

// world is both reconcilers with a cluster, a store and an http repository.
type world struct {
	t      *testing.T
	client client.Client
	store  *source.Store
	events chan string
	base   base

	server   *httptest.Server
	files    map[string][]byte // by path
	requests atomic.Int64
	login    string // name:password that is asked for
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, files: map[string][]byte{}}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	charts, err := source.NewCharts(source.ChartOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.client = fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).
		WithStatusSubresource(&sourcev1.HelmRepository{}, &sourcev1.HelmChart{}, &sourcev1.GitRepository{}, &sourcev1.Bucket{}).Build()
	recorder := record.NewFakeRecorder(100)
	w.events = recorder.Events
	w.base = base{o: Options{Store: store, Charts: charts, Recorder: recorder}, client: w.client, backoff: &work.Backoff[types.NamespacedName]{}}
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.requests.Add(1)
	username, password, _ := r.BasicAuth()
	content, ok := w.files[r.URL.Path]
	switch {
	case w.login != "" && username+":"+password != w.login:
		rw.WriteHeader(http.StatusUnauthorized)
	case !ok:
		http.NotFound(rw, r)
	default:
		rw.Write(content)
	}
}

// archive packs a chart.
func archive(t *testing.T, name, version string, files map[string]string) []byte {
	t.Helper()
	packed := map[string]string{name + "/Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n", name + "/values.yaml": "a: default\n"}
	for path, content := range files {
		packed[name+"/"+path] = content
	}
	return ocitest.TarGz(t, packed)
}

// offer puts versions of the chart demo into the repository.
func (w *world) offer(versions ...string) {
	index := "apiVersion: v1\nentries:\n  demo:\n"
	for _, version := range versions {
		content := archive(w.t, "demo", version, map[string]string{"prod.yaml": "a: prod\nb: 1\n"})
		sum := sha256.Sum256(content)
		w.files["/demo-"+version+".tgz"] = content
		index += fmt.Sprintf("  - {name: demo, version: %s, urls: [demo-%s.tgz], digest: %s}\n", version, version, hex.EncodeToString(sum[:]))
	}
	w.files["/index.yaml"] = []byte(index)
}

// interval is so short that every reconcile asks anew.
var interval = metav1.Duration{Duration: 2 * time.Nanosecond}

func (w *world) create(obj client.Object) {
	w.t.Helper()
	obj.SetNamespace("ns")
	obj.SetGeneration(1)
	if err := w.client.Create(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) repository(name string, change func(*sourcev1.HelmRepositorySpec)) {
	w.t.Helper()
	obj := &sourcev1.HelmRepository{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: sourcev1.HelmRepositorySpec{URL: w.server.URL, Interval: interval}}
	if change != nil {
		change(&obj.Spec)
	}
	w.create(obj)
}

func (w *world) chart(name string, change func(*sourcev1.HelmChartSpec)) {
	w.t.Helper()
	obj := &sourcev1.HelmChart{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: sourcev1.HelmChartSpec{
		Chart: "demo", Version: "*", Interval: interval,
		SourceRef: sourcev1.LocalHelmChartSourceReference{Kind: sourcev1.HelmRepositoryKind, Name: "stable"},
	}}
	if change != nil {
		change(&obj.Spec)
	}
	w.create(obj)
}

// folder stores files as the artifact of a GitRepository or a Bucket.
func (w *world) folder(obj sourcestate.Object, revision string, files map[string]string) {
	w.t.Helper()
	dir := w.t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	stored, err := w.store.PutDir(w.t.Context(), dir, source.DirOptions{Revision: func(string) string { return revision }})
	if err != nil {
		w.t.Fatal(err)
	}
	artifact := w.store.Artifact(stored, domain.Ref{Kind: "Folder", Namespace: "ns", Name: obj.GetName()})
	if w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "ns", Name: obj.GetName()}, obj) != nil {
		w.create(obj)
	}
	switch obj := obj.(type) {
	case *sourcev1.GitRepository:
		obj.Status.Artifact = artifact
	case *sourcev1.Bucket:
		obj.Status.Artifact = artifact
	}
	if err := w.client.Status().Update(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string, obj client.Object) {
	w.t.Helper()
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) index(name string) *sourcev1.HelmRepository {
	w.t.Helper()
	w.run(name, &repositories{w.base})
	obj := &sourcev1.HelmRepository{}
	w.get(name, obj)
	return obj
}

func (w *world) build(name string) *sourcev1.HelmChart {
	w.t.Helper()
	w.run(name, &charts{w.base})
	obj := &sourcev1.HelmChart{}
	w.get(name, obj)
	return obj
}

func (w *world) run(name string, r reconcile.Reconciler) {
	w.t.Helper()
	if _, err := r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}}); err != nil {
		w.t.Fatal(err)
	}
}

// load opens the chart that was built.
func (w *world) load(obj *sourcev1.HelmChart) *chart.Chart {
	w.t.Helper()
	path, err := w.store.Resolve(obj.Status.Artifact)
	if err != nil {
		w.t.Fatalf("%v: %v", err, obj.Status.Conditions)
	}
	loaded, err := loader.LoadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return loaded
}

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

// says checks the Ready condition.
func says(t *testing.T, obj conditions.Getter, reason, message string) {
	t.Helper()
	if conditions.GetReason(obj, meta.ReadyCondition) != reason || !strings.Contains(conditions.GetMessage(obj, meta.ReadyCondition), message) {
		t.Errorf("Ready: %s: %s", conditions.GetReason(obj, meta.ReadyCondition), conditions.GetMessage(obj, meta.ReadyCondition))
	}
}

func secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, StringData: data, Data: bytesOf(data)}
}

func bytesOf(data map[string]string) map[string][]byte {
	all := map[string][]byte{}
	for key, value := range data {
		all[key] = []byte(value)
	}
	return all
}
