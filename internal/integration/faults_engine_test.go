package integration_test

import (
	"context"
	"fmt"
	"path/filepath"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/charts"
	"hearth/internal/engine/gitsource"
	"hearth/internal/engine/helmrelease"
	"hearth/internal/engine/kustomization"
	"hearth/internal/engine/ocisource"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/render/helm"
	"hearth/internal/source"
)

// labEngine is what reconciles a lab: sources, Kustomizations and HelmReleases of
// one namespace, over one connection, with all it keeps on disk in one folder.
type labEngine struct {
	Config    *rest.Config
	Namespace string
	Folder    string
}

// prepare makes the engine ready to be started. It needs no test, so that a
// process of its own may run it.
func (e labEngine) prepare() (manager.Manager, error) {
	ctrllog.SetLogger(logr.Discard())
	own := cache.ByObject{Namespaces: map[string]cache.Config{e.Namespace: {}}}
	skip := true
	mgr, err := manager.New(e.Config, manager.Options{
		Scheme:     scheme.New(),
		Logger:     logr.Discard(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&kustomizev1.Kustomization{}: own, &helmv2.HelmRelease{}: own, &sourcev1.GitRepository{}: own,
				&sourcev1.OCIRepository{}: own, &sourcev1.Bucket{}: own, &sourcev1.ExternalArtifact{}: own,
				&sourcev1.HelmRepository{}: own, &sourcev1.HelmChart{}: own,
			},
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return nil, err
	}
	store, err := source.OpenStore(filepath.Join(e.Folder, "store"))
	if err != nil {
		return nil, err
	}
	from, err := source.NewCharts(source.ChartOptions{CacheDir: filepath.Join(e.Folder, "charts"), Embedded: charts.FS})
	if err != nil {
		return nil, err
	}
	gate, index := work.NewGate(4), &render.Index{}
	seen := objects.New(mgr.GetCache(), mgr.GetScheme())
	for name, err := range map[string]error{
		"gitsource":     gitsource.Setup(mgr, gitsource.Options{Gate: gate, Store: store}),
		"ocisource":     ocisource.Setup(mgr, ocisource.Options{Gate: gate, Store: store, Charts: from}),
		"kustomization": kustomization.Setup(mgr, kustomization.Options{Gate: gate, Objects: seen, Store: store, Index: index}),
		"helmrelease":   helmrelease.Setup(mgr, helmrelease.Options{Gate: gate, Objects: seen, Store: store, Charts: &helm.Charts{}, Index: index}),
	} {
		if err != nil {
			return nil, fmt.Errorf("set up %s: %w", name, err)
		}
	}
	return mgr, nil
}

// run runs the engine until the context ends.
func (e labEngine) run(ctx context.Context) error {
	mgr, err := e.prepare()
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}
