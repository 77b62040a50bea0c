package gitsource

import (
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/source/gittest"
)

// badTree returns a tree with a file of any name.
func badTree(r *gittest.Repository, name string) plumbing.Hash {
	blob := r.Object(plumbing.BlobObject, "bad")
	return r.Object(plumbing.TreeObject, gittest.TreeContent([]object.TreeEntry{{Name: name, Mode: filemode.Regular, Hash: blob}}))
}

func TestIgnore(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", nil)
	w.reconcile("home")
	// A change of the spec alone makes another artifact of the same revision.
	w.update("home", func(obj *sourcev1.GitRepository) { obj.Spec.Ignore = ptr.To("README.md\n"); obj.Generation = 2 })
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "x", "logo.png": "left out"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	if obj.Status.ObservedGeneration != 2 || ptr.Deref(obj.Status.ObservedIgnore, "") != "README.md\n" {
		t.Errorf("observed %d, %v", obj.Status.ObservedGeneration, obj.Status.ObservedIgnore)
	}
}

func TestSparseCheckout(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) { obj.Spec.SparseCheckout = []string{"./apps"} })
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "x"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"./apps"}, obj.Status.ObservedSparseCheckout); diff != "" {
		t.Error(diff)
	}
	w.update("home", func(obj *sourcev1.GitRepository) { obj.Spec.SparseCheckout = []string{"nowhere"} })
	obj, _ = w.reconcile("home")
	if message := conditions.GetMessage(obj, sourcev1.FetchFailedCondition); !strings.Contains(message, "sparse checkout dir 'nowhere' does not exist") {
		t.Errorf("FetchFailed says %q", message)
	}
}

func TestRecurseSubmodules(t *testing.T) {
	w := newWorld(t, Options{})
	other := gittest.NewRepository(t)
	first := other.Commit(gittest.Files{"lib.yaml": gittest.Text("pinned")}, "one", nil)
	other.Set("refs/heads/main", other.Commit(gittest.Files{"lib.yaml": gittest.Text("newer")}, "two", nil, first))
	w.server.Put("/lib.git", other)
	w.repo.Set("refs/heads/main", w.repo.Commit(gittest.Files{
		".gitmodules": gittest.Text("[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = ../lib.git\n"),
		"vendor/lib":  gittest.Module(first), "a.yaml": gittest.Text("a"),
	}, "With a library", nil))
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	if diff := cmp.Diff(map[string]string{"a.yaml": "a"}, w.files(obj)); diff != "" {
		t.Errorf("without submodules: %s", diff)
	}
	w.update("home", func(obj *sourcev1.GitRepository) { obj.Spec.RecurseSubmodules = true })
	obj, _ = w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"a.yaml": "a", "vendor/lib/lib.yaml": "pinned"}, w.files(obj)); diff != "" || !obj.Status.ObservedRecurseSubmodules {
		t.Errorf("with submodules: %s", diff)
	}
}

func TestInclude(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) {
		obj.Spec.Include = []sourcev1.GitRepositoryInclude{
			{GitRepositoryRef: meta.LocalObjectReference{Name: "lib"}},
			{GitRepositoryRef: meta.LocalObjectReference{Name: "lib"}, FromPath: "./charts", ToPath: "/more/charts"},
		}
	})
	obj, _ := w.reconcile("home")
	expect(t, obj, "IncludeUnavailable=True NotFound", "Ready=False NotFound", "Reconciling=True ProgressingWithRetry")

	lib := gittest.NewRepository(t)
	w.server.Put("/lib.git", lib)
	lib.Set("refs/heads/main", lib.Commit(gittest.Files{"top": gittest.Text("1"), "charts/run": gittest.Program("1")}, "lib", nil))
	w.repository("lib", func(obj *sourcev1.GitRepository) { obj.Spec.URL = w.url + "/lib.git" })
	obj, _ = w.reconcile("home")
	expect(t, obj, "IncludeUnavailable=True NoArtifact", "Ready=False NoArtifact", "Reconciling=True ProgressingWithRetry")

	included, _ := w.reconcile("lib")
	if diff := cmp.Diff([]reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: "ns", Name: "home"}}}, w.r.includers(t.Context(), included)); diff != "" {
		t.Errorf("who is woken by lib: %s", diff)
	}
	obj, _ = w.reconcile("home")
	expect(t, obj, ready, stored)
	want := map[string]string{"apps/a.yaml": "x", "README.md": "hello", "lib/top": "1", "lib/charts/run": "1", "more/charts/run": "1"}
	if diff := cmp.Diff(want, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	if len(obj.Status.IncludedArtifacts) != 2 || obj.Status.IncludedArtifacts[0].Digest != included.Status.Artifact.Digest || len(obj.Status.ObservedInclude) != 2 {
		t.Errorf("included %v, observed %v", obj.Status.IncludedArtifacts, obj.Status.ObservedInclude)
	}
	writes := w.writes
	if w.reconcile("home"); w.writes != writes {
		t.Error("an unchanged include was written again")
	}

	lib.Set("refs/heads/main", lib.Commit(gittest.Files{"top": gittest.Text("2"), "charts/run": gittest.Program("2")}, "lib", nil))
	w.reconcile("lib")
	obj, _ = w.reconcile("home")
	if expect(t, obj, ready, stored); w.files(obj)["lib/top"] != "2" {
		t.Errorf("a changed include is not followed: %v", w.files(obj))
	}

	for name, bad := range map[string]sourcev1.GitRepositoryInclude{
		"out of the tree":     {ToPath: "../../etc"},
		"out of the artifact": {FromPath: "../.."},
	} {
		bad.GitRepositoryRef.Name = "lib"
		w.update("home", func(obj *sourcev1.GitRepository) { obj.Spec.Include = []sourcev1.GitRepositoryInclude{bad} })
		obj, _ = w.reconcile("home")
		if reason := conditions.GetReason(obj, sourcev1.StorageOperationFailedCondition); reason != "IllegalPath" || !conditions.IsStalled(obj) {
			t.Errorf("%s: %s, %s", name, reason, conditions.GetMessage(obj, meta.ReadyCondition))
		}
	}
	w.update("home", func(obj *sourcev1.GitRepository) {
		obj.Spec.Include = []sourcev1.GitRepositoryInclude{{GitRepositoryRef: meta.LocalObjectReference{Name: "lib"}, FromPath: "nowhere"}}
	})
	obj, _ = w.reconcile("home")
	if reason := conditions.GetReason(obj, sourcev1.StorageOperationFailedCondition); reason != "CopyFailure" {
		t.Errorf("from nowhere: %s", reason)
	}
}

func TestSuspend(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) { obj.Spec.Suspend = true })
	_, result := w.reconcile("home")
	if w.writes > 0 || w.server.Lists.Load() > 0 || result.RequeueAfter > 0 {
		t.Errorf("%d writes, %d requests, again after %v", w.writes, w.server.Lists.Load(), result.RequeueAfter)
	}
}

func TestARequestIsHandled(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", nil)
	w.reconcile("home")
	w.update("home", func(obj *sourcev1.GitRepository) {
		obj.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	})
	obj, _ := w.reconcile("home")
	if expect(t, obj, ready, stored); obj.Status.LastHandledReconcileAt != "now" {
		t.Errorf("handled %q", obj.Status.LastHandledReconcileAt)
	}
}

func TestTimeout(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) { obj.Spec.Timeout = &metav1.Duration{Duration: time.Nanosecond} })
	obj, _ := w.reconcile("home")
	if message := conditions.GetMessage(obj, sourcev1.FetchFailedCondition); !strings.Contains(message, "deadline exceeded") {
		t.Errorf("FetchFailed says %q", message)
	}
}

func TestADeletedRepositoryIsLetGo(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) { obj.Finalizers = []string{sourcev1.SourceFinalizer} })
	obj, _ := w.reconcile("home")
	if err := w.client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "ns", Name: "home"}
	if _, err := w.r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Get(t.Context(), key, obj); err == nil {
		t.Errorf("it is still there, with the finalizers %q", obj.Finalizers)
	}
	// Once more, of what is no longer there.
	if _, err := w.r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
		t.Fatal(err)
	}
}

func TestAnArtifactThatDisappearedIsFetchedAgain(t *testing.T) {
	w := newWorld(t, Options{})
	w.repository("home", func(obj *sourcev1.GitRepository) {})
	obj, _ := w.reconcile("home")
	obj.Status.Artifact.Digest = "sha256:" + strings.Repeat("0", 64)
	if err := w.client.Status().Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	obj, _ = w.reconcile("home")
	if expect(t, obj, ready, stored); w.files(obj)["apps/a.yaml"] != "x" {
		t.Error("the artifact is not back")
	}
}

func TestLogins(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*sourcev1.GitRepository)
		reason string
		stall  bool
		says   string
	}{
		"no Secret": {change: func(obj *sourcev1.GitRepository) { obj.Spec.SecretRef = &meta.LocalObjectReference{Name: "none"} },
			reason: "AuthenticationFailed", says: "failed to get secret 'ns/none'"},
		"no password": {change: func(obj *sourcev1.GitRepository) { obj.Spec.SecretRef = &meta.LocalObjectReference{Name: "user"} },
			reason: "AuthenticationFailed", says: "failed to configure authentication options: "},
		"a GitHub App": {change: func(obj *sourcev1.GitRepository) { obj.Spec.SecretRef = &meta.LocalObjectReference{Name: "app"} },
			reason: "InvalidProviderConfiguration", says: "has github app data but provider is not set to github"},
		"no proxy Secret": {change: func(obj *sourcev1.GitRepository) { obj.Spec.ProxySecretRef = &meta.LocalObjectReference{Name: "none"} },
			reason: "AuthenticationFailed", says: "failed to configure proxy options: "},
		"no proxy": {change: func(obj *sourcev1.GitRepository) { obj.Spec.ProxySecretRef = &meta.LocalObjectReference{Name: "user"} },
			reason: "AuthenticationFailed", says: "has no key 'address'"},
		"provider azure": {change: func(obj *sourcev1.GitRepository) { obj.Spec.Provider = "azure" },
			reason: "InvalidProviderConfiguration", stall: true, says: "spec.provider: Hearth cannot sign in with the provider 'azure'"},
		"provider github": {change: func(obj *sourcev1.GitRepository) { obj.Spec.Provider = "github" },
			reason: "InvalidProviderConfiguration", says: "secretRef with github app data must be specified"},
		"a URL that is none": {change: func(obj *sourcev1.GitRepository) { obj.Spec.URL = "https://u:hunter2@[::1" },
			reason: "URLInvalid", stall: true, says: "the URL of the repository is invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{}, secret("user", map[string]string{"username": "hunter2"}), secret("app", map[string]string{"githubAppID": "1"}))
			w.repository("home", test.change)
			obj, result := w.reconcile("home")
			want := []string{"FetchFailed=True " + test.reason, "Ready=False " + test.reason, "Reconciling=True ProgressingWithRetry"}
			if test.stall {
				want[2] = "Stalled=True " + test.reason
			}
			expect(t, obj, want...)
			message := conditions.GetMessage(obj, meta.ReadyCondition)
			if !strings.Contains(message, test.says) || strings.Contains(message, "hunter2") {
				t.Errorf("Ready says %q", message)
			}
			if stalled := result.RequeueAfter == 0; stalled != test.stall {
				t.Errorf("again after %v", result.RequeueAfter)
			}
		})
	}
}

func TestPrivateServersCanBeRefused(t *testing.T) {
	w := newWorld(t, Options{RefusePrivate: true})
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	if message := conditions.GetMessage(obj, sourcev1.FetchFailedCondition); !strings.Contains(message, "is a private address") {
		t.Errorf("FetchFailed says %q", message)
	}
}

func TestOfflineNothingIsFetched(t *testing.T) {
	w := newWorld(t, Options{Offline: true})
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	if message := conditions.GetMessage(obj, sourcev1.FetchFailedCondition); !strings.Contains(message, "is not cloned offline") || w.server.Lists.Load() > 0 {
		t.Errorf("FetchFailed says %q", message)
	}
}
