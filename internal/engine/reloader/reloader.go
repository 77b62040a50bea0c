// Package reloader restarts workloads whose Secrets or ConfigMaps changed, as
// Stakater's Reloader does: programs read their environment, and most files,
// once only.
//
// Which workloads follow what is said by Reloader's annotations. A restart is
// an annotation of the pod template, written as a field of Reloader's own, so
// that neither Flux nor Helm takes it for drift; the workload's controller
// rolls the pods as for any other change. What changes within a moment, however
// many keys and however many objects, is one restart of each workload. A
// CronJob, whose next run would see the change anyhow, is run once instead. A
// Deployment that names a pause-period is paused that long after a change, and
// then rolled out once for all changes of that time.
//
// Changes are those of the content, not of labels and the like, and those that
// happen while the package watches: the first sight of an object is none. An
// object that is deleted and made anew with other content has changed. No
// digest of a content leaves the package, lest a short value be guessed from it.
package reloader

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// Options says what the reconciler works with. All of it may be left out.
type Options struct {
	// Gate bounds the work, and knows of it.
	Gate *work.Gate

	// All follows every Secret and ConfigMap that a workload uses unless it
	// says otherwise, as Reloader's flag auto-reload-all does.
	All bool

	// IgnoreNamespaces are those whose workloads are never restarted.
	IgnoreNamespaces []string

	// Active is asked before workloads of a namespace are restarted. Where it
	// says no, a change is forgotten: nobody was there to see it. Nil means yes.
	Active func(ctx context.Context, namespace string) bool

	// Settle is how long changes are collected that become one restart; 0
	// means a second.
	Settle time.Duration

	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// fieldManager is who writes, as the API server records it.
const fieldManager = "reloader"

// Setup registers the reconciler with a manager, whose cache it shares.
func Setup(mgr manager.Manager, o Options) error {
	if o.Settle <= 0 {
		o.Settle = time.Second
	}
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor("reloader")
	}
	r := &reconciler{o: o, client: mgr.GetClient(), ledger: newLedger(), backoff: &work.Backoff[string]{}}
	skip := true // several managers of one process have controllers of these names
	return builder.ControllerManagedBy(mgr).Named("reloader").
		Watches(&corev1.Secret{}, r.handler()).
		Watches(&corev1.ConfigMap{}, r.handler()).
		Watches(&appsv1.Deployment{}, handler.EnqueueRequestsFromMapFunc(namespaceOf), builder.WithPredicates(held())).
		WithOptions(controller.Options{MaxConcurrentReconciles: 16, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
}

// namespaceOf asks for the namespace of a Deployment to be looked at, whose
// pause ends one day.
func namespaceOf(_ context.Context, obj client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: obj.GetNamespace()}}}
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// handler notes what happens to the objects that workloads follow. A request
// names a namespace: all its changes are looked at together.
func (r *reconciler) handler() handler.EventHandler {
	changed := func(obj client.Object, q queue) {
		if r.ledger.see(obj) {
			r.ledger.await(obj.GetNamespace(), r.o.Gate.Timer)
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: obj.GetNamespace()}}, r.o.Settle)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { changed(e.Object, q) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) { changed(e.ObjectNew, q) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { r.ledger.gone(e.Object) },
	}
}
