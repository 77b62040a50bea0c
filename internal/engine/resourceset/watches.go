package resourceset

import (
	"context"
	"maps"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	crsource "sigs.k8s.io/controller-runtime/pkg/source"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// register adds the controller and all it listens to.
func (r *reconciler) register(mgr manager.Manager) error {
	r.o.Objects.Listen(r.objectChanged)
	definitions := &metav1.PartialObjectMetadata{}
	definitions.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	skip := true
	return builder.ControllerManagedBy(mgr).Named("resourceset").
		Watches(&fluxcdv1.ResourceSet{}, handler.EnqueueRequestsFromMapFunc(r.setChanged), builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, going))).
		Watches(&fluxcdv1.ResourceSetInputProvider{}, handler.EnqueueRequestsFromMapFunc(r.providerChanged), builder.WithPredicates(exportChanged)).
		WatchesMetadata(definitions, handler.EnqueueRequestsFromMapFunc(r.definitionChanged)).
		WatchesRawSource(crsource.Func(r.start)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(r.o.Gate, r))
}

// start is given the queue when the controller starts.
func (r *reconciler) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = queue
	return nil
}

// going admits objects that are being deleted.
var going = predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetDeletionTimestamp() != nil })

// exportChanged admits providers with other inputs, or other labels to be
// selected by.
var exportChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*fluxcdv1.ResourceSetInputProvider), e.ObjectNew.(*fluxcdv1.ResourceSetInputProvider)
	return before.Status.LastExportedRevision != after.Status.LastExportedRevision ||
		!maps.Equal(before.Labels, after.Labels)
}}

// setChanged queues a set, and ends the wait of the reconcile under way.
func (r *reconciler) setChanged(_ context.Context, obj client.Object) []reconcile.Request {
	return r.wake(client.ObjectKeyFromObject(obj))
}

func (r *reconciler) wake(names ...types.NamespacedName) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range names {
		r.interrupts.Interrupt(name)
		requests = append(requests, reconcile.Request{NamespacedName: name})
	}
	return requests
}

// providerChanged queues the sets of a namespace that take a provider's inputs.
func (r *reconciler) providerChanged(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.wakeWhere(ctx, func(set *fluxcdv1.ResourceSet) bool {
		return slices.ContainsFunc(set.Spec.InputsFrom, func(from fluxcdv1.InputsFrom) bool {
			// A provider whose labels have changed may have been selected before.
			return from.Name == obj.GetName() || from.Selector != nil
		})
	}, client.InNamespace(obj.GetNamespace()))
}

// definitionChanged queues the sets that failed: a kind they miss may have come.
func (r *reconciler) definitionChanged(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.wakeWhere(ctx, func(set *fluxcdv1.ResourceSet) bool {
		switch conditions.GetReason(set, meta.ReadyCondition) {
		case meta.ReconciliationFailedReason, meta.DependencyNotReadyReason:
			return conditions.IsFalse(set, meta.ReadyCondition)
		}
		return false
	})
}

func (r *reconciler) wakeWhere(ctx context.Context, want func(*fluxcdv1.ResourceSet) bool, options ...client.ListOption) []reconcile.Request {
	var list fluxcdv1.ResourceSetList
	if err := r.client.List(ctx, &list, options...); err != nil {
		return nil // the cache is stopping
	}
	var names []types.NamespacedName
	for i := range list.Items {
		if want(&list.Items[i]) {
			names = append(names, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	return r.wake(names...)
}

// objectChanged is told of every change of every object that is followed, and
// queues the sets that depend on it, or take data from it.
func (r *reconciler) objectChanged(change objects.Change) {
	r.mu.Lock()
	queue := r.queue
	r.mu.Unlock()
	if queue == nil {
		return
	}
	names := r.dependencies.Of(change.Key)
	if dataChanged(change) {
		names = append(names, r.sources.Of(change.Key)...)
	}
	for _, request := range r.wake(names...) {
		queue.Add(request)
	}
}
