// Package fluxoperator is what the reconcilers of flux-operator's kinds have in
// common: how one reconcile begins and ends, with the conditions, reasons and
// events that flux-operator writes, and how a set of objects is applied,
// listed, waited for and removed in the name of its owner.
//
// Nothing is written that does not change anything: what is Ready is looked
// over silently, and a failure that repeats itself is told once. What flux-
// operator polls for is waited for until it changes. Which objects a kind
// applies is left to the reconcilers.
package fluxoperator

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// FieldManager is who applies objects and writes statuses, as with flux-operator.
const FieldManager = "flux-operator"

// Object is one of the kinds that are reconciled.
type Object interface {
	client.Object
	conditions.Setter
	// RequestStatus is where a request to reconcile is acknowledged.
	RequestStatus() *meta.ReconcileRequestStatus
}

// Desk is where the reconciles of one kind begin. It remembers what was written
// for as long as the cache does not know of it. The fields are set once; its
// methods may be called concurrently.
type Desk[T Object] struct {
	Client   client.Client
	Recorder record.EventRecorder
	// New returns an empty object of the kind.
	New func() T

	written objects.Written[T]
	backoff work.Backoff[types.NamespacedName]
}

// Open begins a reconcile. It returns nil where the object is gone.
func (d *Desk[T]) Open(ctx context.Context, key types.NamespacedName) (*Walk[T], error) {
	obj := d.New()
	err := d.Client.Get(ctx, key, obj)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if err != nil {
		d.forget(key)
		return nil, nil
	}
	return newWalk(d, key, d.written.Latest(obj)), nil
}

func (d *Desk[T]) forget(key types.NamespacedName) {
	d.written.Forget(key)
	d.backoff.Forget(key)
}
