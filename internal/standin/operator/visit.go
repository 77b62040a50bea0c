package operator

import (
	"context"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// ManagedBy is the value of the label app.kubernetes.io/managed-by on what
// stand-ins make.
const ManagedBy = "hearth"

// Visit is one look at one object.
type Visit struct {
	Options
	// Key names the object, Object is a copy of it.
	Key    objects.Key
	Object *unstructured.Unstructured
	Role   *Role
	Client client.Client

	stage *stage
	kind  kind
	state *state
	home  string
}

// delay is a simulated duration of one generation of an object.
type delay struct {
	uid        types.UID
	generation int64
	due        time.Time
}

// reconcileHolding lets every call hold a slot of the gate.
func (s *stage) reconcileHolding(ctx context.Context, key objects.Key) (reconcile.Result, error) {
	ctx, leave, err := s.Gate.Enter(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	defer leave()
	return s.reconcile(ctx, key)
}

// reconcile sees to one object, if its operator works.
func (s *stage) reconcile(ctx context.Context, key objects.Key) (reconcile.Result, error) {
	s.mu.Lock()
	one := s.stateOf(key)
	s.mu.Unlock()
	one.end()
	kind, ok := s.kinds.get(key.GroupVersionKind)
	if !ok {
		return reconcile.Result{}, nil
	}
	obj, err := s.Objects.Get(ctx, key)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		s.mu.Lock()
		delete(s.states, key)
		s.wanted.drop(key)
		s.mu.Unlock()
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if obj.GetDeletionTimestamp() != nil || one.refused != 0 && one.refused == obj.GetGeneration() {
		return reconcile.Result{}, nil
	}
	s.wait(one, true) // before the look, so that no change of a pod is missed
	works, home, err := s.works(ctx, kind)
	if !works || err != nil {
		return reconcile.Result{}, err
	}
	s.wait(one, false)
	v := &Visit{Options: s.Options, Key: key, Object: obj, Role: kind.role, Client: s.client, stage: s, kind: kind, state: one, home: home}
	result, err := s.part.See(ctx, v)
	return result, v.refusal(err)
}

func (s *stage) wait(one *state, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.waiting = waiting
}

// refusal keeps an object that the server refuses from being tried for ever:
// it comes by again when it has changed.
func (v *Visit) refusal(err error) error {
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) {
		v.Refuse(err)
		return nil
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Refuse gives up on the object as it is now: it is seen again when it has
// changed.
func (v *Visit) Refuse(err error) {
	v.stage.log.Error(err, "cannot play", "object", v.Key.String())
	v.state.refused = v.Object.GetGeneration()
}

// Ref names the object in the domain's words.
func (v *Visit) Ref() domain.Ref {
	return domain.Ref{Kind: v.Object.GetKind(), Namespace: v.Object.GetNamespace(), Name: v.Object.GetName()}
}

// Left returns how much is left of a simulated duration that is drawn once for
// each generation of the object and each step. While some is left the part has
// to return, with RequeueAfter set to it; it counts as progress.
func (v *Visit) Left(step string, span domain.Range) time.Duration {
	had := v.state.delays[step]
	if had.uid != v.Object.GetUID() || had.generation != v.Object.GetGeneration() {
		drawn := span.Draw(v.Seed, v.Ref().String())
		had = delay{v.Object.GetUID(), v.Object.GetGeneration(), time.Now().Add(v.Pace.Scale(drawn))}
		v.state.delays[step] = had
		if drawn > 0 {
			v.Simulated(v.Ref(), step, drawn)
		}
	}
	left := time.Until(had.due)
	if left > 0 {
		v.state.end = v.Gate.Timer()
	}
	return left
}

// Restart lets a step's duration begin anew.
func (v *Visit) Restart(step string) { delete(v.state.delays, step) }

// Memory returns what the part keeps about the object in memory: what init
// returns at first.
func Memory[T any](v *Visit, init func() T) T {
	kept, ok := v.state.memory.(T)
	if !ok {
		kept = init()
		v.state.memory = kept
	}
	return kept
}

// Assume records that what the operator does is played.
func (v *Visit) Assume() {
	v.Assumptions.Add(domain.AssumedOperator, v.Role.Operator, fmt.Sprintf("what it does for %s is played", v.Key))
}

// Owner refers to the object as the controller of what is made for it.
func (v *Visit) Owner() metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{
		APIVersion: v.Object.GetAPIVersion(), Kind: v.Object.GetKind(), Name: v.Object.GetName(), UID: v.Object.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}
}

// Make makes an object where it is missing, marked as a stand-in's, and
// reports whether it did. What is there is left as it is.
func (v *Visit) Make(ctx context.Context, obj *unstructured.Unstructured, owned bool) (bool, error) {
	if obj.GetNamespace() == "" {
		obj.SetNamespace(v.Object.GetNamespace())
	}
	_, err := v.Objects.Get(ctx, objects.KeyOf(obj))
	if err == nil {
		return false, nil
	}
	if !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("look for the %s %s/%s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), err)
	}
	labels := maps.Clone(obj.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	if labels["app.kubernetes.io/managed-by"] == "" {
		labels["app.kubernetes.io/managed-by"] = ManagedBy
	}
	obj.SetLabels(labels)
	if owned && obj.GetNamespace() == v.Object.GetNamespace() {
		obj.SetOwnerReferences([]metav1.OwnerReference{v.Owner()})
	}
	err = v.Client.Create(ctx, obj)
	if apierrors.IsAlreadyExists(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make the %s %s/%s of %s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), v.Key, err)
	}
	return true, nil
}
