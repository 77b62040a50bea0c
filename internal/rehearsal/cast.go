package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/charts"
	"hearth/internal/engine/artifactgenerator"
	"hearth/internal/engine/bucketsource"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/engine/fluxinstance"
	"hearth/internal/engine/gitsource"
	"hearth/internal/engine/helmfile"
	"hearth/internal/engine/helmrelease"
	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/engine/helmsource"
	"hearth/internal/engine/inputprovider"
	"hearth/internal/engine/kustomization"
	"hearth/internal/engine/notification"
	"hearth/internal/engine/ocisource"
	"hearth/internal/engine/reloader"
	"hearth/internal/engine/resourceset"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/onepassword"
	"hearth/internal/render/helm"
	"hearth/internal/secrets"
	"hearth/internal/source"
	"hearth/internal/source/foreign"
)

// engine is what makes the cluster follow the repository.
type engine struct {
	client    client.Client
	store     *source.Store
	charts    *source.Charts
	loaded    *helm.Charts
	installer *helmfile.Installer
	changed   chan struct{}

	vault     *onepassword.Server
	vaultFile string
	vaultURL  string
	assumer   *onepassword.Assumer
	gate      *secrets.Gate // nil without a lock
	plan      func(ctx context.Context) *secrets.Plan
	trigger   externalsecret.Trigger
}

// refresh says that the working tree has changed.
func (e *engine) refresh() {
	select {
	case e.changed <- struct{}{}:
	default: // one that is on its way serves as well
	}
}

// countNodes returns how many nodes the cluster has.
func (e *engine) countNodes() (int, error) {
	var nodes corev1.NodeList
	err := e.client.List(context.Background(), &nodes)
	return len(nodes.Items), err
}

// cast gives every part to somebody: the reconcilers of the engine, and the
// stand-ins.
func (s *Stage) cast(ctx context.Context, mgr manager.Manager, services *serviceResolver) error {
	e := &engine{client: mgr.GetClient(), loaded: &helm.Charts{}, changed: make(chan struct{}, 1)}
	s.engine = e
	if err := s.openSources(ctx, e); err != nil {
		return err
	}
	if err := s.openVault(ctx, e); err != nil {
		return err
	}
	connection, err := helmkube.Connect(mgr.GetConfig(), mgr.GetRESTMapper(), s.objects)
	if err != nil {
		return err
	}
	e.installer = &helmfile.Installer{
		Config: mgr.GetConfig(), Connection: connection,
		UnknownKind: s.unknownBootstrapKind, Timeout: bootstrapWait,
	}
	return errors.Join(s.castEngine(mgr, e), s.castNames(ctx, mgr), s.castStandIns(mgr, services))
}

// openSources opens where artifacts and charts come from.
func (s *Stage) openSources(ctx context.Context, e *engine) error {
	dir := s.options.StateDir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "hearth-artifacts-"); err != nil {
			return fmt.Errorf("make a folder for artifacts: %w", err)
		}
		s.closed = append(s.closed, func() error { return os.RemoveAll(dir) })
	}
	var err error
	if e.store, err = source.OpenStore(filepath.Join(dir, "artifacts")); err != nil {
		return err
	}
	if err := e.store.Serve(ctx); err != nil {
		return err
	}
	e.charts, err = source.NewCharts(source.ChartOptions{
		Mapping:       s.chartMapping(),
		Root:          s.repository.Root,
		CacheDir:      s.options.CacheDir,
		Embedded:      charts.FS,
		Offline:       s.options.Offline,
		Reach:         s.reachable,
		StandIn:       s.options.Offline,
		RefusePrivate: s.options.RefusePrivate,
		Assumptions:   s.assumptions,
	})
	if err != nil {
		return &MisuseError{err}
	}
	return nil
}

// chartMapping joins what the command line maps with what .hearth.yaml does;
// the former wins, and its folders are relative to where the user stands.
func (s *Stage) chartMapping() map[string]string {
	mapping := map[string]string{}
	for url, target := range s.repository.Config.Sources {
		mapping[url] = target
	}
	for url, target := range s.options.Sources {
		if abs, err := filepath.Abs(target); err == nil && !isEmbedded(target) {
			target = abs
		}
		mapping[url] = target
	}
	return mapping
}

func isEmbedded(target string) bool { return len(target) > 7 && target[:7] == "hearth:" }

// castEngine registers the reconcilers.
func (s *Stage) castEngine(mgr manager.Manager, e *engine) error {
	news, err := notification.Setup(mgr, notification.Options{
		Gate: s.gate, Deliver: s.options.Notify, AllowPrivate: s.options.AllowPrivate, NoCrossNamespaceRefs: s.options.NoCrossNamespaceRefs,
	})
	if err != nil {
		return err
	}
	s.hooks = news.Server()
	sources := news.Recorder(sourcestate.FieldManager)
	artifacts := foreign.New(e.store)
	return errors.Join(
		gitsource.Setup(mgr, gitsource.Options{
			Gate: s.gate, Store: e.store, Overrides: s.overrides(), Refresh: e.changed, Offline: s.options.Offline,
			Reach: s.gitReachable, RefusePrivate: s.options.RefusePrivate, Recorder: sources,
		}),
		bucketsource.Setup(mgr, bucketsource.Options{
			Gate: s.gate, Store: e.store, Offline: s.options.Offline, RefusePrivate: s.options.RefusePrivate, Recorder: sources,
		}),
		artifactgenerator.Setup(mgr, artifactgenerator.Options{
			Gate: s.gate, Store: e.store, Artifacts: artifacts, NoCrossNamespaceRefs: s.options.NoCrossNamespaceRefs,
			Recorder: news.Recorder("source-watcher"),
		}),
		ocisource.Setup(mgr, ocisource.Options{Gate: s.gate, Store: e.store, Charts: e.charts, Recorder: sources}),
		helmsource.Setup(mgr, helmsource.Options{Gate: s.gate, Store: e.store, Charts: e.charts, Recorder: sources}),
		kustomization.Setup(mgr, kustomization.Options{
			Gate: s.gate, Objects: s.objects, Store: e.store, Artifacts: artifacts, Index: s.index, UnknownKind: s.unknownKind, Offline: s.options.Offline,
			NoCrossNamespaceRefs: s.options.NoCrossNamespaceRefs, Jitter: s.options.Jitter, LateKeys: true,
			Recorder: news.Recorder("kustomize-controller"),
		}),
		helmrelease.Setup(mgr, helmrelease.Options{
			Gate: s.gate, Objects: s.objects, Store: e.store, Artifacts: artifacts, Charts: e.loaded, Index: s.index, UnknownKind: s.unknownKind,
			NoCrossNamespaceRefs: s.options.NoCrossNamespaceRefs,
			Recorder:             news.Recorder("helm-controller"),
		}),
		fluxinstance.Setup(mgr, fluxinstance.Options{
			Gate: s.gate, Objects: s.objects, Index: s.index, Assumptions: s.assumptions, Recorder: news.Recorder("flux-operator"),
		}),
		resourceset.Setup(mgr, resourceset.Options{
			Gate: s.gate, Objects: s.objects, Index: s.index, UnknownKind: s.unknownKind, Recorder: news.Recorder("flux-operator"),
		}),
		inputprovider.Setup(mgr, inputprovider.Options{
			Gate: s.gate, Offline: s.options.Offline, Assumptions: s.assumptions, Recorder: news.Recorder("flux-operator"),
		}),
		externalsecret.Setup(mgr, externalsecret.Options{
			Gate: s.gate, Seed: s.options.Seed, Connect: e.connect, Available: s.available, Prepare: e.prepare,
			Assumptions: s.assumptions, Trigger: &e.trigger, OtherKinds: e.allowsOtherKinds,
		}),
		reloader.Setup(mgr, reloader.Options{Gate: s.gate, Active: e.runsReloader, Recorder: mgr.GetEventRecorderFor("reloader")}),
	)
}

// runsReloader reports whether a release of the cluster is Reloader's.
func (e *engine) runsReloader(ctx context.Context, _ string) bool {
	var releases helmv2.HelmReleaseList
	if err := e.client.List(ctx, &releases, client.UnsafeDisableDeepCopy); err != nil {
		return false // the cache is stopping
	}
	return slices.ContainsFunc(releases.Items, func(r helmv2.HelmRelease) bool {
		return r.Name == reloaderChart || r.Spec.Chart != nil && r.Spec.Chart.Spec.Chart == reloaderChart
	})
}

// reloaderChart is the name of Reloader's chart, and usually of its release.
const reloaderChart = "reloader"

// overrides lead the entry's source, and every other one of the same
// repository, to the working tree.
func (s *Stage) overrides() []gitsource.Override {
	entry := s.cluster.Entry
	name := types.NamespacedName{Namespace: entry.Namespace, Name: entry.Name}
	for _, obj := range entry.Objects() {
		if obj.GetKind() == entry.Kind {
			name = types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
		}
	}
	return []gitsource.Override{{Name: name, URL: entry.URL, Folder: s.repository.Root}}
}
