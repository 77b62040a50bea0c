package ocisource

import (
	"archive/tar"
	"net/http"
	"strings"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

func TestANewRepositoryIsStored(t *testing.T) {
	w := newWorld(t)
	digest := w.registry.Push("home", "1", map[string]string{annotationSource: "https://git.example.org/home", annotationRevision: "main@sha1:abc"},
		ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a.yaml": "x", "logo.png": "left out"})}).String()
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	revision := "1@" + digest
	if a := obj.Status.Artifact; a.Revision != revision || obj.Status.URL != a.URL || a.Metadata[annotationRevision] != "main@sha1:abc" || obj.Status.ObservedGeneration != 1 {
		t.Errorf("got %+v", obj.Status)
	}
	if diff := cmp.Diff(map[string]string{"a.yaml": "x"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"Normal NewArtifact stored artifact with revision '" + revision + "' from '" + obj.Spec.URL + "', origin source 'https://git.example.org/home', origin revision 'main@sha1:abc'",
	}, w.heard()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"processing object: new generation 0 -> 1",
		"building artifact: new revision '" + revision + "' for '" + obj.Spec.URL + "'",
		"stored artifact for digest '" + revision + "'",
	}, w.told); diff != "" {
		t.Errorf("what Ready said (-want +got):\n%s", diff)
	}
}

func TestAnUnchangedPollFetchesAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.push("x")
	w.repository("home", nil)
	w.reconcile("home")
	writes, requests, manifests, blobs := w.writes, w.registry.Requests.Load(), w.registry.Manifests.Load(), w.registry.Blobs.Load()
	w.heard()
	w.reconcile("home")
	if w.writes != writes || w.registry.Manifests.Load() != manifests || w.registry.Blobs.Load() != blobs || len(w.heard()) > 0 {
		t.Errorf("an unchanged poll made %d writes and fetched %d manifests and %d layers", w.writes-writes, w.registry.Manifests.Load()-manifests, w.registry.Blobs.Load()-blobs)
	}
	if w.registry.Requests.Load() == requests {
		t.Error("the registry was not asked")
	}
}

func TestANewRevisionReplacesTheOld(t *testing.T) {
	w := newWorld(t)
	w.push("old")
	w.repository("home", nil)
	before, _ := w.reconcile("home")
	digest := w.push("new")
	after, _ := w.reconcile("home")
	expect(t, after, ready, stored)
	if !strings.HasSuffix(after.Status.Artifact.Revision, digest) || w.files(after)["apps/a.yaml"] != "new" || after.Status.Artifact.Digest == before.Status.Artifact.Digest {
		t.Errorf("got %v with %v", after.Status.Artifact, w.files(after))
	}
}

func TestReferences(t *testing.T) {
	w := newWorld(t)
	layer := func(content string) ocitest.Layer {
		return ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a": content})}
	}
	first := w.registry.Push("home", "1.0.0", nil, layer("1.0.0"))
	w.registry.Push("home", "1.1.0-rc.1", nil, layer("1.1.0-rc.1"))
	w.registry.Push("home", "latest", nil, layer("latest"))
	for name, test := range map[string]struct {
		ref  *sourcev1.OCIRepositoryRef
		want string
	}{
		"nothing": {nil, "latest"}, "tag": {&sourcev1.OCIRepositoryRef{Tag: "1.0.0"}, "1.0.0"},
		"semver":        {&sourcev1.OCIRepositoryRef{SemVer: "1.x", Tag: "latest"}, "1.0.0"},
		"semver-filter": {&sourcev1.OCIRepositoryRef{SemVer: ">=1.0.0-0", SemverFilter: "-rc"}, "1.1.0-rc.1"},
		"digest":        {&sourcev1.OCIRepositoryRef{Digest: first.String(), SemVer: "9.x"}, "1.0.0"},
	} {
		w.repository(name, func(obj *sourcev1.OCIRepository) { obj.Spec.Reference = test.ref })
		obj, _ := w.reconcile(name)
		if expect(t, obj, ready, stored); w.files(obj)["a"] != test.want {
			t.Errorf("%s: %v", name, w.files(obj))
		}
	}
}

func TestIgnoreAndLayerSelector(t *testing.T) {
	w := newWorld(t)
	content := ocitest.TarGz(t, map[string]string{"a": "a", "b": "b"})
	w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: []byte("first")}, ocitest.Layer{MediaType: ocitest.FluxLayer, Content: content})
	selector := &sourcev1.OCILayerSelector{MediaType: ocitest.FluxLayer}
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.LayerSelector = selector })
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{"a": "a", "b": "b"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
	// A change of the spec alone makes another artifact of the same revision.
	ignore := "b\n"
	w.update("home", func(obj *sourcev1.OCIRepository) { obj.Spec.Ignore = &ignore })
	obj, _ = w.reconcile("home")
	if diff := cmp.Diff(map[string]string{"a": "a"}, w.files(obj)); diff != "" || obj.Status.ObservedIgnore == nil || *obj.Status.ObservedIgnore != ignore {
		t.Errorf("observed %v: %s", obj.Status.ObservedIgnore, diff)
	}
	selector.Operation = sourcev1.OCILayerCopy
	w.update("home", func(obj *sourcev1.OCIRepository) { obj.Spec.LayerSelector = selector })
	obj, _ = w.reconcile("home")
	if diff := cmp.Diff(map[string]string{".": string(content)}, w.files(obj)); diff != "" {
		t.Errorf("copied: %s", diff)
	}
	if diff := cmp.Diff(selector, obj.Status.ObservedLayerSelector); diff != "" {
		t.Error(diff)
	}
	w.update("home", func(obj *sourcev1.OCIRepository) {
		obj.Spec.LayerSelector = &sourcev1.OCILayerSelector{MediaType: "text/none"}
	})
	obj, _ = w.reconcile("home")
	expect(t, obj, "FetchFailed=True OCIArtifactLayerOperationFailed", "Ready=False OCIArtifactLayerOperationFailed", "Reconciling=True ProgressingWithRetry", stored)
}

func TestSourceIgnore(t *testing.T) {
	w := newWorld(t)
	w.push("x")
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "x", "README.md": "hello", ".sourceignore": "/secret\n*.png\n"}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
}

func TestAReleasesChartIsKeptAsItIs(t *testing.T) {
	w := newWorld(t, &helmv2.HelmRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "demo"},
		Spec:       helmv2.HelmReleaseSpec{ChartRef: &helmv2.CrossNamespaceSourceReference{Kind: sourcev1.OCIRepositoryKind, Name: "home"}},
	})
	content := ocitest.TarGz(t, map[string]string{"demo/Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\n"})
	w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: source.HelmChartLayer, Content: content})
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	if diff := cmp.Diff(map[string]string{".": string(content)}, w.files(obj)); diff != "" {
		t.Error(diff)
	}
}

func TestSuspend(t *testing.T) {
	w := newWorld(t)
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.Suspend = true })
	_, result := w.reconcile("home")
	if w.writes > 0 || w.registry.Requests.Load() > 0 || result.RequeueAfter > 0 {
		t.Errorf("%d writes, %d requests, again after %v", w.writes, w.registry.Requests.Load(), result.RequeueAfter)
	}
}

func TestARequestAsksAnew(t *testing.T) {
	w := newWorld(t)
	w.push("old")
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.Interval.Duration = 3600e9 })
	_, result := w.reconcile("home")
	if result.RequeueAfter != 3600e9 {
		t.Errorf("again after %v", result.RequeueAfter)
	}
	w.push("new")
	obj := w.get("home")
	obj.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := w.client.Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	obj, _ = w.reconcile("home")
	if expect(t, obj, ready, stored); obj.Status.LastHandledReconcileAt != "now" || w.files(obj)["apps/a.yaml"] != "new" {
		t.Errorf("handled %q with %v", obj.Status.LastHandledReconcileAt, w.files(obj))
	}
}

func TestADeletedRepositoryIsLetGo(t *testing.T) {
	w := newWorld(t)
	w.push("x")
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Finalizers = []string{sourcev1.SourceFinalizer} })
	obj, _ := w.reconcile("home")
	if err := w.client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "ns", Name: "home"}
	for range 2 { // and of what is no longer there
		if _, err := w.r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.client.Get(t.Context(), key, obj); err == nil {
		t.Errorf("it is still there, with the finalizers %q", obj.Finalizers)
	}
}

func TestAnArtifactThatDisappearedIsFetchedAgain(t *testing.T) {
	w := newWorld(t)
	w.push("x")
	w.repository("home", nil)
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

// TestFailuresKeepTheOldArtifact is of registries and artifacts gone bad.
func TestFailuresKeepTheOldArtifact(t *testing.T) {
	archive := func(headers ...tar.Header) func(*world) {
		return func(w *world) {
			w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.Pack(w.t, headers, nil)})
		}
	}
	spoil := func(part string, answer func(http.ResponseWriter, *http.Request)) func(*world) {
		return func(w *world) {
			w.push("new")
			w.registry.Spoil = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, part) {
					return false
				}
				answer(rw, r)
				return true
			}
		}
	}
	for name, test := range map[string]struct {
		spoil  func(*world)
		reason string
		says   string
	}{
		"a tag that is gone": {func(w *world) {
			w.registry.Spoil = func(rw http.ResponseWriter, r *http.Request) bool { http.NotFound(rw, r); return true }
		}, "OCIArtifactPullFailed", "failed to determine artifact digest: "},
		"a registry that is down":         {spoil("", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) }), "OCIArtifactPullFailed", "failed to determine artifact digest: "},
		"another layer":                   {spoil("/blobs/", func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("other")) }), "OCIArtifactLayerOperationFailed", ""},
		"a redirect to metadata":          {spoil("/blobs/", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "http://169.254.169.254/", 302) }), "OCIArtifactLayerOperationFailed", ""},
		"a path that leaves the artifact": {archive(tar.Header{Name: "../escape", Typeflag: tar.TypeReg}), "OCIArtifactLayerOperationFailed", "failed to extract layer contents from artifact: "},
		"an absolute path":                {archive(tar.Header{Name: "/etc/escape", Typeflag: tar.TypeReg}), "OCIArtifactLayerOperationFailed", "failed to extract layer contents from artifact: "},
		"what is no archive": {func(w *world) {
			w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: []byte("x")})
		}, "OCIArtifactLayerOperationFailed", "failed to extract layer contents from artifact: "},
		"an artifact of no layers": {func(w *world) { w.registry.Push("home", "1", nil) }, "OCIArtifactLayerOperationFailed", "no layers found in artifact"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.push("x")
			w.repository("home", nil)
			before, _ := w.reconcile("home")
			w.heard()
			test.spoil(w)
			after, _ := w.reconcile("home")
			message := conditions.GetMessage(after, sourcev1.FetchFailedCondition)
			if conditions.GetReason(after, sourcev1.FetchFailedCondition) != test.reason || !strings.Contains(message, test.says) || conditions.IsReady(after) {
				t.Errorf("%s: %s", conditions.GetReason(after, sourcev1.FetchFailedCondition), message)
			}
			if diff := cmp.Diff(before.Status.Artifact, after.Status.Artifact); diff != "" || w.files(after)["apps/a.yaml"] != "x" || !conditions.IsTrue(after, sourcev1.ArtifactInStorageCondition) {
				t.Errorf("the old artifact: %s", diff)
			}
			if events := w.heard(); len(events) != 1 || !strings.HasPrefix(events[0], "Warning "+test.reason) {
				t.Errorf("events %q", events)
			}
			// The same again is no news, and then it is mended.
			w.reconcile("home")
			if events := w.heard(); len(events) > 0 {
				t.Errorf("events %q", events)
			}
			w.registry.Spoil = nil
			w.push("x")
			mended, _ := w.reconcile("home")
			expect(t, mended, ready, stored)
			if events := w.heard(); len(events) != 1 || !strings.HasPrefix(events[0], "Normal Succeeded stored artifact") {
				t.Errorf("events %q", events)
			}
		})
	}
}

func TestBadURLsStall(t *testing.T) {
	w := newWorld(t)
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.URL += ":tag" })
	obj, result := w.reconcile("home")
	expect(t, obj, "FetchFailed=True URLInvalid", "Ready=False URLInvalid", "Stalled=True URLInvalid")
	if result.RequeueAfter > 0 || obj.Status.ObservedGeneration != 1 {
		t.Errorf("again after %v, generation %d", result.RequeueAfter, obj.Status.ObservedGeneration)
	}
}
