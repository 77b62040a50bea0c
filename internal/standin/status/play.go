package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// play is how far one object has come.
type play struct {
	uid        types.UID
	generation int64 // for which due holds
	due        time.Time
	refused    int64  // a generation whose status the server refuses
	waiting    bool   // for the operator's own pods
	end        func() // never nil; ends the simulated delay that runs
}

// reconcile sees to one object: waits for the operator and its delay, makes
// what the operator makes, and writes the status.
func (p *player) reconcile(ctx context.Context, key objects.Key) (reconcile.Result, error) {
	one := p.play(key)
	one.end()
	kind, ok := p.kinds.get(key.GroupVersionKind)
	if !ok {
		return reconcile.Result{}, nil
	}
	obj, err := p.Objects.Get(ctx, key)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		p.drop(key)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if obj.GetDeletionTimestamp() != nil || one.refused != 0 && one.refused == obj.GetGeneration() {
		return reconcile.Result{}, nil
	}
	work := &performance{player: p, kind: kind, obj: obj}
	if err := work.prepare(ctx); err != nil {
		p.log.Error(err, "cannot play", "object", key.String(), "line", kind.rule.line)
		one.refused = obj.GetGeneration()
		return reconcile.Result{}, nil
	}
	if work.done() {
		return reconcile.Result{}, p.made(ctx, work, key, one)
	}
	if up, err := p.operatorUp(ctx, kind.rule); !up || err != nil {
		p.setWaiting(one, err == nil)
		return reconcile.Result{}, err
	}
	p.setWaiting(one, false)
	if left := p.left(one, kind.rule, obj); left > 0 {
		one.end = p.Gate.Timer()
		return reconcile.Result{RequeueAfter: left}, nil
	}
	if err := p.made(ctx, work, key, one); err != nil {
		return reconcile.Result{}, err
	}
	p.Assumptions.Add(domain.AssumedOperator, operatorOf(kind.rule), fmt.Sprintf("what it does for %s is played", key))
	return reconcile.Result{}, p.refusal(work.write(ctx), key, one, obj)
}

// made makes the objects that the operator makes, where they are missing.
func (p *player) made(ctx context.Context, work *performance, key objects.Key, one *play) error {
	return p.refusal(work.makeObjects(ctx), key, one, work.obj)
}

// refusal keeps an object that the server refuses from being tried for ever:
// it comes by again when it has changed.
func (p *player) refusal(err error, key objects.Key, one *play, obj *unstructured.Unstructured) error {
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) {
		p.log.Error(err, "the server refuses what a stand-in writes", "object", key.String())
		one.refused = obj.GetGeneration()
		return nil
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func operatorOf(r *rule) string {
	if r.Operator != "" {
		return r.Operator
	}
	return r.Group
}

// left returns how much of the operator's delay is left for this generation of
// an object.
func (p *player) left(one *play, r *rule, obj *unstructured.Unstructured) time.Duration {
	if one.uid != obj.GetUID() || one.generation != obj.GetGeneration() || one.due.IsZero() {
		ref := domain.Ref{Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName()}
		delay := r.Delay.span().Draw(p.Seed, ref.String())
		one.uid, one.generation, one.due = obj.GetUID(), obj.GetGeneration(), time.Now().Add(p.Pace.Scale(delay))
		if delay > 0 {
			p.Simulated(ref, StepReconcile, delay)
		}
	}
	return time.Until(one.due)
}

// operatorUp reports whether the operator's own pods run: one of them at
// least, or there are none to be found.
func (p *player) operatorUp(ctx context.Context, r *rule) (bool, error) {
	if r.pods == nil {
		return true, nil
	}
	pods := &corev1.PodList{}
	if err := p.client.List(ctx, pods, client.MatchingLabelsSelector{Selector: r.pods}); err != nil {
		return false, err
	}
	for i := range pods.Items {
		if podReady(&pods.Items[i]) {
			return true, nil
		}
	}
	return len(pods.Items) == 0, nil
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// waitingForPods returns the objects that wait for an operator whose pod this is.
func (p *player) waitingForPods(_ context.Context, pod *corev1.Pod) []objects.Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []objects.Key
	for key, one := range p.plays {
		if !one.waiting {
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

func (p *player) setWaiting(one *play, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.waiting = waiting
}

func (p *player) play(key objects.Key) *play {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plays[key] == nil {
		p.plays[key] = &play{end: func() {}}
	}
	return p.plays[key]
}

func (p *player) drop(key objects.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.plays, key)
}

// errNotMap says that an expression yields something of the wrong shape.
var errNotMap = errors.New("the status expression has to yield a map")
