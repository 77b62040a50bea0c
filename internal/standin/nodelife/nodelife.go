// Package nodelife plays what a controller manager does about nodes: it
// notices that one stopped answering, taints nodes by their conditions, and
// evicts the pods that do not tolerate a taint.
//
// It promises the words and the order of the real node lifecycle and taint
// eviction controllers: conditions turn Unknown after the grace period, pods
// are no longer ready, taints come, and pods are marked for deletion once they
// have tolerated a taint for as long as they said. What the two of them wait
// for is a simulated duration, so that nobody has to wait five minutes. That a
// pod of a lost node really ends is left to the node's kubelet, as in life.
package nodelife

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// gracePeriod is how long a node may be silent before it is taken for lost.
const gracePeriod = 50 * time.Second

// Options says how fast nodes are lost, and which are.
type Options struct {
	Gate *work.Gate
	// Pace is how fast the grace period and tolerations are played.
	Pace domain.Pace
	// Faults say which nodes do not answer; nil is none.
	Faults *domain.Faults
}

// watch is what looks after the nodes.
type watch struct {
	Options
	client   client.Client
	recorder record.EventRecorder
	changed  chan event.GenericEvent

	mu      sync.Mutex
	silent  map[string]time.Time // since when a node has not answered
	evicts  map[string]bool      // nodes with a taint that evicts
	pending map[string]func()    // ends the simulated duration that runs for a node
}

// Setup registers the watch with the manager.
func Setup(mgr manager.Manager, o Options) error {
	w := &watch{
		Options: o, client: mgr.GetClient(),
		recorder: mgr.GetEventRecorderFor("node-controller"), //nolint:staticcheck // events of the core group are what consumers read
		changed:  make(chan event.GenericEvent),
		silent:   map[string]time.Time{}, evicts: map[string]bool{}, pending: map[string]func(){},
	}
	if err := mgr.Add(manager.RunnableFunc(w.followFaults)); err != nil {
		return fmt.Errorf("set up the stand-in node controller: %w", err)
	}
	skip := true
	err := builder.ControllerManagedBy(mgr).
		Named("node-lifecycle").
		For(&corev1.Node{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(w.nodeOf), builder.WithPredicates(bound())).
		WatchesRawSource(source.Channel(w.changed, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, w))
	if err != nil {
		return fmt.Errorf("set up the stand-in node controller: %w", err)
	}
	return nil
}

// followFaults looks at all nodes again when a fault begins or is lifted.
func (w *watch) followFaults(ctx context.Context) error {
	w.Faults.Follow(ctx, func(ctx context.Context) {
		nodes := &corev1.NodeList{}
		if err := w.client.List(ctx, nodes); err != nil {
			return // the cache is stopping
		}
		for i := range nodes.Items {
			select {
			case w.changed <- event.GenericEvent{Object: &nodes.Items[i]}:
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}

// bound lets pods through when they come to a node: on a tainted one, each may
// have to go.
func bound() predicate.Predicate {
	node := func(obj client.Object) string {
		pod, _ := obj.(*corev1.Pod)
		return pod.Spec.NodeName
	}
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return node(e.Object) != "" },
		UpdateFunc:  func(e event.UpdateEvent) bool { return node(e.ObjectOld) != node(e.ObjectNew) },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (w *watch) nodeOf(_ context.Context, obj client.Object) []reconcile.Request {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.evicts[pod.Spec.NodeName] {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: pod.Spec.NodeName}}}
}

// Reconcile looks after one node.
func (w *watch) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	w.endWait(req.Name)
	node := &corev1.Node{}
	if err := w.client.Get(ctx, req.NamespacedName, node); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	now := time.Now()
	if left := w.silence(node, now); left > 0 {
		return w.wait(node.Name, left), nil
	}
	if err := w.judge(ctx, node); err != nil {
		return reconcile.Result{}, err
	}
	if err := w.taint(ctx, node, now); err != nil {
		return reconcile.Result{}, err
	}
	next, err := w.evict(ctx, node, now)
	if err != nil || next == 0 {
		return reconcile.Result{}, err
	}
	return w.wait(node.Name, next), nil
}

// silence returns how much longer a node that does not answer is given.
func (w *watch) silence(node *corev1.Node, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.Faults.On(domain.FaultNodeDown, node.Name) {
		delete(w.silent, node.Name)
		return 0
	}
	if w.silent[node.Name].IsZero() {
		w.silent[node.Name] = now
	}
	return w.silent[node.Name].Add(w.Pace.Scale(gracePeriod)).Sub(now)
}

// wait looks at a node again later; until then a simulated duration runs.
func (w *watch) wait(node string, d time.Duration) reconcile.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending[node] = w.Gate.Timer()
	return reconcile.Result{RequeueAfter: d}
}

func (w *watch) endWait(node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := w.pending[node]; end != nil {
		end()
		delete(w.pending, node)
	}
}
