// Package fluxinstance plays flux-operator's part for FluxInstances. Hearth is
// Flux's controllers itself, so that an instance installs none: it applies the
// source and the Kustomization that the cluster syncs, the Services and network
// policies by which others reach the controllers, and reports, with the fields,
// conditions and events of flux-operator. What of a spec concerns only the
// controllers' Pods is told, once for each spec.
//
// Deleting an instance takes away what it applied and leaves alone what the
// cluster synced. The package also keeps the FluxReport that stands beside an
// instance.
package fluxinstance

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/render"
)

const (
	// ownerGroup prefixes the labels of applied objects.
	ownerGroup = "fluxcd.controlplane.io"

	defaultInterval = time.Hour
	defaultTimeout  = 5 * time.Minute
)

// Options are what the reconcilers work with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Objects reads objects and tells when they change.
	Objects *objects.Objects
	// Index knows where in Git an instance stands, and is told that what it
	// applies stands there; nil is neither.
	Index *render.Index
	// Assumptions is told what of an instance has no effect here; nil is not.
	Assumptions *domain.Assumptions
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
	// Version is that of Hearth, for reports; "" means what the build says.
	Version string
}

// Setup registers the reconcilers with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(fluxoperator.FieldManager)
	}
	if info, ok := debug.ReadBuildInfo(); ok && o.Version == "" {
		o.Version = info.Main.Version
	}
	r := &reconciler{
		o:       o,
		client:  mgr.GetClient(),
		reader:  mgr.GetAPIReader(),
		clients: fluxoperator.NewClients(mgr),
		desk: &fluxoperator.Desk[*fluxcdv1.FluxInstance]{
			Client: mgr.GetClient(), Recorder: o.Recorder,
			New: func() *fluxcdv1.FluxInstance { return &fluxcdv1.FluxInstance{} },
		},
	}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("fluxinstance").
		Watches(&fluxcdv1.FluxInstance{}, handler.EnqueueRequestsFromMapFunc(r.changed), builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{},
				predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetDeletionTimestamp() != nil })))).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the FluxInstance reconciler: %w", err)
	}
	server, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("setting up the FluxReport reconciler: %w", err)
	}
	if err := setupReport(mgr, &reporter{o: o, client: mgr.GetClient(), server: server}); err != nil {
		return fmt.Errorf("setting up the FluxReport reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o          Options
	client     client.Client // reads from the shared cache
	reader     client.Reader // reads from the server
	clients    *fluxoperator.Clients
	desk       *fluxoperator.Desk[*fluxcdv1.FluxInstance]
	interrupts fluxoperator.Interrupts
	told       told
}

func (r *reconciler) changed(_ context.Context, obj client.Object) []reconcile.Request {
	name := client.ObjectKeyFromObject(obj)
	r.interrupts.Interrupt(name)
	return []reconcile.Request{{NamespacedName: name}}
}

// told remembers for which generation of an instance it was told what has no
// effect.
type told struct {
	mu sync.Mutex
	of map[types.UID]int64
}

// first reports whether it is to be told now.
func (t *told) first(obj *fluxcdv1.FluxInstance) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[types.UID]int64{}
	}
	if t.of[obj.UID] == obj.Generation {
		return false
	}
	t.of[obj.UID] = obj.Generation
	return true
}
