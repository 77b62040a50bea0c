package externalsecret

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// reconciler walks ExternalSecrets through their machine: Pending until their
// stores are ready, Syncing or Refreshing while it reads, then Ready or Failed.
type reconciler struct {
	o         Options
	client    client.Client
	live      client.Reader // past the cache
	providers *providers
	memory    *memory
	targets   *objectWatches
	rounds    rounds
}

// Reconcile brings one ExternalSecret up to date, if it is time for that.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	es, err := r.current(ctx, req)
	if err != nil {
		return reconcile.Result{}, err
	}
	if es == nil || es.DeletionTimestamp != nil {
		r.memory.forget(req.NamespacedName) // the Secret goes with its owner
		if es != nil {
			err = r.cleanUp(ctx, es)
		}
		return reconcile.Result{}, err
	}
	whole, err := r.isWhole(ctx, es)
	if err != nil {
		return reconcile.Result{}, err
	}
	now := time.Now()
	next := r.next(es, whole, now)
	if next.never {
		return reconcile.Result{}, nil
	}
	if next.after > 0 {
		return reconcile.Result{RequeueAfter: next.after}, nil
	}
	if waits, err := r.waits(ctx, es); waits || err != nil {
		return reconcile.Result{}, err // the store's readiness wakes it
	}
	return r.sync(ctx, es, next.since)
}

// isWhole reports whether what an ExternalSecret made still is what the last
// sync left.
func (r *reconciler) isWhole(ctx context.Context, es *v1.ExternalSecret) (bool, error) {
	if isObject(es) {
		return r.objectIntact(ctx, es)
	}
	existing, err := r.existing(ctx, r.client, es)
	return err == nil && intact(es, existing), err
}

// current returns an ExternalSecret as it is at least since its status was
// written last, or nil if it is gone: the cache may lag behind.
func (r *reconciler) current(ctx context.Context, req reconcile.Request) (*v1.ExternalSecret, error) {
	es := &v1.ExternalSecret{}
	err := r.client.Get(ctx, req.NamespacedName, es)
	if err == nil && r.memory.isStale(es) {
		err = r.live.Get(ctx, req.NamespacedName, es)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ExternalSecret %s: %w", req, err)
	}
	return es, nil
}

// sync reads the stores and writes the Secret.
func (r *reconciler) sync(ctx context.Context, es *v1.ExternalSecret, since time.Time) (reconcile.Result, error) {
	began := time.Now()
	shared, leave := r.rounds.join(began)
	defer leave()
	outcome, err := r.attempt(ctx, es, later(since, shared))
	switch {
	case ctx.Err() != nil:
		return reconcile.Result{}, ctx.Err()
	case err == nil:
		return r.succeeded(ctx, es, began, outcome)
	case isConflict(err):
		return reconcile.Result{RequeueAfter: time.Second}, nil // someone else wrote the Secret meanwhile
	}
	return r.failed(ctx, es, err)
}

// attempt is one try. What a store is said to lack is believed only if it was
// asked just now.
func (r *reconciler) attempt(ctx context.Context, es *v1.ExternalSecret, since time.Time) (outcome, error) {
	if r.o.Prepare != nil {
		r.o.Prepare(ctx, es)
	}
	start := time.Now()
	o, err := r.make(ctx, es, since)
	if err != nil && isMissing(err) && since.Before(start) {
		o, err = r.make(ctx, es, start)
	}
	return o, err
}

// make reads, templates and writes.
func (r *reconciler) make(ctx context.Context, es *v1.ExternalSecret, since time.Time) (outcome, error) {
	if isObject(es) {
		if err := r.checkObject(ctx, es); err != nil {
			return outcome{}, err
		}
	}
	var read *content
	err := outside(ctx, r.o.Gate, func(ctx context.Context) (err error) {
		read, err = r.read(ctx, es, since)
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	for _, missing := range read.missing {
		r.o.Recorder.Event(es, corev1.EventTypeWarning, eventMissing, missing.Error())
	}
	if isObject(es) {
		return r.writeObject(ctx, es, read.data)
	}
	return r.write(ctx, es, read.data)
}

// isConflict reports whether a write met someone else's.
func isConflict(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
