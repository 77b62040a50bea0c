// Package status plays the operators of a cluster by a table: which kind of
// object is given which status, after how long, and which objects an operator
// would make for it.
//
// It promises that an object of a kind in the table ends in the status that
// its consumers wait for, and that Secrets, Services and ConfigMaps that they
// read are there; that an operator whose own pods are there but not ready does
// nothing; and that each operator it plays is recorded as an assumption. The
// table (table.yaml) can be extended and overridden by [Row] values.
//
// A custom kind that no row names is given the condition Ready where its
// definition has room for conditions, since health checks in homelabs ask for
// that by convention; without such room nothing is written, and whoever waits
// takes an object without status for current. Kinds that Hearth reconciles
// itself, and plain configuration, are left alone by rows that say so.
//
// Nothing behind a status is real: no database runs, no certificate is signed
// by anybody, no backup is taken.
package status

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// workers bounds how many objects are seen to at once.
const workers = 32

// StepReconcile is the step under which a row's delay is told.
const StepReconcile = "reconcile"

// Options says which operators are played, and how fast.
type Options struct {
	Gate        *work.Gate
	Objects     *objects.Objects
	Assumptions *domain.Assumptions

	Pace domain.Pace
	Seed uint64

	// Rows come before the table's own; of several for a kind the last holds.
	Rows []Row
	// Simulated is told each delay, at real pace, as it begins. It must be
	// quick, and may be called concurrently. Nil is nobody.
	Simulated func(obj domain.Ref, step string, d time.Duration)
}

// player plays every operator.
type player struct {
	Options
	client client.Client
	log    logr.Logger
	table  *table
	kinds  *kinds
	backs  work.Backoff[string]

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[objects.Key]
	plays map[objects.Key]*play
}

// Setup registers the players with the manager.
func Setup(mgr manager.Manager, o Options) error {
	table, err := newTable(o.Rows)
	if err != nil {
		return fmt.Errorf("set up the stand-in operators: %w", err)
	}
	if o.Simulated == nil {
		o.Simulated = func(domain.Ref, string, time.Duration) {}
	}
	p := &player{
		Options: o,
		client:  mgr.GetClient(),
		log:     mgr.GetLogger().WithName("status"),
		table:   table,
		kinds:   newKinds(),
		plays:   map[objects.Key]*play{},
	}
	if err := p.setupObjects(mgr); err != nil {
		return fmt.Errorf("set up the stand-in operators: %w", err)
	}
	if err := p.setupKinds(mgr); err != nil {
		return fmt.Errorf("set up the stand-in operators: %w", err)
	}
	return nil
}

// setupKinds follows every custom kind that is played, once it is served.
func (p *player) setupKinds(mgr manager.Manager) error {
	skip := true
	return builder.ControllerManagedBy(mgr).
		Named("status-kinds").
		For(&apiextensionsv1.CustomResourceDefinition{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}).
		Complete(work.Reconciler(p.Gate, reconcile.Func(p.reconcileKind)))
}

// setupObjects sees to every object of a kind that is followed, by whomever.
func (p *player) setupObjects(mgr manager.Manager) error {
	skip := true
	c, err := controller.NewTyped("status", mgr, controller.TypedOptions[objects.Key]{
		MaxConcurrentReconciles: workers,
		SkipNameValidation:      &skip,
		Reconciler:              reconcile.TypedFunc[objects.Key](p.reconcileHolding),
	})
	if err != nil {
		return err
	}
	p.Objects.Listen(p.changed)
	err = c.Watch(source.TypedFunc[objects.Key](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[objects.Key]) error {
		p.start(queue)
		return nil
	}))
	if err != nil {
		return err
	}
	return c.Watch(source.TypedKind(mgr.GetCache(), &corev1.Pod{},
		handler.TypedEnqueueRequestsFromMapFunc(p.waitingForPods)))
}

// reconcileHolding lets every call hold a slot of the gate.
func (p *player) reconcileHolding(ctx context.Context, key objects.Key) (reconcile.Result, error) {
	ctx, leave, err := p.Gate.Enter(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	defer leave()
	return p.reconcile(ctx, key)
}

// start takes what has changed before the queue was there.
func (p *player) start(queue workqueue.TypedRateLimitingInterface[objects.Key]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = queue
	for key := range p.plays {
		queue.Add(key)
	}
}

// changed hears of every change of every followed kind.
func (p *player) changed(change objects.Change) {
	if !p.kinds.played(change.Key.GroupVersionKind) {
		return
	}
	if change.New != nil {
		p.see(change.Key)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plays[change.Key] != nil && p.queue != nil {
		p.queue.Add(change.Key)
	}
}

// see sees to an object that exists.
func (p *player) see(key objects.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plays[key] == nil {
		p.plays[key] = &play{end: func() {}}
	}
	if p.queue != nil {
		p.queue.Add(key)
	}
}
