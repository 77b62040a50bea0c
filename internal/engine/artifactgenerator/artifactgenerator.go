// Package artifactgenerator makes ExternalArtifacts out of other sources, as
// Flux's source-watcher does for its ArtifactGenerators, with its fields,
// conditions, reasons and events.
//
// A source's new artifact wakes the generators that use it at once, and so does
// a change of what they made. A generator whose sources and artifacts are as
// they were writes nothing; one that fails leaves what it made before as it is.
// What it no longer asks for is deleted.
//
// How files are copied, merged and unpacked is left to package compose of room
// source.
package artifactgenerator

import (
	"cmp"
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/foreign"
)

const (
	// fieldManager is who writes, as with Flux.
	fieldManager = "source-watcher"
	// concurrency is how many generators are under way at once.
	concurrency = 16
	// bySource finds generators by a source that they use.
	bySource = "hearth.artifactgenerator.source"
)

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts, and has those of the sources.
	Store *source.Store
	// Artifacts fetches those that others publish; nil makes one for the store.
	Artifacts *foreign.Artifacts
	// NoCrossNamespaceRefs refuses sources of other namespaces.
	NoCrossNamespaceRefs bool
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(fieldManager)
	}
	r := newReconciler(mgr.GetClient(), mgr.GetAPIReader(), o)
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &generator.ArtifactGenerator{}, bySource, func(obj client.Object) []string {
		return sourcesOf(obj.(*generator.ArtifactGenerator))
	})
	if err != nil {
		return fmt.Errorf("setting up the ArtifactGenerator reconciler: %w", err)
	}
	skip := true
	b := builder.ControllerManagedBy(mgr).Named("artifactgenerator").
		For(&generator.ArtifactGenerator{}, builder.WithPredicates(predicate.Or[client.Object](
			predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}, switched))).
		Watches(&sourcev1.ExternalArtifact{}, handler.Funcs{
			CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { r.made(e.Object, q) },
			UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { r.made(e.ObjectNew, q) },
			DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
				r.made(e.Object, q)
				r.o.Store.Release(refOf(client.ObjectKeyFromObject(e.Object)))
			},
		})
	for kind, obj := range map[string]client.Object{
		sourcev1.GitRepositoryKind: &sourcev1.GitRepository{}, sourcev1.OCIRepositoryKind: &sourcev1.OCIRepository{},
		sourcev1.BucketKind: &sourcev1.Bucket{}, sourcev1.HelmChartKind: &sourcev1.HelmChart{},
		sourcev1.ExternalArtifactKind: &sourcev1.ExternalArtifact{},
	} {
		b = b.Watches(obj, handler.EnqueueRequestsFromMapFunc(r.users(kind)), builder.WithPredicates(artifactChanged))
	}
	err = b.WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the ArtifactGenerator reconciler: %w", err)
	}
	return nil
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

type reconciler struct {
	o       Options
	client  client.Client // reads from the shared cache
	live    client.Reader // reads from the server
	backoff work.Backoff[types.NamespacedName]
}

func newReconciler(c client.Client, live client.Reader, o Options) *reconciler {
	if o.Artifacts == nil {
		o.Artifacts = foreign.New(o.Store)
	}
	return &reconciler{o: o, client: c, live: live}
}

func refOf(key types.NamespacedName) domain.Ref {
	return domain.Ref{Kind: sourcev1.ExternalArtifactKind, Namespace: key.Namespace, Name: key.Name}
}

// sourcesOf names the sources of a generator.
func sourcesOf(obj *generator.ArtifactGenerator) []string {
	var names []string
	for _, s := range obj.Spec.Sources {
		names = append(names, s.Kind+"/"+cmp.Or(s.Namespace, obj.Namespace)+"/"+s.Name)
	}
	return names
}

// users returns the generators that use a source.
func (r *reconciler) users(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		var list generator.ArtifactGeneratorList
		if err := r.client.List(ctx, &list, client.MatchingFields{bySource: kind + "/" + obj.GetNamespace() + "/" + obj.GetName()}); err != nil {
			return nil // the cache is stopping
		}
		var requests []reconcile.Request
		for i := range list.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
		return requests
	}
}

// made queues the generator that made an artifact.
func (r *reconciler) made(obj client.Object, q queue) {
	if a, ok := obj.(*sourcev1.ExternalArtifact); ok && a.Spec.SourceRef != nil && a.Spec.SourceRef.Kind == generator.ArtifactGeneratorKind {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.SourceRef.Name}})
	}
}

// artifactChanged passes sources that have another artifact than before.
var artifactChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(sourcev1.Source)
		after, also := e.ObjectNew.(sourcev1.Source)
		return ok && also && !sameArtifact(before.GetArtifact(), after.GetArtifact())
	},
}

func sameArtifact(a, b *meta.Artifact) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Digest == b.Digest && a.Revision == b.Revision && a.URL == b.URL
}

// switched passes generators that are turned on or off.
var switched = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*generator.ArtifactGenerator)
		after, also := e.ObjectNew.(*generator.ArtifactGenerator)
		return ok && also && before.IsDisabled() != after.IsDisabled()
	},
}
