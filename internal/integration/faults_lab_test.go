package integration_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"hearth/internal/kube/scheme"
	"hearth/internal/source/gittest"
)

// patience is how long a lab may take to come to a state. It is far more than
// any needs, since nothing here measures time.
const patience = 2 * time.Minute

// site is a Git server with one repository. Several labs may follow it.
type site struct {
	t          *testing.T
	server     *gittest.Server
	repository *gittest.Repository
	url        string
	files      gittest.Files
	revision   string
	spoil      atomic.Pointer[func(pack []byte) []byte] // what becomes of packs on their way
}

func newSite(t *testing.T, files map[string]string) *site {
	t.Helper()
	s := &site{t: t, server: gittest.NewServer(t), repository: gittest.NewRepository(t), files: gittest.Files{}}
	s.server.Spoil = func(pack []byte) []byte {
		if spoil := s.spoil.Load(); spoil != nil {
			return (*spoil)(pack)
		}
		return pack
	}
	s.url = s.server.HTTP() + "/home.git"
	s.server.Put("/home.git", s.repository)
	s.commit(files)
	return s
}

// commit makes a commit with some files changed; an empty one is removed.
func (s *site) commit(files map[string]string) {
	s.t.Helper()
	for name, content := range files {
		if content == "" {
			delete(s.files, name)
			continue
		}
		s.files[name] = gittest.Text(content)
	}
	s.commitOnly(s.files)
}

// commitOnly makes a commit without history that holds these files only.
func (s *site) commitOnly(files gittest.Files) {
	s.t.Helper()
	s.files = maps.Clone(files)
	commit := s.repository.Commit(s.files, "Change it", nil)
	s.repository.Set("refs/heads/main", commit)
	s.revision = "main@sha1:" + commit
}

// lab is a namespace that follows a site. Nothing in the repository names the
// namespace, so that two labs of a site hold the same but for its name.
type lab struct {
	*gitops
	site   *site
	engine labEngine
	asked  int
	stop   func()
}

// newLab makes a lab whose engine does not run yet.
func (s *site) newLab(t testing.TB) *lab {
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	l := &lab{gitops: &gitops{t: t, namespace: namespace(t)}, site: s, stop: func() {}}
	c, err := client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	l.client = c
	l.engine = labEngine{Config: cluster(t).Config(), Namespace: l.namespace, Folder: t.TempDir()}
	t.Cleanup(l.letGo)
	t.Cleanup(func() { l.stop() })
	l.apply(fmt.Sprintf("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: home, namespace: %s}, spec: {url: %q, interval: 1h, timeout: 60s, ref: {branch: main}}}", l.namespace, s.url))
	return l
}

// startLab makes a lab of a site of its own.
func startLab(t *testing.T, files map[string]string) *lab {
	t.Helper()
	l := newSite(t, files).newLab(t)
	l.start(nil)
	return l
}

// start runs the engine; change may change its connection.
func (l *lab) start(change func(*rest.Config)) {
	l.t.Helper()
	e := l.engine
	e.Config = rest.CopyConfig(e.Config)
	if change != nil {
		change(e.Config)
	}
	mgr, err := e.prepare()
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	l.stop = func() {
		cancel()
		l.stop = func() {}
		select {
		case err := <-ended:
			if err != nil {
				l.t.Errorf("the reconcilers ended with: %v", err)
			}
		case <-time.After(patience):
			l.t.Error("the reconcilers do not end")
		}
	}
}

// letGo takes finalizers off, so that the namespace can go without an engine.
func (l *lab) letGo() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	release := []byte(`{"metadata":{"finalizers":null}}`)
	for _, list := range []client.ObjectList{&kustomizev1.KustomizationList{}, &helmv2.HelmReleaseList{}} {
		if err := l.client.List(ctx, list, client.InNamespace(l.namespace)); err != nil {
			l.t.Error(err)
			return
		}
		var all []client.Object
		switch list := list.(type) {
		case *kustomizev1.KustomizationList:
			for i := range list.Items {
				all = append(all, &list.Items[i])
			}
		case *helmv2.HelmReleaseList:
			for i := range list.Items {
				all = append(all, &list.Items[i])
			}
		}
		for _, obj := range all {
			if err := l.client.Patch(ctx, obj, client.RawPatch(apitypes.MergePatchType, release)); client.IgnoreNotFound(err) != nil {
				l.t.Error(err)
			}
		}
	}
}

// kustomization applies a Kustomization that puts what it builds into the
// lab's namespace, and knows its name as ${ns}.
func (l *lab) kustomization(name, spec string) {
	l.t.Helper()
	fields := map[string]any{
		"targetNamespace": l.namespace, "timeout": "2m", "retryInterval": "2s",
		"postBuild": map[string]any{"substitute": map[string]any{"ns": l.namespace}},
	}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		l.t.Fatal(err)
	}
	data, err := yaml.Marshal(fields)
	if err != nil {
		l.t.Fatal(err)
	}
	l.gitops.kustomization(name, string(data))
}

// fetch has the source look at the server.
func (l *lab) fetch() {
	l.t.Helper()
	l.asked++
	l.request(&sourcev1.GitRepository{}, "home", fmt.Sprint(l.asked))
}

func (l *lab) request(obj client.Object, name, value string) {
	l.t.Helper()
	obj.SetNamespace(l.namespace)
	obj.SetName(name)
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, meta.ReconcileRequestAnnotation, value)
	if err := l.client.Patch(l.t.Context(), obj, client.RawPatch(apitypes.MergePatchType, patch)); err != nil {
		l.t.Fatal(err)
	}
}

// reconcile asks a Kustomization to look again, and waits until it has.
func (l *lab) reconcile(name string) *kustomizev1.Kustomization {
	l.t.Helper()
	l.asked++
	value := fmt.Sprint(l.asked)
	l.request(&kustomizev1.Kustomization{}, name, value)
	return l.until(name, "reconciled as asked", func(k *kustomizev1.Kustomization) bool {
		return k.Status.LastHandledReconcileAt == value && !conditions.IsUnknown(k, meta.ReadyCondition)
	})
}

// push commits files and has the source look.
func (l *lab) push(files map[string]string) {
	l.t.Helper()
	l.site.commit(files)
	l.fetch()
}

// comesTo waits for something to be so; what tells what is there instead.
func comesTo(t testing.TB, so func() bool, what func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what())
		}
	}
}

// until waits for a Kustomization to be as wanted.
func (l *lab) until(name, want string, is func(*kustomizev1.Kustomization) bool) *kustomizev1.Kustomization {
	l.t.Helper()
	k := &kustomizev1.Kustomization{}
	comesTo(l.t, func() bool {
		// It may be one that another is about to apply.
		err := l.client.Get(l.t.Context(), apitypes.NamespacedName{Namespace: l.namespace, Name: name}, k)
		if client.IgnoreNotFound(err) != nil {
			l.t.Fatal(err)
		}
		return err == nil && is(k)
	}, func() string {
		status, _ := yaml.Marshal(k.Status)
		return fmt.Sprintf("Kustomization %s is not %s:\n%s\n%s", name, want, status, strings.Join(l.events(name), "\n"))
	})
	return k
}

// ready waits until Kustomizations are ready at the site's revision.
func (l *lab) ready(names ...string) (last *kustomizev1.Kustomization) {
	l.t.Helper()
	for _, name := range names {
		last = l.until(name, "ready at "+l.site.revision, func(k *kustomizev1.Kustomization) bool {
			return conditions.IsReady(k) && k.Status.ObservedGeneration == k.Generation && k.Status.LastAppliedRevision == l.site.revision
		})
	}
	return last
}

// isReady reports whether a Kustomization is ready at the site's revision now.
func (l *lab) isReady(name string) bool {
	l.t.Helper()
	k := &kustomizev1.Kustomization{}
	err := l.client.Get(l.t.Context(), apitypes.NamespacedName{Namespace: l.namespace, Name: name}, k)
	if client.IgnoreNotFound(err) != nil {
		l.t.Fatal(err)
	}
	return err == nil && conditions.IsReady(k) && k.Status.ObservedGeneration == k.Generation && k.Status.LastAppliedRevision == l.site.revision
}

// failed waits until a Kustomization says why it is not ready.
func (l *lab) failed(name, reason, message string) *kustomizev1.Kustomization {
	l.t.Helper()
	return l.until(name, reason+" with "+message, func(k *kustomizev1.Kustomization) bool {
		c := conditions.Get(k, meta.ReadyCondition)
		return c != nil && c.Status == metav1.ConditionFalse && c.Reason == reason && strings.Contains(c.Message, message)
	})
}

// told waits for an event of an object whose text contains all parts.
func (l *lab) told(name string, parts ...string) {
	l.t.Helper()
	comesTo(l.t, func() bool { return l.hasEvent(name, parts...) },
		func() string {
			return fmt.Sprintf("no event of %s holds %q:\n%s", name, parts, strings.Join(l.events(name), "\n"))
		})
}

func (l *lab) hasEvent(name string, parts ...string) bool {
	l.t.Helper()
	for _, event := range l.events(name) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(event, part)
		}
		if all {
			return true
		}
	}
	return false
}

// source waits for the GitRepository to be as wanted.
func (l *lab) source(want string, is func(*sourcev1.GitRepository) bool) *sourcev1.GitRepository {
	l.t.Helper()
	repo := &sourcev1.GitRepository{}
	comesTo(l.t, func() bool {
		if err := l.client.Get(l.t.Context(), apitypes.NamespacedName{Namespace: l.namespace, Name: "home"}, repo); err != nil {
			l.t.Fatal(err)
		}
		return is(repo)
	}, func() string {
		status, _ := yaml.Marshal(repo.Status)
		return fmt.Sprintf("the GitRepository is not %s:\n%s", want, status)
	})
	return repo
}

// fetchFails has the source look, and waits until it says why it cannot.
func (l *lab) fetchFails(message string) *sourcev1.GitRepository {
	l.t.Helper()
	l.fetch()
	return l.source("failed with "+message, func(r *sourcev1.GitRepository) bool {
		return r.Status.LastHandledReconcileAt == fmt.Sprint(l.asked) && strings.Contains(conditions.GetMessage(r, sourcev1.FetchFailedCondition), message)
	})
}

// uids are those of the lab's ConfigMaps: one that was pruned and came back
// has another.
func (l *lab) uids() map[string]apitypes.UID {
	l.t.Helper()
	var list corev1.ConfigMapList
	if err := l.client.List(l.t.Context(), &list, client.InNamespace(l.namespace), client.HasLabels{"kustomize.toolkit.fluxcd.io/name"}); err != nil {
		l.t.Fatal(err)
	}
	uids := map[string]apitypes.UID{}
	for _, cm := range list.Items {
		uids[cm.Name] = cm.UID
	}
	return uids
}

// keeps reports what a fault took away.
func (l *lab) keeps(before map[string]apitypes.UID) {
	l.t.Helper()
	after := l.uids()
	for name, uid := range before {
		if after[name] != uid {
			l.t.Errorf("ConfigMap %s was deleted", name)
		}
	}
}

// plain is a ConfigMap without a namespace.
func plain(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  value: %q\n", name, value)
}
