// Package ocisource keeps OCIRepositories up to date as Flux's
// source-controller does: it resolves what spec.ref asks for, stores the layer
// that the layer selector names, and tells it in the status, with Flux's
// conditions, reasons and events.
//
// A poll first asks the registry for the manifest's digest. Where that is
// stored already, and nothing in the spec asks for other content, nothing is
// fetched and nothing is written. What fails leaves the last good artifact where
// it is.
//
// Where an artifact comes from (a mapping, the cache, the network, a stand-in)
// is decided by source.Charts; signatures of what does not come from a registry
// are not looked at. How a registry is read is left to package oci of room
// source; providers that sign in with a cloud's identity are refused.
package ocisource

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

// concurrency is how many repositories are under way at once.
const concurrency = 64

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts, Charts fetches them.
	Store  *source.Store
	Charts *source.Charts
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("ocirepository").
		For(&sourcev1.OCIRepository{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, &reconciler{o: o, client: mgr.GetClient()}))
	if err != nil {
		return fmt.Errorf("setting up the OCIRepository reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]
}
