package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"hearth/internal/engine/gitsource"
	"hearth/internal/kube/scheme"
	"hearth/internal/source"
	"hearth/internal/source/gittest"
)

// startGitSources runs the GitRepositories of a namespace.
func startGitSources(t *testing.T, ns string) client.Client {
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	only := cache.ByObject{Namespaces: map[string]cache.Config{ns: {}}}
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{&sourcev1.GitRepository{}: only, &corev1.Secret{}: only}},
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := gitsource.Setup(mgr, gitsource.Options{Store: store}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the reconcilers ended with: %v", err)
		}
	})
	direct, err := client.New(cluster(t).Config(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	return direct
}

// TestGitRepositories fetches over ssh and http, includes one in the other, and
// follows what is pushed.
func TestGitRepositories(t *testing.T) {
	ns := namespace(t)
	server := gittest.NewServer(t)
	home, lib := gittest.NewRepository(t), gittest.NewRepository(t)
	push := func(r *gittest.Repository, content string) string {
		commit := r.Commit(gittest.Files{"a.yaml": gittest.Text(content)}, "Say "+content, nil)
		r.Set("refs/heads/main", commit)
		return commit
	}
	push(home, "home")
	pushed := push(lib, "lib 1")
	server.Put("/home.git", home)
	server.Put("/lib.git", lib)
	signer, identity := gittest.NewKey(t, "")
	sshURL, hosts := server.SSH(signer.PublicKey())
	c := startGitSources(t, ns)

	create := func(obj client.Object) {
		t.Helper()
		if err := c.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "deploy-key"}, Data: map[string][]byte{"identity": identity, "known_hosts": []byte(hosts)}})
	repository := func(name, url string) *sourcev1.GitRepository {
		return &sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: sourcev1.GitRepositorySpec{
			URL: url, Interval: metav1.Duration{Duration: time.Hour}, Reference: &sourcev1.GitRepositoryRef{Branch: "main"},
		}}
	}
	including := repository("home", sshURL+"/home.git")
	including.Spec.SecretRef = &meta.LocalObjectReference{Name: "deploy-key"}
	including.Spec.Include = []sourcev1.GitRepositoryInclude{{GitRepositoryRef: meta.LocalObjectReference{Name: "lib"}}}
	including.Spec.SparseCheckout = []string{"a.yaml"}
	create(including)
	included := repository("lib", server.HTTP()+"/lib.git")
	create(included)

	until := func(obj *sourcev1.GitRepository, want string, is func() bool) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
				t.Fatal(err)
			}
			if is() {
				return
			}
			if time.Now().After(deadline) {
				data, _ := yaml.Marshal(obj.Status)
				t.Fatalf("GitRepository %s is not %s:\n%s", obj.Name, want, data)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	until(including, "ready", func() bool { return conditions.IsReady(including) })
	until(included, "ready", func() bool { return conditions.IsReady(included) })
	if got := including.Status.IncludedArtifacts; len(got) != 1 || got[0].Revision != "main@sha1:"+pushed {
		t.Errorf("included %v", got)
	}
	if len(including.Status.ObservedInclude) != 1 || len(including.Status.ObservedSparseCheckout) != 1 {
		t.Errorf("observed %v and %v", including.Status.ObservedInclude, including.Status.ObservedSparseCheckout)
	}

	// A request has the included repository looked at; its new artifact wakes
	// who includes it.
	pushed = push(lib, "lib 2")
	before := including.Status.Artifact.Digest
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"now"}}}`, meta.ReconcileRequestAnnotation))
	if err := c.Patch(t.Context(), included, patch); err != nil {
		t.Fatal(err)
	}
	until(including, "made of what was pushed", func() bool {
		a := including.Status.IncludedArtifacts
		return conditions.IsReady(including) && len(a) == 1 && a[0].Revision == "main@sha1:"+pushed
	})
	if including.Status.Artifact.Digest == before {
		t.Error("the artifact has the old digest")
	}
	until(included, "handled", func() bool { return included.Status.LastHandledReconcileAt == "now" })

	// What it says while it fails, and that it says so as an event.
	server.Put("/lib.git", nil)
	if err := c.Patch(t.Context(), included, client.RawPatch(patch.Type(), fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"again"}}}`, meta.ReconcileRequestAnnotation))); err != nil {
		t.Fatal(err)
	}
	until(included, "failed", func() bool { return conditions.IsTrue(included, sourcev1.FetchFailedCondition) })
	if included.Status.Artifact == nil || !conditions.IsTrue(included, sourcev1.ArtifactInStorageCondition) {
		t.Errorf("the old artifact is gone: %v", included.Status)
	}
	var reasons []string
	until(included, "told by events", func() bool {
		var events corev1.EventList
		if err := c.List(t.Context(), &events, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		reasons = nil
		for _, e := range events.Items {
			if e.InvolvedObject.Name == "lib" {
				reasons = append(reasons, e.Type+" "+e.Reason)
			}
		}
		all := strings.Join(reasons, ",")
		return strings.Contains(all, "Normal NewArtifact") && strings.Contains(all, "Warning GitOperationFailed")
	})
}
