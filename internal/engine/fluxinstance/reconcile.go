package fluxinstance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"github.com/opencontainers/go-digest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/render"
)

// walk is one reconcile of one instance.
type walk struct {
	*reconciler
	*fluxoperator.Walk[*fluxcdv1.FluxInstance]

	all     []*unstructured.Unstructured
	digest  string
	drifted bool
}

// Reconcile applies what a FluxInstance asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.interrupts.Start(req.NamespacedName)
	opened, err := r.desk.Open(ctx, req.NamespacedName)
	if err != nil || opened == nil {
		return reconcile.Result{}, err
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

func (w *walk) revision() string { return fluxVersion + "@" + w.digest }

func (w *walk) metadata() map[string]string { return map[string]string{"flux": fluxVersion} }

func (w *walk) run(ctx context.Context) error {
	if err := w.Progress(ctx, ""); err != nil {
		return err
	}
	if err := w.build(); err != nil {
		return &fluxoperator.Failure{Reason: meta.BuildFailedReason, Stalled: true, Err: fmt.Errorf("build failed: %w", err)}
	}
	w.tell()
	if w.Object.Status.LastAttemptedRevision != w.revision() {
		what := "Upgrading to"
		if w.Object.Status.LastAttemptedRevision == "" {
			what = "Installing"
		}
		w.Event(corev1.EventTypeNormal, meta.ProgressingReason, what+" revision "+w.revision(), nil)
		w.Object.Status.LastAttemptedRevision = w.revision()
	}
	return w.apply(ctx)
}

// build makes the objects and digests them.
func (w *walk) build() error {
	if _, err := wantsOther(w.Object.Spec.Distribution.Version); err != nil {
		return err
	}
	var err error
	if w.all, err = build(w.Object); err != nil {
		return err
	}
	if err := normalize.UnstructuredList(w.all); err != nil {
		return err
	}
	if common := w.Object.Spec.CommonMetadata; common != nil {
		ssautil.SetCommonMetadata(w.all, common.Labels, common.Annotations)
	}
	text, err := ssautil.ObjectsToYAML(w.all)
	w.digest = digest.FromString(text).String()
	return err
}

// tell says what of the spec has no effect here.
func (w *walk) tell() {
	if !w.told.first(w.Object) {
		return
	}
	without := withoutEffect(w.Object, w.all)
	if len(without) == 0 {
		return
	}
	message := "Hearth is Flux's controllers itself; without effect here: " + strings.Join(without, ", ")
	w.Event(corev1.EventTypeNormal, "NotApplicable", message, nil)
	w.o.Assumptions.Add(domain.AssumedOperator, "FluxInstance "+w.Key.String(), message)
}

// options also take over what the flux CLI owns.
func options() ssa.ApplyOptions {
	o := fluxoperator.Options(false)
	for _, operation := range []metav1.ManagedFieldsOperationType{metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate} {
		o.Cleanup.FieldManagers = append(o.Cleanup.FieldManagers, ssa.FieldManager{Name: "flux", OperationType: operation, ExactMatch: true})
	}
	return o
}

func (w *walk) set() (*fluxoperator.Set, error) {
	kube, err := w.clients.For(w.Key.Namespace, "")
	if err != nil {
		return nil, err
	}
	cluster := &fluxoperator.Cluster{Objects: w.o.Objects, Reader: w.reader, Mapper: w.client.RESTMapper()}
	return cluster.Open(kube, ownerGroup, w.Key.Namespace, w.Key.Name), nil
}

func (w *walk) apply(ctx context.Context) error {
	set, err := w.set()
	if err != nil {
		return err
	}
	set.Own(w.all)
	w.index()
	before := w.Object.Status.Inventory.DeepCopy()
	changes, err := set.Apply(ctx, w.all, options())
	if err != nil {
		w.Object.Status.Inventory = fluxoperator.Union(before, fluxoperator.Inventory(changes))
		return err
	}
	now := fluxoperator.Inventory(changes)
	stale, err := fluxoperator.Listed(before, now)
	if err != nil {
		return err
	}
	removed, err := set.Remove(ctx, stale)
	if err != nil {
		w.Object.Status.Inventory = fluxoperator.Union(before, now)
		return err
	}
	w.Object.Status.Inventory = now
	w.Object.Status.Components = componentImages(w.Object)
	w.tellChanges(before, fluxoperator.Changed(changes), fluxoperator.Changed(removed))
	if w.Object.Spec.Wait == nil || *w.Object.Spec.Wait {
		if err := w.Progress(ctx, ""); err != nil {
			return err
		}
		if err := set.Wait(ctx, &w.interrupts, changes, fluxcdv1.Timeout(w.Object, defaultTimeout)); err != nil {
			return err
		}
	}
	if w.Object.Spec.MigrateResources == nil || *w.Object.Spec.MigrateResources {
		return w.migrate(ctx)
	}
	return nil
}

// tellChanges tells what was applied and removed.
func (w *walk) tellChanges(before *fluxcdv1.ResourceInventory, applied, removed string) {
	changed := strings.TrimSpace(applied + "\n" + removed)
	if changed == "" {
		return
	}
	w.drifted = true
	what := "updated"
	if before == nil || len(before.Entries) == 0 {
		what = "installed"
	}
	w.Event(corev1.EventTypeNormal, meta.ReconciliationSucceededReason, fmt.Sprintf("Flux %s %s\n%s", fluxVersion, what, changed),
		map[string]string{fluxcdv1.RevisionAnnotation: w.revision()})
}

// index notes that what is applied stands where the instance does, unless it
// stands somewhere itself.
func (w *walk) index() {
	self := &unstructured.Unstructured{}
	self.SetGroupVersionKind(fluxcdv1.GroupVersion.WithKind(fluxcdv1.FluxInstanceKind))
	self.SetNamespace(w.Key.Namespace)
	self.SetName(w.Key.Name)
	origin, ok := w.o.Index.Origin(render.KeyOf(self))
	if !ok {
		return
	}
	for _, obj := range w.all {
		if _, known := w.o.Index.Origin(render.KeyOf(obj)); !known {
			w.o.Index.Put(render.KeyOf(obj), origin)
		}
	}
}

// record notes a failure in the history, under the digest of the spec where
// there are no objects.
func (w *walk) record(reason string) {
	if w.digest == "" {
		w.digest = digest.FromString(fmt.Sprint(w.Object.Spec)).String()
	}
	w.Object.Status.History.Record(w.digest, reason, time.Since(w.Start), w.metadata())
}

func (w *walk) succeed(ctx context.Context) (reconcile.Result, error) {
	status := &w.Object.Status
	silent := w.Repeated && w.WasReady() && status.LastAppliedRevision == w.revision() && !w.drifted
	status.LastAppliedRevision = w.revision()
	if force := w.Object.Annotations[meta.ForceRequestAnnotation]; force != "" {
		status.LastHandledForceAt = force
	}
	message := w.Finished()
	if !silent {
		w.Repeated = false
		status.History.Record(w.digest, meta.ReconciliationSucceededReason, time.Since(w.Start), w.metadata())
	}
	result, err := w.Succeed(ctx, meta.ReconciliationSucceededReason, message, w.interval())
	if err == nil && !silent {
		w.Event(corev1.EventTypeNormal, meta.ReconciliationSucceededReason, message, map[string]string{fluxcdv1.RevisionAnnotation: w.revision()})
	}
	return result, err
}

// remove takes away what a deleted instance applied. What its Kustomization
// applied stays: only Flux is to go.
func (w *walk) remove(ctx context.Context) (reconcile.Result, error) {
	if fluxcdv1.IsDisabled(w.Object) || w.Object.Status.Inventory == nil {
		return w.Release(ctx)
	}
	list, err := fluxoperator.Listed(w.Object.Status.Inventory, nil)
	if err != nil {
		return reconcile.Result{}, err
	}
	set, err := w.set()
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, obj := range list {
		if obj.GetKind() != "Kustomization" {
			continue
		}
		orphan := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"deletionPolicy":"Orphan"}}`))
		if err := set.Client.Patch(ctx, obj.DeepCopy(), orphan, client.FieldOwner(fluxoperator.FieldManager)); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("let go what Kustomization %s/%s applied: %w", obj.GetNamespace(), obj.GetName(), err)
		}
	}
	if _, err := set.Remove(ctx, list); err != nil {
		return w.Fail(ctx, fmt.Errorf("uninstall failed: %w", err), w.interval(), nil)
	}
	return w.Release(ctx)
}
