package resourceset

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"github.com/opencontainers/go-digest"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/render"
)

const applySucceeded = "ApplySucceeded"

// walk is one reconcile of one set.
type walk struct {
	*reconciler
	*fluxoperator.Walk[*fluxcdv1.ResourceSet]

	steps    []step
	all      []*unstructured.Unstructured
	metadata map[string]string // of the history
	digest   string
	drifted  bool
}

// Reconcile brings the cluster to what a ResourceSet describes.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.interrupts.Start(req.NamespacedName)
	opened, err := r.desk.Open(ctx, req.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err
	}
	if opened == nil {
		r.dependencies.Set(req.NamespacedName, nil)
		r.sources.Set(req.NamespacedName, nil)
		return reconcile.Result{}, nil
	}
	w := &walk{reconciler: r, Walk: opened}
	if w.Deleted() {
		return w.remove(ctx)
	}
	admitted, err := w.Admit(ctx)
	if err != nil || !admitted {
		return reconcile.Result{}, err
	}
	return w.Finish(ctx, w.run(ctx), w.interval(), w.record, w.succeed)
}

func (w *walk) interval() time.Duration { return fluxcdv1.Interval(w.Object, defaultInterval) }

func (w *walk) timeout() time.Duration { return fluxcdv1.Timeout(w.Object, defaultTimeout) }

// run walks from the dependencies to a healthy set.
func (w *walk) run(ctx context.Context) error {
	if err := w.awaitDependencies(ctx); err != nil {
		return err
	}
	if err := w.Progress(ctx, ""); err != nil {
		return err
	}
	if err := w.build(ctx); err != nil {
		return err
	}
	return w.apply(ctx)
}

// record notes a failure in the history, under the digest of the spec where
// there are no objects.
func (w *walk) record(reason string) {
	if w.digest == "" {
		w.digest = digestOf(w.Object.Spec)
	}
	w.Object.Status.History.Record(w.digest, reason, time.Since(w.Start), w.metadata)
}

func (w *walk) succeed(ctx context.Context) (reconcile.Result, error) {
	status := &w.Object.Status
	silent := w.Repeated && w.WasReady() && status.LastAppliedRevision == w.digest && !w.drifted
	status.LastAppliedRevision = w.digest
	message := w.Finished()
	if !silent {
		w.Repeated = false
		status.History.Record(w.digest, meta.ReconciliationSucceededReason, time.Since(w.Start), w.metadata)
	}
	result, err := w.Succeed(ctx, meta.ReconciliationSucceededReason, message, w.interval())
	if err == nil && !silent {
		w.Event(corev1.EventTypeNormal, meta.ReconciliationSucceededReason, message, map[string]string{fluxcdv1.RevisionAnnotation: w.digest})
	}
	return result, err
}

// apply applies the steps one after the other, then removes what the set made
// before and does not any more, and waits for the last step where asked to.
func (w *walk) apply(ctx context.Context) error {
	kube, err := w.clients.For(w.Key.Namespace, w.Object.Spec.ServiceAccountName)
	if err != nil {
		return err
	}
	set := w.set(kube)
	if err := w.prepare(ctx, kube, set); err != nil {
		return err
	}
	before := w.Object.Status.Inventory.DeepCopy()
	covered := ssa.NewChangeSet()
	var last *ssa.ChangeSet
	var changed string
	for i, step := range w.steps {
		if err := w.recreateFailedJobs(ctx, kube, step); err != nil {
			return step.failed("job recreation failed", err)
		}
		changes, err := set.Apply(ctx, step.objects, fluxoperator.Options(fluxcdv1.IsForced(w.Object)))
		covered.Append(changes.Entries)
		w.Object.Status.Inventory = fluxoperator.Union(before, fluxoperator.Inventory(covered))
		if err != nil {
			return step.failed("apply failed", err)
		}
		last, changed = changes, fluxoperator.Changed(changes)
		w.drifted = w.drifted || changed != ""
		if i == len(w.steps)-1 {
			break
		}
		if err := w.awaitStep(ctx, set, i, changes, changed); err != nil {
			return err
		}
	}
	if err := w.prune(ctx, set, before, covered, changed); err != nil {
		return err
	}
	if w.Object.Spec.Wait && last != nil && len(last.Entries) > 0 {
		step := w.steps[len(w.steps)-1]
		if err := w.Progress(ctx, ""); err != nil {
			return err
		}
		return step.unhealthy(set.Wait(ctx, &w.interrupts, last, step.timeoutOr(w.timeout())))
	}
	return nil
}

// set is the set of objects that is applied in the ResourceSet's name.
func (w *walk) set(kube client.Client) *fluxoperator.Set {
	place := w.o.Index.PlaceOf(unstructuredSet(w.Object))
	cluster := &fluxoperator.Cluster{Objects: w.o.Objects, Reader: w.reader, Mapper: w.client.RESTMapper()}
	if w.o.UnknownKind != nil {
		cluster.UnknownKind = func(ctx context.Context, gvk schema.GroupVersionKind) (bool, error) {
			return w.o.UnknownKind(ctx, gvk, place)
		}
	}
	return cluster.Open(kube, ownerGroup, w.Key.Namespace, w.Key.Name)
}

// prepare completes the objects before they are applied, and digests them.
func (w *walk) prepare(ctx context.Context, kube client.Client, set *fluxoperator.Set) error {
	set.Own(w.all)
	if common := w.Object.Spec.CommonMetadata; common != nil {
		ssautil.SetCommonMetadata(w.all, common.Labels, common.Annotations)
	}
	if err := w.takeData(ctx, kube); err != nil {
		return err
	}
	if err := normalize.UnstructuredList(w.all); err != nil {
		return err
	}
	text, err := ssautil.ObjectsToYAML(w.all)
	if err != nil {
		return fmt.Errorf("digest the objects: %w", err)
	}
	w.digest = digest.FromString(text).String()
	if origin, ok := w.o.Index.Origin(render.KeyOf(unstructuredSet(w.Object))); ok {
		for _, obj := range w.all {
			w.o.Index.Put(render.KeyOf(obj), origin)
		}
	}
	return nil
}

// awaitStep waits until a step is ready, so that the next may begin.
func (w *walk) awaitStep(ctx context.Context, set *fluxoperator.Set, i int, changes *ssa.ChangeSet, changed string) error {
	step := w.steps[i]
	if changed != "" {
		w.Event(corev1.EventTypeNormal, applySucceeded, fmt.Sprintf("step %q: %s", step.name, changed), nil)
	}
	if err := w.Progress(ctx, fmt.Sprintf("Applying step %d/%d %q", i+1, len(w.steps), step.name)); err != nil {
		return err
	}
	return step.unhealthy(set.Wait(ctx, &w.interrupts, changes, step.timeoutOr(w.timeout())))
}

// prune removes what the set does not make any more. What cannot be removed
// stays in the inventory, to be tried again.
func (w *walk) prune(ctx context.Context, set *fluxoperator.Set, before *fluxcdv1.ResourceInventory, covered *ssa.ChangeSet, changed string) error {
	now := fluxoperator.Inventory(covered)
	stale, err := fluxoperator.Listed(before, now)
	if err != nil {
		return err
	}
	removed, err := set.Remove(ctx, stale)
	if err != nil {
		return err
	}
	w.Object.Status.Inventory = now
	for _, obj := range stale {
		w.o.Index.Remove(render.KeyOf(obj))
	}
	if gone := fluxoperator.Changed(removed); gone != "" {
		w.drifted = true
		if changed != "" {
			changed += "\n"
		}
		changed += gone
	}
	if changed != "" {
		w.Event(corev1.EventTypeNormal, applySucceeded, changed, nil)
	}
	return nil
}

// remove removes what a deleted set made, and then lets it go.
func (w *walk) remove(ctx context.Context) (reconcile.Result, error) {
	if fluxcdv1.IsDisabled(w.Object) || w.Object.Status.Inventory == nil {
		return w.Release(ctx)
	}
	if account := w.Object.Spec.ServiceAccountName; account != "" {
		err := w.client.Get(ctx, client.ObjectKey{Namespace: w.Key.Namespace, Name: account}, &corev1.ServiceAccount{})
		if apierrors.IsNotFound(err) {
			return w.Release(ctx) // nobody may remove them any more
		}
	}
	kube, err := w.clients.For(w.Key.Namespace, w.Object.Spec.ServiceAccountName)
	if err != nil {
		return reconcile.Result{}, err
	}
	list, err := fluxoperator.Listed(w.Object.Status.Inventory, nil)
	if err != nil {
		return reconcile.Result{}, err
	}
	if _, err := w.set(kube).Remove(ctx, list); err != nil {
		return w.Fail(ctx, fmt.Errorf("pruning for deleted resource failed: %w", err), w.interval(), nil)
	}
	for _, obj := range list {
		w.o.Index.Remove(render.KeyOf(obj))
	}
	return w.Release(ctx)
}

func unstructuredSet(set *fluxcdv1.ResourceSet) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(fluxcdv1.GroupVersion.WithKind(fluxcdv1.ResourceSetKind))
	obj.SetNamespace(set.Namespace)
	obj.SetName(set.Name)
	return obj
}

func digestOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return digest.FromBytes(data).String()
}
