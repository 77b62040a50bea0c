// Package operator is the ground on which stand-ins for operators stand: it
// follows the custom kinds that a part plays as soon as they are served, calls
// the part when one of their objects changes, and keeps it from working while
// the operator's own pods do not run.
//
// It promises that a part sees an object only while its operator works: one of
// the operator's pods is ready and no operator-down is on; that a part is
// called again when that changes, when a fault begins or is lifted, and when
// something that it names is changed; that simulated durations are told once
// and count as progress; and that what the server refuses is not tried for
// ever. What an operator does for an object is the part's own.
package operator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// workers bounds how many objects of one part are seen to at once.
const workers = 32

// StepReconcile is the step under which an operator's delay is told.
const StepReconcile = "reconcile"

// Options says what all parts work with.
type Options struct {
	Gate        *work.Gate
	Objects     *objects.Objects
	Assumptions *domain.Assumptions
	Faults      *domain.Faults

	Pace domain.Pace
	Seed uint64
	// Simulated is told each duration, at real pace, as it begins. It must be
	// quick, and may be called concurrently. Nil is nobody.
	Simulated func(obj domain.Ref, step string, d time.Duration)
}

// Role is what a part plays for one kind.
type Role struct {
	// Operator is who is played, as assumptions and faults name it.
	Operator string
	// Pods selects the operator's own pods, in any namespace. Where it selects
	// none, Images says by the end of an image's name which they are. An
	// operator with neither has no pods, and always works.
	Pods   labels.Selector
	Images []string
	// Own is the part's own.
	Own any
}

// Part plays the operators of some kinds. Its functions may be called
// concurrently, but never twice at once for one object.
type Part struct {
	// Name names the part's controllers.
	Name string
	// Plays returns what the part plays for the objects of a definition, in
	// the version that is stored; nil is nothing.
	Plays func(crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion) *Role
	// See sees to one object that is there and is not being deleted.
	See func(ctx context.Context, v *Visit) (reconcile.Result, error)
	// Follows are the kinds of other objects that the part finds, or makes: an
	// object is seen again when one that it has looked for, or one that it
	// controls, has changed.
	Follows []schema.GroupVersionKind
}

// stage runs one part.
type stage struct {
	Options
	part   Part
	client client.Client
	log    logr.Logger
	kinds  kinds
	backs  work.Backoff[string]

	mu     sync.Mutex
	queue  workqueue.TypedRateLimitingInterface[objects.Key]
	states map[objects.Key]*state
	wanted wanted
}

// state is how far one object has come.
type state struct {
	waiting  bool // for the operator
	refused  int64
	end      func() // ends the simulated duration that runs; never nil
	delays   map[string]delay
	memory   any
	happened map[string]bool
}

// Setup registers a part with the manager.
func Setup(mgr manager.Manager, o Options, part Part) error {
	if o.Simulated == nil {
		o.Simulated = func(domain.Ref, string, time.Duration) {}
	}
	s := &stage{
		Options: o, part: part,
		client: mgr.GetClient(), log: mgr.GetLogger().WithName(part.Name),
		states: map[objects.Key]*state{}, wanted: wanted{},
	}
	err := errors.Join(s.setupObjects(mgr), s.setupKinds(mgr), mgr.Add(manager.RunnableFunc(s.followFaults)), mgr.Add(manager.RunnableFunc(s.follow)))
	if err != nil {
		return fmt.Errorf("set up the stand-in %s: %w", part.Name, err)
	}
	return nil
}

// setupKinds follows every custom kind that is played, once it is served.
func (s *stage) setupKinds(mgr manager.Manager) error {
	skip := true
	return builder.ControllerManagedBy(mgr).
		Named(s.part.Name + "-kinds").
		For(&apiextensionsv1.CustomResourceDefinition{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}).
		Complete(work.Reconciler(s.Gate, reconcile.Func(s.reconcileKind)))
}

// setupObjects sees to every object of a kind that is followed, by whomever.
func (s *stage) setupObjects(mgr manager.Manager) error {
	skip := true
	c, err := controller.NewTyped(s.part.Name, mgr, controller.TypedOptions[objects.Key]{
		MaxConcurrentReconciles: workers,
		SkipNameValidation:      &skip,
		Reconciler:              reconcile.TypedFunc[objects.Key](s.reconcileHolding),
	})
	if err != nil {
		return err
	}
	s.Objects.Listen(s.changed)
	err = c.Watch(source.TypedFunc[objects.Key](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[objects.Key]) error {
		s.start(queue)
		return nil
	}))
	if err != nil {
		return err
	}
	return c.Watch(source.TypedKind(mgr.GetCache(), &corev1.Pod{},
		handler.TypedEnqueueRequestsFromMapFunc(s.waitingForPods)))
}

// follow makes the cache follow the further kinds.
func (s *stage) follow(ctx context.Context) error {
	for _, gvk := range s.part.Follows {
		if err := s.Objects.Follow(ctx, gvk); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// followFaults looks at everything again when a fault begins or is lifted.
func (s *stage) followFaults(ctx context.Context) error {
	s.Faults.Follow(ctx, func(context.Context) { s.again() })
	return nil
}

// again looks at everything again.
func (s *stage) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.states {
		if s.queue != nil {
			s.queue.Add(key)
		}
	}
}

// start takes what has changed before the queue was there.
func (s *stage) start(queue workqueue.TypedRateLimitingInterface[objects.Key]) {
	s.mu.Lock()
	s.queue = queue
	s.mu.Unlock()
	s.again()
}

// changed hears of every change of every followed kind.
func (s *stage) changed(change objects.Change) {
	for _, key := range s.concerned(change) {
		s.look(key)
	}
	if !s.kinds.played(change.Key.GroupVersionKind) {
		return
	}
	if change.New != nil {
		s.see(change.Key)
		return
	}
	s.look(change.Key)
}

// see sees to an object that exists.
func (s *stage) see(key objects.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stateOf(key)
	if s.queue != nil {
		s.queue.Add(key)
	}
}

// look looks at an object again, if it is known. Its version does not count:
// others may know it by another.
func (s *stage) look(key objects.Key) {
	gvk, ok := s.kinds.resolve(key.GroupVersionKind)
	if !ok {
		return
	}
	key.GroupVersionKind = gvk
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[key] != nil && s.queue != nil {
		s.queue.Add(key)
	}
}

// stateOf returns an object's state; the lock is held.
func (s *stage) stateOf(key objects.Key) *state {
	if s.states[key] == nil {
		s.states[key] = &state{end: func() {}, delays: map[string]delay{}, happened: map[string]bool{}}
	}
	return s.states[key]
}

// waitingForPods returns the objects that wait for an operator: this pod may
// be the operator's.
func (s *stage) waitingForPods(_ context.Context, _ *corev1.Pod) []objects.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []objects.Key
	for key, one := range s.states {
		if one.waiting {
			keys = append(keys, key)
		}
	}
	return keys
}
