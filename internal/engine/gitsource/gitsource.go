// Package gitsource keeps GitRepositories up to date as Flux's
// source-controller does: it stores what their reference points at and tells
// it in their status, with Flux's conditions, reasons and events.
//
// A poll first asks the server what it has. Where that is stored already, and
// nothing in the spec asks for other content, nothing is fetched and nothing is
// written. What fails leaves the last good artifact where it is.
//
// A repository may be overridden by a folder on disk, as a rehearsal does with
// the homelab it plays: then the folder's working tree is what it serves, as it
// is now, committed or not, and its signatures are not looked at. Other
// repositories are fetched, unless the process works offline. How is left to
// package git of room source; providers that sign in with a cloud's identity
// are refused.
package gitsource

import (
	"context"
	"fmt"
	"sync"

	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	crsource "sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/githubapp"
)

// concurrency is how many repositories are under way at once.
const concurrency = 32

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts.
	Store *source.Store
	// Overrides are served from disk; the first that fits counts.
	Overrides []Override
	// Refresh is sent a value when an overridden folder may have changed. Nil
	// means that folders are looked at again at the repository's interval only.
	Refresh <-chan struct{}
	// Reach, if set, is asked before a repository's URL is, overridden or not.
	// Its error stands for the server's answer.
	Reach func(url string) error
	// Offline makes a repository that would have to be fetched fail.
	Offline bool
	// RefusePrivate refuses servers on private networks and on this machine.
	// Link-local and metadata addresses are always refused, and so is whatever
	// private address a public server leads to.
	RefusePrivate bool
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	r := newReconciler(mgr.GetClient(), o)
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("gitrepository").
		For(&sourcev1.GitRepository{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		Watches(&sourcev1.GitRepository{}, handler.EnqueueRequestsFromMapFunc(r.includers), builder.WithPredicates(artifactChanged)).
		WatchesRawSource(crsource.Func(r.followRefresh)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip, RateLimiter: work.Limiter()}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the GitRepository reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]
	apps    githubapp.Tokens

	mu         sync.Mutex
	overridden map[types.NamespacedName]bool
	trees      map[string]*source.WorkingTree
}

func newReconciler(c client.Client, o Options) *reconciler {
	return &reconciler{o: o, client: c, overridden: map[types.NamespacedName]bool{}, trees: map[string]*source.WorkingTree{}}
}

// followRefresh queues the overridden repositories whenever their folders may
// have changed.
func (r *reconciler) followRefresh(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	if r.o.Refresh == nil {
		return nil
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-r.o.Refresh:
				if !ok {
					return
				}
				for _, key := range r.overriddenKeys() {
					queue.Add(reconcile.Request{NamespacedName: key})
				}
			}
		}
	}()
	return nil
}
