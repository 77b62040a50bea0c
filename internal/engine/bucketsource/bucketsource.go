// Package bucketsource keeps Buckets up to date as Flux's source-controller
// does: it stores what an S3-compatible object storage holds, and tells it in
// their status with Flux's conditions, reasons and events.
//
// A poll lists the bucket's objects. Where they are those that are stored,
// nothing is downloaded and nothing is written. What fails leaves the last good
// artifact where it is.
//
// How objects are fetched is left to package bucket of room source. Who would
// have to sign in with a cloud's identity, and storage that speaks another
// language than S3, is refused.
package bucketsource

import (
	"fmt"

	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// concurrency is how many buckets are under way at once.
const concurrency = 16

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts.
	Store *source.Store
	// Offline makes every bucket fail, since it would have to be fetched.
	Offline bool
	// RefusePrivate refuses servers on private networks and on this machine.
	// Link-local and metadata addresses are always refused.
	RefusePrivate bool
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("bucket").
		For(&sourcev1.Bucket{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, &reconciler{o: o, client: mgr.GetClient()}))
	if err != nil {
		return fmt.Errorf("setting up the Bucket reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]
}
