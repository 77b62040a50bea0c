package integration_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// elsewhere serves artifacts as another controller does.
type elsewhere struct {
	url     string
	content map[string][]byte
}

func serveElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	e := &elsewhere{content: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := e.content[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
		}
		_, _ = w.Write(content) // a reader may go
	}))
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

// offer packs files, and returns the artifact that they are.
func (e *elsewhere) offer(t *testing.T, revision string, files map[string]string) *meta.Artifact {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(packed.Bytes()))
	path := "/theirs/" + digest + ".tar.gz"
	e.content[path] = packed.Bytes()
	size := int64(packed.Len())
	return &meta.Artifact{Path: path[1:], URL: e.url + path, Revision: revision, Digest: "sha256:" + digest, LastUpdateTime: metav1.Now(), Size: &size}
}

// TestExternalArtifactOfAnother has a Kustomization apply, and a generator use,
// what another controller serves.
func TestExternalArtifactOfAnother(t *testing.T) {
	s := startComposing(t)
	server := serveElsewhere(t)
	first := server.offer(t, "v1", map[string]string{"deploy/a.yaml": fmt.Sprintf(configMapYAML, "a", "one")})
	second := server.offer(t, "v2", map[string]string{"deploy/b.yaml": fmt.Sprintf(configMapYAML, "b", "two")})

	external := &sourcev1.ExternalArtifact{}
	s.create(external, "theirs", "{sourceRef: {apiVersion: example.org/v1, kind: Release, name: app}}")
	k := &kustomizev1.Kustomization{}
	s.create(k, "apps", fmt.Sprintf("{interval: 1h, retryInterval: 1s, prune: true, path: ./deploy, targetNamespace: %s, sourceRef: {kind: ExternalArtifact, name: theirs}}", s.namespace))
	s.until(k, "apps", "waiting", func() bool { return conditions.GetReason(k, meta.ReadyCondition) == meta.ArtifactFailedReason })
	s.offer(external, func() { external.Status.Artifact = first })
	s.until(k, "apps", "ready", func() bool { return conditions.IsReady(k) && k.Status.LastAppliedRevision == "v1" })
	s.until(&corev1.ConfigMap{}, "a", "applied", func() bool { return true })

	s.offer(external, func() { external.Status.Artifact = second })
	s.until(k, "apps", "ready", func() bool { return conditions.IsReady(k) && k.Status.LastAppliedRevision == "v2" })
	s.gone(&corev1.ConfigMap{}, "a")

	// Content that is not what its object says is not applied.
	s.offer(external, func() {
		external.Status.Artifact = second.DeepCopy()
		external.Status.Artifact.Revision = "v3"
		external.Status.Artifact.Digest = "sha256:" + fmt.Sprintf("%x", sha256.Sum256([]byte("other")))
	})
	s.until(k, "apps", "failed", func() bool { return conditions.IsFalse(k, meta.ReadyCondition) && k.Status.LastAppliedRevision == "v2" })
	if got := conditions.GetMessage(k, meta.ReadyCondition); conditions.GetReason(k, meta.ReadyCondition) != meta.ArtifactFailedReason {
		t.Errorf("Ready says %s", got)
	}
	s.until(&corev1.ConfigMap{}, "b", "there", func() bool { return true })

	s.offer(external, func() { external.Status.Artifact = first })
	obj := &generator.ArtifactGenerator{}
	s.create(obj, "ours", `{sources: [{alias: theirs, kind: ExternalArtifact, name: theirs}], artifacts: [{name: ours, copy: [{from: "@theirs/deploy/*.yaml", to: "@artifact/"}]}]}`)
	s.until(obj, "ours", "ready", ready(obj))
	if _, files := s.artifact("ours", nil); files["deploy/a.yaml"] != fmt.Sprintf(configMapYAML, "a", "one") {
		t.Errorf("files %v", files)
	}
}

// TestHelmReleaseOfAnExternalArtifact installs a chart that another controller
// serves, and upgrades it when its content changes under the same version.
func TestHelmReleaseOfAnExternalArtifact(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	server := serveElsewhere(t)
	chart := func(greeting string) *meta.Artifact {
		content := map[string]string{"settings/Chart.yaml": "apiVersion: v2\nname: settings\nversion: 1.0.0\n"}
		for name, data := range settings {
			content["settings/"+name] = data
		}
		content["settings/values.yaml"] = "greeting: " + greeting + "\n"
		return server.offer(t, "latest", content)
	}
	external := &sourcev1.ExternalArtifact{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "theirs"}}
	r.create(external)
	offer := func(artifact *meta.Artifact) {
		t.Helper()
		before := external.DeepCopy()
		external.Status.Artifact = artifact
		if err := r.client.Status().Patch(t.Context(), external, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
	}
	hr := r.release("demo", "theirs", "", func(hr *helmv2.HelmRelease) { hr.Spec.ChartRef.Kind = sourcev1.ExternalArtifactKind })
	r.await(hr, time.Minute, "waiting", func() bool { return conditions.GetReason(hr, meta.ReadyCondition) == "SourceNotReady" })
	for i, greeting := range []string{"hello", "servus"} {
		artifact := chart(greeting)
		offer(artifact)
		r.await(hr, time.Minute, "ready", func() bool {
			return conditions.IsReady(hr) && hr.Status.History.Len() > 0 && hr.Status.History.Latest().Version == i+1
		})
		if got := r.configMap("demo")["greeting"]; got != greeting {
			t.Errorf("installed %s, want %s", got, greeting)
		}
		if want := "1.0.0+" + artifact.Digest[len("sha256:"):][:12]; hr.Status.History.Latest().ChartVersion != want {
			t.Errorf("the version is %s, want %s", hr.Status.History.Latest().ChartVersion, want)
		}
	}
}
