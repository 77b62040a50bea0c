package integration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
	"hearth/internal/engine/artifactgenerator"
	"hearth/internal/engine/bucketsource"
	"hearth/internal/engine/kustomization"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/source"
)

// composing runs the buckets, generators and Kustomizations of a namespace.
type composing struct {
	t         *testing.T
	namespace string
	store     *source.Store
	client    client.Client
}

func startComposing(t *testing.T, change ...func(*artifactgenerator.Options)) *composing {
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	s := &composing{t: t, namespace: namespace(t)}
	only := cache.ByObject{Namespaces: map[string]cache.Config{s.namespace: {}}}
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: map[client.Object]cache.ByObject{
			&sourcev1.GitRepository{}: only, &sourcev1.OCIRepository{}: only, &sourcev1.Bucket{}: only, &sourcev1.HelmChart{}: only,
			&sourcev1.ExternalArtifact{}: only, &generator.ArtifactGenerator{}: only, &kustomizev1.Kustomization{}: only, &corev1.Secret{}: only,
		}},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.store, err = source.OpenStore(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	o := artifactgenerator.Options{Store: s.store}
	for _, c := range change {
		c(&o)
	}
	for _, err := range []error{
		bucketsource.Setup(mgr, bucketsource.Options{Store: s.store}),
		artifactgenerator.Setup(mgr, o),
		kustomization.Setup(mgr, kustomization.Options{Store: s.store, Objects: objects.New(mgr.GetCache(), mgr.GetScheme())}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.store.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the reconcilers ended with: %v", err)
		}
	})
	if s.client, err = client.New(cluster(t).Config(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()}); err != nil {
		t.Fatal(err)
	}
	return s
}

// create makes an object of a kind from the YAML of its spec.
func (s *composing) create(obj client.Object, name, spec string) {
	s.t.Helper()
	if err := yaml.UnmarshalStrict([]byte("{spec: "+spec+"}"), obj); err != nil {
		s.t.Fatal(err)
	}
	obj.SetNamespace(s.namespace)
	obj.SetName(name)
	if err := s.client.Create(s.t.Context(), obj); err != nil {
		s.t.Fatal(err)
	}
}

// tree stores files as an artifact for an object.
func (s *composing) tree(kind, name, revision string, files map[string]string) *meta.Artifact {
	s.t.Helper()
	dir := s.t.TempDir()
	for file, content := range files {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	stored, err := s.store.PutDir(s.t.Context(), dir, source.DirOptions{Revision: func(string) string { return revision }})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.store.Artifact(stored, domain.Ref{Kind: kind, Namespace: s.namespace, Name: name})
}

// offer gives a source an artifact, which its own controller would do.
func (s *composing) offer(obj client.Object, set func()) {
	s.t.Helper()
	before := obj.DeepCopyObject().(client.Object)
	set()
	if err := s.client.Status().Patch(s.t.Context(), obj, client.MergeFrom(before)); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for an object to be as wanted.
func (s *composing) until(obj client.Object, name, want string, is func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.client.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, obj)
		if client.IgnoreNotFound(err) != nil {
			s.t.Fatal(err)
		}
		if err == nil && is() {
			return
		}
		if time.Now().After(deadline) {
			data, _ := yaml.Marshal(obj)
			s.t.Fatalf("%T %s is not %s (%v):\n%s", obj, name, want, err, data)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// artifact waits for an ExternalArtifact, and returns it with its files.
func (s *composing) artifact(name string, is func(*sourcev1.ExternalArtifact) bool) (*sourcev1.ExternalArtifact, map[string]string) {
	s.t.Helper()
	obj := &sourcev1.ExternalArtifact{}
	s.until(obj, name, "there", func() bool { return obj.Status.Artifact != nil && (is == nil || is(obj)) })
	dir, err := s.store.Resolve(obj.Status.Artifact)
	if err != nil {
		s.t.Fatal(err)
	}
	return obj, readTree(s.t, dir)
}

func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// gone waits until there is no such object.
func (s *composing) gone(obj client.Object, name string) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !apierrors.IsNotFound(s.client.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, obj)) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%T %s is still there", obj, name)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func ready(obj conditions.Getter) func() bool {
	return func() bool {
		return conditions.IsReady(obj) && conditions.GetObservedGeneration(obj, meta.ReadyCondition) == obj.GetGeneration()
	}
}

const configMapYAML = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {from: %s}}\n"

// TestArtifactGenerator splits and joins sources, follows their changes, and
// takes away what is no longer asked for.
func TestArtifactGenerator(t *testing.T) {
	t.Parallel()
	s := startComposing(t)
	repository := &sourcev1.GitRepository{}
	s.create(repository, "home", `{url: "https://git.example.org/home", interval: 1h}`)
	tree := func(frontend string) map[string]string {
		return map[string]string{
			"deploy/frontend/app.yaml": frontend, "deploy/backend/app.yaml": "backend", "values.yaml": "{a: {b: 1, c: [1]}}", "logo.png": "x",
		}
	}
	s.offer(repository, func() { repository.Status.Artifact = s.tree("GitRepository", "home", "main@sha1:1", tree("one")) })
	registry := &sourcev1.OCIRepository{}
	s.create(registry, "chart", `{url: "oci://registry.example.org/chart", interval: 1h}`)

	obj := &generator.ArtifactGenerator{}
	s.create(obj, "split", `{
		commonMetadata: {labels: {team: home}, annotations: {note: made}},
		sources: [{alias: repo, kind: GitRepository, name: home}, {alias: chart, kind: OCIRepository, name: chart}],
		artifacts: [
			{name: frontend, copy: [{from: "@repo/deploy/frontend/**", to: "@artifact/"}]},
			{name: backend, revision: "@repo", originRevision: "@chart", copy: [{from: "@repo/deploy/backend", to: "@artifact/x/"}]},
			{name: joined, copy: [{from: "@chart/**", to: "@artifact/"}, {from: "@repo/values.yaml", to: "@artifact/chart/values.yaml", strategy: Merge}]}]}`)
	s.until(obj, "split", "waiting for its source", func() bool {
		return conditions.GetReason(obj, meta.ReadyCondition) == generator.SourceFetchFailedReason
	})
	if got, want := conditions.GetMessage(obj, meta.ReadyCondition), fmt.Sprintf("get sources failed: source 'OCIRepository/%s/chart' is not ready", s.namespace); got != want {
		t.Errorf("Ready says %q, want %q", got, want)
	}
	s.offer(registry, func() {
		artifact := s.tree("OCIRepository", "chart", "1.0.0@sha256:2", map[string]string{"chart/Chart.yaml": "name: chart", "chart/values.yaml": "a: {b: 0, c: [0], d: 2}"})
		artifact.Metadata = map[string]string{generator.ArtifactOriginRevisionAnnotation: "main@sha1:origin"}
		registry.Status.Artifact = artifact
	})
	s.until(obj, "split", "ready", ready(obj))
	if got := conditions.GetMessage(obj, meta.ReadyCondition); got != "reconciliation succeeded, generated 3 artifact(s)" {
		t.Errorf("Ready says %q", got)
	}
	if len(obj.Status.Conditions) != 1 || len(obj.Status.Inventory) != 3 || obj.Status.ObservedSourcesDigest == "" {
		t.Errorf("status %+v", obj.Status)
	}

	frontend, files := s.artifact("frontend", nil)
	if diff := cmp.Diff(map[string]string{"app.yaml": "one"}, files); diff != "" {
		t.Error(diff)
	}
	if artifact := frontend.Status.Artifact; artifact.Revision != "latest@"+artifact.Digest || obj.Status.Inventory[0].Digest != artifact.Digest ||
		obj.Status.Inventory[0].Filename != filepath.Base(artifact.Path) {
		t.Errorf("artifact %+v, inventory %+v", artifact, obj.Status.Inventory[0])
	}
	wantLabels := map[string]string{"app.kubernetes.io/managed-by": "source-watcher", generator.ArtifactGeneratorLabel: string(obj.UID), "team": "home"}
	if diff := cmp.Diff(wantLabels, frontend.Labels); diff != "" || frontend.Annotations["note"] != "made" {
		t.Error(diff, frontend.Annotations)
	}
	if ref := frontend.Spec.SourceRef; ref == nil || ref.Kind != "ArtifactGenerator" || ref.Name != "split" || !conditions.IsReady(frontend) {
		t.Errorf("source %+v, conditions %+v", ref, frontend.Status.Conditions)
	}
	backend, files := s.artifact("backend", nil)
	if diff := cmp.Diff(map[string]string{"x/backend/app.yaml": "backend"}, files); diff != "" {
		t.Error(diff)
	}
	if artifact := backend.Status.Artifact; artifact.Revision != "main@sha1:1" || artifact.Metadata[generator.ArtifactOriginRevisionAnnotation] != "main@sha1:origin" {
		t.Errorf("artifact %+v", artifact)
	}
	if _, files = s.artifact("joined", nil); files["chart/values.yaml"] != "a:\n  b: 1\n  c:\n  - 1\n  d: 2\n" {
		t.Errorf("merged: %q", files["chart/values.yaml"])
	}

	// A new revision changes only the artifact whose files did.
	before := backend.ResourceVersion
	joined, _ := s.artifact("joined", nil)
	s.offer(repository, func() { repository.Status.Artifact = s.tree("GitRepository", "home", "main@sha1:2", tree("two")) })
	_, files = s.artifact("frontend", func(a *sourcev1.ExternalArtifact) bool {
		return a.Status.Artifact.Digest != frontend.Status.Artifact.Digest
	})
	if files["app.yaml"] != "two" {
		t.Errorf("frontend holds %v", files)
	}
	backend, _ = s.artifact("backend", func(a *sourcev1.ExternalArtifact) bool { return a.Status.Artifact.Revision == "main@sha1:2" })
	if again, _ := s.artifact("joined", nil); again.ResourceVersion != joined.ResourceVersion || backend.ResourceVersion == before {
		t.Errorf("joined was written again, or backend was not")
	}

	// What somebody deletes is made again, and what nobody asks for is deleted.
	if err := s.client.Delete(t.Context(), backend); err != nil {
		t.Fatal(err)
	}
	s.artifact("backend", func(a *sourcev1.ExternalArtifact) bool { return a.UID != backend.UID })
	s.until(obj, "split", "ready", ready(obj))
	obj.Spec.OutputArtifacts = slices.Delete(obj.Spec.OutputArtifacts, 1, 2)
	if err := s.client.Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	s.gone(&sourcev1.ExternalArtifact{}, "backend")
	if err := s.client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	s.gone(&generator.ArtifactGenerator{}, "split")
	s.gone(&sourcev1.ExternalArtifact{}, "frontend")
	s.gone(&sourcev1.ExternalArtifact{}, "joined")
}

// TestArtifactGeneratorByPattern makes an artifact for every folder, which
// Kustomizations apply.
func TestArtifactGeneratorByPattern(t *testing.T) {
	s := startComposing(t)
	repository := &sourcev1.GitRepository{}
	s.create(repository, "home", `{url: "https://git.example.org/home", interval: 1h}`)
	s.offer(repository, func() {
		repository.Status.Artifact = s.tree("GitRepository", "home", "main@sha1:1", map[string]string{
			"apps/Web/prod/a.yaml": fmt.Sprintf(configMapYAML, "web", "prod"), "apps/db/prod/a.yaml": fmt.Sprintf(configMapYAML, "db", "prod"), "other/x/y.yaml": "x",
		})
	})
	obj := &generator.ArtifactGenerator{}
	s.create(obj, "apps", `{
		pathPattern: "@repo/apps/{app}/{env}",
		sources: [{alias: repo, kind: GitRepository, name: home}],
		artifacts: [{name: "{app}-{env}", copy: [{from: "@repo/apps/{app}/{env}/**", to: "@artifact/{app}/"}]}]}`)
	s.until(obj, "apps", "ready", ready(obj))
	if len(obj.Status.Inventory) != 2 {
		t.Errorf("inventory %+v", obj.Status.Inventory)
	}
	web, files := s.artifact("web-prod", nil)
	if _, ok := files["Web/a.yaml"]; !ok || web.Labels["app"] != "web" || web.Labels["env"] != "prod" {
		t.Errorf("files %v, labels %v", files, web.Labels)
	}
	k := &kustomizev1.Kustomization{}
	s.create(k, "web", fmt.Sprintf(`{interval: 1h, prune: true, targetNamespace: %s, path: ./Web, sourceRef: {kind: ExternalArtifact, name: web-prod}}`, s.namespace))
	s.until(k, "web", "ready", ready(k))
	if k.Status.LastAppliedRevision != web.Status.Artifact.Revision {
		t.Errorf("applied %s, want %s", k.Status.LastAppliedRevision, web.Status.Artifact.Revision)
	}
	s.until(&corev1.ConfigMap{}, "web", "applied", func() bool { return true })
}

func TestArtifactGeneratorFailures(t *testing.T) {
	s := startComposing(t, func(o *artifactgenerator.Options) { o.NoCrossNamespaceRefs = true })
	repository := &sourcev1.GitRepository{}
	s.create(repository, "home", `{url: "https://git.example.org/home", interval: 1h}`)
	s.offer(repository, func() {
		repository.Status.Artifact = s.tree("GitRepository", "home", "main@sha1:1", map[string]string{"a.yaml": "a", "b.tgz": "no archive"})
	})
	const from = `sources: [{alias: repo, kind: GitRepository, name: home}]`
	for name, test := range map[string]struct {
		spec, reason, message string
		stalled               bool
	}{
		"alias":     {`{sources: [{alias: a, kind: Bucket, name: a}, {alias: a, kind: Bucket, name: b}], artifacts: [{name: x, copy: [{from: "@a/x", to: "@artifact/"}]}]}`, generator.ValidationFailedReason, "duplicate source alias 'a' found", true},
		"name":      {`{` + from + `, artifacts: [{name: x, copy: [{from: "@repo/x", to: "@artifact/"}]}, {name: x, copy: [{from: "@repo/x", to: "@artifact/"}]}]}`, generator.ValidationFailedReason, "duplicate artifact name 'x' found", true},
		"revision":  {`{` + from + `, artifacts: [{name: x, revision: "@none", copy: [{from: "@repo/x", to: "@artifact/"}]}]}`, generator.ValidationFailedReason, "artifact x revision source alias 'none' not found", true},
		"origin":    {`{` + from + `, artifacts: [{name: x, originRevision: "@none", copy: [{from: "@repo/x", to: "@artifact/"}]}]}`, generator.ValidationFailedReason, "artifact x origin revision source alias 'none' not found", true},
		"namespace": {`{sources: [{alias: a, kind: Bucket, name: a, namespace: default}], artifacts: [{name: x, copy: [{from: "@a/x", to: "@artifact/"}]}]}`, generator.AccessDeniedReason, "cross-namespace reference to source Bucket/default/a is not allowed", true},
		"itself":    {`{sources: [{alias: a, kind: ExternalArtifact, name: x}], artifacts: [{name: x, copy: [{from: "@a/**", to: "@artifact/x/"}]}]}`, generator.ValidationFailedReason, "artifact x would be made of itself", true},
		"pattern":   {`{` + from + `, pathPattern: "@repo/{a}/{a}", artifacts: [{name: "x{a}", copy: [{from: "@repo/x", to: "@artifact/"}]}]}`, generator.ValidationFailedReason, `pathPattern "@repo/{a}/{a}": it captures "a" twice`, true},
		"missing":   {`{` + from + `, artifacts: [{name: x, copy: [{from: "@repo/x", to: "@artifact/"}]}]}`, meta.BuildFailedReason, "x build failed: failed to apply copy operations: failed to apply copy operation from '@repo/x' to '@artifact/': source 'x' does not exist", false},
		"escape":    {`{` + from + `, artifacts: [{name: x, copy: [{from: "@repo/a.yaml", to: "@artifact/../../a"}]}]}`, meta.BuildFailedReason, "leads out of the artifact", false},
		"archive":   {`{` + from + `, artifacts: [{name: x, copy: [{from: "@repo/b.tgz", to: "@artifact/", strategy: Extract}]}]}`, meta.BuildFailedReason, "it is no tar.gz", false},
		"gone":      {`{sources: [{alias: a, kind: HelmChart, name: none}], artifacts: [{name: x, copy: [{from: "@a/x", to: "@artifact/"}]}]}`, generator.SourceFetchFailedReason, `get sources failed: HelmChart.source.toolkit.fluxcd.io "none" not found`, false},
	} {
		obj := &generator.ArtifactGenerator{}
		s.create(obj, name, test.spec)
		s.until(obj, name, "failed", func() bool { return conditions.IsFalse(obj, meta.ReadyCondition) })
		got := conditions.Get(obj, meta.ReadyCondition)
		if got.Reason != test.reason || !strings.Contains(got.Message, test.message) || conditions.IsStalled(obj) != test.stalled {
			t.Errorf("%s: %s: %s (stalled: %t)", name, got.Reason, got.Message, conditions.IsStalled(obj))
		}
		if progress := conditions.Get(obj, meta.ReconcilingCondition); (progress == nil) != test.stalled {
			t.Errorf("%s: Reconciling is %+v", name, progress)
		}
	}
	var made sourcev1.ExternalArtifactList
	if err := s.client.List(t.Context(), &made, client.InNamespace(s.namespace)); err != nil || len(made.Items) != 0 {
		t.Errorf("made %d artifacts, %v", len(made.Items), err)
	}
}

// TestArtifactGeneratorIsTurnedOff leaves everything as it is until it is
// turned on.
func TestArtifactGeneratorIsTurnedOff(t *testing.T) {
	s := startComposing(t)
	repository := &sourcev1.GitRepository{}
	s.create(repository, "home", `{url: "https://git.example.org/home", interval: 1h}`)
	s.offer(repository, func() { repository.Status.Artifact = s.tree("GitRepository", "home", "1", map[string]string{"a": "a"}) })
	obj := &generator.ArtifactGenerator{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{generator.ReconcileAnnotation: "disabled"}}}
	s.create(obj, "off", `{sources: [{alias: repo, kind: GitRepository, name: home}], artifacts: [{name: x, copy: [{from: "@repo/a", to: "@artifact/"}]}]}`)
	s.until(obj, "off", "off", func() bool {
		return conditions.GetReason(obj, meta.ReadyCondition) == generator.ReconciliationDisabledReason
	})
	obj.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := s.client.Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	s.until(obj, "off", "on", func() bool { return len(obj.Status.Inventory) == 1 && obj.Status.LastHandledReconcileAt == "now" })
}
