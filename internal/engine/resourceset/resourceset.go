// Package resourceset makes the cluster follow ResourceSets: it combines the
// inputs of the set and of its providers, makes objects of its templates,
// applies them in the set's name, step by step, and removes what the set no
// longer makes, with flux-operator's fields, conditions, messages and events.
//
// A new export of a provider, a changed dependency, a ConfigMap or Secret that
// data or a checksum was taken from: all of them wake the set at once. A set
// that cannot be built, or not be applied as a whole, removes nothing. Objects
// are applied, and sources of data read, with the rights of the service account
// that the set names.
//
// Executing templates is left to render/resourceset, and where inputs come
// from to inputprovider.
package resourceset

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
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
	ownerGroup = "resourceset.fluxcd.controlplane.io"

	defaultInterval = time.Hour
	defaultTimeout  = 5 * time.Minute
	// buildTimeout bounds how long templates are executed.
	buildTimeout = time.Minute
	// concurrency is how many sets are under way at once.
	concurrency = 64
)

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Objects reads objects and tells when they change.
	Objects *objects.Objects
	// Index knows where in Git a set stands, and is told that the objects it
	// makes stand there; nil is neither.
	Index *render.Index
	// UnknownKind is asked about a kind that the server does not know, before
	// an apply fails on it; place is where the set stands. It reports whether
	// the server knows the kind now, or will in a moment. Nil knows none.
	UnknownKind func(ctx context.Context, gvk schema.GroupVersionKind, place domain.Place) (handled bool, err error)
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(fluxoperator.FieldManager)
	}
	r := &reconciler{
		o:       o,
		client:  mgr.GetClient(),
		reader:  mgr.GetAPIReader(),
		clients: fluxoperator.NewClients(mgr),
		desk: &fluxoperator.Desk[*fluxcdv1.ResourceSet]{
			Client: mgr.GetClient(), Recorder: o.Recorder,
			New: func() *fluxcdv1.ResourceSet { return &fluxcdv1.ResourceSet{} },
		},
	}
	if err := r.register(mgr); err != nil {
		return fmt.Errorf("setting up the ResourceSet reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client // reads from the shared cache
	reader  client.Reader // reads from the server
	clients *fluxoperator.Clients
	desk    *fluxoperator.Desk[*fluxcdv1.ResourceSet]

	interrupts   fluxoperator.Interrupts
	dependencies fluxoperator.Interest
	sources      fluxoperator.Interest // of data

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}
