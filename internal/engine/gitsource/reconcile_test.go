package gitsource

import (
	"context"
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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/scheme"
	"hearth/internal/source"
	"hearth/internal/source/gittest"
)

// world is a reconciler with a cluster, a store and a Git server.
type world struct {
	t       *testing.T
	client  client.Client
	store   *source.Store
	server  *gittest.Server
	url     string
	events  chan string
	writes  int
	told    []string // the Ready messages that were written, in order
	r       *reconciler
	repo    *gittest.Repository
	commits []string
}

func newWorld(t *testing.T, o Options, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, server: gittest.NewServer(t), repo: gittest.NewRepository(t)}
	w.url = w.server.HTTP()
	w.server.Put("/home.git", w.repo)
	w.push("x")
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.client = fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).
		WithStatusSubresource(&sourcev1.GitRepository{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			w.writes++
			w.told = append(w.told, conditions.GetMessage(obj.(*sourcev1.GitRepository), meta.ReadyCondition))
			return c.SubResource(sub).Patch(ctx, obj, patch, options...)
		}}).Build()
	recorder := record.NewFakeRecorder(100)
	w.events = recorder.Events
	o.Store, o.Recorder = store, recorder
	w.r = newReconciler(w.client, o)
	return w
}

// push commits a file on top of the branch main.
func (w *world) push(content string) string {
	w.t.Helper()
	var parents []string
	if n := len(w.commits); n > 0 {
		parents = w.commits[n-1:]
	}
	files := gittest.Files{"apps/a.yaml": gittest.Text(content), "README.md": gittest.Text("hello"), "logo.png": gittest.Text("left out")}
	commit := w.repo.Commit(files, "Say "+content+"\n\nAt length.", nil, parents...)
	w.commits = append(w.commits, commit)
	w.repo.Set("refs/heads/main", commit)
	return commit
}

// repository makes a GitRepository of the branch main.
func (w *world) repository(name string, change func(*sourcev1.GitRepository)) {
	w.t.Helper()
	obj := &sourcev1.GitRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Generation: 1},
		Spec: sourcev1.GitRepositorySpec{
			URL: w.url + "/home.git", Interval: metav1.Duration{Duration: time.Hour},
			Reference: &sourcev1.GitRepositoryRef{Branch: "main"},
		},
	}
	if change != nil {
		change(obj)
	}
	if err := w.client.Create(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) update(name string, change func(*sourcev1.GitRepository)) {
	w.t.Helper()
	obj := w.get(name)
	change(obj)
	if err := w.client.Update(w.t.Context(), obj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *sourcev1.GitRepository {
	w.t.Helper()
	obj := &sourcev1.GitRepository{}
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, obj); err != nil {
		w.t.Fatal(err)
	}
	return obj
}

// reconcile reconciles once and returns what the cluster then has.
func (w *world) reconcile(name string) (*sourcev1.GitRepository, reconcile.Result) {
	w.t.Helper()
	result, err := w.r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.get(name), result
}

// files returns what the artifact holds.
func (w *world) files(obj *sourcev1.GitRepository) map[string]string {
	w.t.Helper()
	dir, err := w.store.Resolve(obj.Status.Artifact)
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
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

// heard returns the events since the last call.
func (w *world) heard() []string {
	var events []string
	for {
		select {
		case event := <-w.events:
			events = append(events, event)
		default:
			return events
		}
	}
}

// expect checks conditions, given as "Type=Status Reason".
func expect(t *testing.T, obj *sourcev1.GitRepository, want ...string) {
	t.Helper()
	var got []string
	for _, c := range obj.Status.Conditions {
		got = append(got, c.Type+"="+string(c.Status)+" "+c.Reason)
	}
	for _, condition := range want {
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+condition+"\n") {
			t.Errorf("no condition %s among %q; Ready says: %s", condition, got, conditions.GetMessage(obj, meta.ReadyCondition))
		}
	}
	if len(got) != len(want) {
		t.Errorf("conditions are %q, want %q", got, want)
	}
}

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

const (
	ready  = "Ready=True Succeeded"
	stored = "ArtifactInStorage=True Succeeded"
)

func TestANewRepositoryIsStored(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", nil)
	obj, result := w.reconcile("home")
	expect(t, obj, ready, stored)
	revision := "main@sha1:" + w.commits[0]
	if obj.Status.Artifact.Revision != revision || obj.Status.ObservedGeneration != 1 || result.RequeueAfter != time.Hour {
		t.Errorf("got %v, generation %d, again after %v", obj.Status.Artifact, obj.Status.ObservedGeneration, result.RequeueAfter)
	}
	if message := conditions.GetMessage(obj, meta.ReadyCondition); message != "stored artifact for revision '"+revision+"'" {
		t.Errorf("Ready says %q", message)
	}
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "x", "README.md": "hello"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Normal NewArtifact stored artifact for commit 'Say x'"}, trim(w.heard())); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"processing object: new generation 0 -> 1",
		"building artifact: new upstream revision '" + revision + "'",
		"stored artifact for revision '" + revision + "'",
	}
	if diff := cmp.Diff(want, w.told); diff != "" {
		t.Errorf("what Ready said (-want +got):\n%s", diff)
	}
}

// trim leaves annotations off events.
func trim(events []string) []string {
	for i, event := range events {
		if at := strings.Index(event, "map["); at >= 0 {
			event = event[:at]
		}
		events[i] = strings.TrimSpace(event)
	}
	return events
}

func TestAnUnchangedPollFetchesAndWritesNothing(t *testing.T) {
	w := newWorld(t, Options{})
	w.repo.Set("refs/tags/v1.0.0", w.repo.TagObject("v1.0.0", w.commits[0], nil))
	for name, ref := range map[string]*sourcev1.GitRepositoryRef{
		"branch": {Branch: "main"}, "tag": {Tag: "v1.0.0"}, "semver": {SemVer: "1.x"}, "name": {Name: "refs/tags/v1.0.0"},
		"commit": {Commit: w.commits[0]}, "both": {Branch: "main", Commit: w.commits[0]},
	} {
		w.repository(name, func(obj *sourcev1.GitRepository) { obj.Spec.Reference = ref })
		before, _ := w.reconcile(name)
		expect(t, before, ready, stored)
		writes, packs, lists := w.writes, w.server.Packs.Load(), w.server.Lists.Load()
		w.heard()
		after, _ := w.reconcile(name)
		if w.writes != writes || w.server.Packs.Load() != packs || len(w.heard()) > 0 || before.ResourceVersion != after.ResourceVersion {
			t.Errorf("%s: an unchanged poll made %d writes and asked for %d packs", name, w.writes-writes, w.server.Packs.Load()-packs)
		}
		if w.server.Lists.Load() != lists+1 {
			t.Errorf("%s: the server was asked %d times", name, w.server.Lists.Load()-lists)
		}
	}
}

func TestANewRevisionIsStored(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", nil)
	w.reconcile("home")
	w.heard()
	commit := w.push("y")
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if obj.Status.Artifact.Revision != "main@sha1:"+commit || w.files(obj)["apps/a.yaml"] != "y" {
		t.Errorf("got %v", obj.Status.Artifact)
	}
	if diff := cmp.Diff([]string{"Normal NewArtifact stored artifact for commit 'Say y'"}, trim(w.heard())); diff != "" {
		t.Error(diff)
	}
}

func TestAForcePushIsFollowed(t *testing.T) {
	w := newWorld(t, Options{})
	w.push("y")
	w.repository("home", nil)
	w.reconcile("home")
	unrelated := w.repo.Commit(gittest.Files{"new": gittest.Text("history")}, "Start over", nil)
	w.repo.Set("refs/heads/main", unrelated)
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"new": "history"}, w.files(obj)); diff != "" || obj.Status.Artifact.Revision != "main@sha1:"+unrelated {
		t.Errorf("%s %s", obj.Status.Artifact.Revision, diff)
	}
}

func TestTheOldArtifactStays(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(w *world)
		says  string
	}{
		"when the repository vanishes": {func(w *world) { w.server.Put("/home.git", nil) }, "repository not found"},
		"when its branch vanishes":     {func(w *world) { w.repo.Set("refs/heads/main", ""); w.repo.Set("refs/heads/x", w.commits[0]) }, "couldn't find remote ref"},
		"when a pack is cut short": {func(w *world) {
			w.push("y")
			w.server.Spoil = func(pack []byte) []byte { return pack[:len(pack)/2] }
		}, "unexpected EOF"},
		"when a pack is damaged": {func(w *world) {
			w.push("y")
			w.server.Spoil = func(pack []byte) []byte { pack[len(pack)-1] ^= 1; return pack }
		}, "checksum mismatch"},
		"when no pack comes": {func(w *world) {
			w.push("y")
			w.server.Spoil = func([]byte) []byte { return nil }
		}, "pack"},
		"when a file is called ..": {func(w *world) {
			w.repo.Set("refs/heads/main", w.repo.CommitTree(badTree(w.repo, ".."), "Get out", nil))
		}, "no file may be called so"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.repository("home", nil)
			before, _ := w.reconcile("home")
			w.heard()
			test.fault(w)
			after, result := w.reconcile("home")
			expect(t, after, "FetchFailed=True GitOperationFailed", "Ready=False GitOperationFailed", "Reconciling=True ProgressingWithRetry", stored)
			message := conditions.GetMessage(after, meta.ReadyCondition)
			if !strings.HasPrefix(message, "failed to checkout and determine revision: ") || !strings.Contains(message, test.says) {
				t.Errorf("Ready says %q", message)
			}
			if diff := cmp.Diff(before.Status.Artifact, after.Status.Artifact); diff != "" {
				t.Error(diff)
			}
			if w.files(after)["apps/a.yaml"] != "x" || result.RequeueAfter != time.Second {
				t.Errorf("files %v, again after %v", w.files(after), result.RequeueAfter)
			}
			if events := w.heard(); len(events) != 1 || !strings.HasPrefix(events[0], "Warning GitOperationFailed failed to checkout") {
				t.Errorf("events %q", events)
			}
			// The same again is no news, and then it is mended.
			_, result = w.reconcile("home")
			if events := w.heard(); len(events) > 0 || result.RequeueAfter != 2*time.Second {
				t.Errorf("events %q, again after %v", events, result.RequeueAfter)
			}
			w.server.Spoil = nil
			w.server.Put("/home.git", w.repo)
			w.repo.Set("refs/heads/main", w.commits[0])
			mended, _ := w.reconcile("home")
			expect(t, mended, ready, stored)
			if events := trim(w.heard()); len(events) != 1 || !strings.HasPrefix(events[0], "Normal Succeeded stored artifact") {
				t.Errorf("events %q", events)
			}
		})
	}
}
