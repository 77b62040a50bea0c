package artifactgenerator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/source/compose"
)

const (
	inProgress = "Reconciliation in progress"
	disabled   = "Reconciliation is disabled"
)

// failure is why artifacts are not up to date, with the reason that Flux shows
// for it. A stalled one cannot be mended by trying again.
type failure struct {
	reason  string
	stalled bool
	err     error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Reconcile makes what an ArtifactGenerator asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj, err := r.get(ctx, req.NamespacedName)
	if err != nil {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, r.finalize(ctx, obj)
	}
	if err := r.hold(ctx, obj); err != nil {
		return reconcile.Result{}, err
	}
	if obj.IsDisabled() {
		return reconcile.Result{}, r.rest(ctx, obj)
	}
	a := &attempt{reconciler: r, obj: obj, before: obj.DeepCopy(), saved: obj.DeepCopy()}
	err = a.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := reconcile.Result{RequeueAfter: obj.GetRequeueAfter()}
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.SetLastHandledReconcileAt(requested)
	}
	switch {
	case err == nil:
		r.backoff.Forget(req.NamespacedName)
	case a.fail(err):
		result = reconcile.Result{}
	default:
		result.RequeueAfter = r.backoff.Next(req.NamespacedName, obj.GetRequeueAfter())
	}
	a.tell()
	return result, a.save(ctx)
}

// get reads a generator. What the cache has of one that is being worked on may
// be older than what was written a moment ago.
func (r *reconciler) get(ctx context.Context, key client.ObjectKey) (*generator.ArtifactGenerator, error) {
	obj := &generator.ArtifactGenerator{}
	err := r.client.Get(ctx, key, obj)
	if err == nil && !conditions.IsReady(obj) {
		err = r.live.Get(ctx, key, obj)
	}
	return obj, err
}

// hold puts the finalizer on, so that what is made goes with the generator.
func (r *reconciler) hold(ctx context.Context, obj *generator.ArtifactGenerator) error {
	before := obj.DeepCopy()
	if !controllerutil.AddFinalizer(obj, generator.Finalizer) {
		return nil
	}
	status := obj.Status
	if err := r.client.Patch(ctx, obj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("adding the finalizer of ArtifactGenerator %s/%s: %w", obj.Namespace, obj.Name, err)
	}
	obj.Status = status
	return nil
}

// rest leaves everything as it is.
func (r *reconciler) rest(ctx context.Context, obj *generator.ArtifactGenerator) error {
	a := &attempt{reconciler: r, obj: obj, before: obj.DeepCopy(), saved: obj.DeepCopy()}
	if !conditions.Has(obj, meta.ReadyCondition) {
		conditions.MarkTrue(obj, meta.ReadyCondition, generator.ReconciliationDisabledReason, "Initialized with reconciliation suspended")
	}
	r.o.Recorder.Event(obj, corev1.EventTypeWarning, generator.ReconciliationDisabledReason, disabled)
	return a.save(ctx)
}

// attempt is one try to bring a generator's artifacts up to date.
type attempt struct {
	*reconciler
	obj    *generator.ArtifactGenerator
	before *generator.ArtifactGenerator // as it was found
	saved  *generator.ArtifactGenerator // as the cluster has it
}

func (a *attempt) run(ctx context.Context) error {
	if err := a.validate(); err != nil {
		return err
	}
	sources, err := a.observe(ctx)
	if err != nil {
		return &failure{reason: generator.SourceFetchFailedReason, err: fmt.Errorf("get sources failed: %w", err)}
	}
	observed := generator.HashObservedSources(observations(sources))
	if upToDate, err := a.upToDate(ctx, observed); upToDate || err != nil {
		return err
	}
	if err := a.progress(ctx); err != nil {
		return err
	}
	dirs, done, err := a.fetch(ctx, sources)
	if err != nil {
		return &failure{reason: generator.SourceFetchFailedReason, err: fmt.Errorf("fetch sources failed: %w", err)}
	}
	defer done()
	outputs, err := compose.Expand(&a.obj.Spec, dirs)
	if err != nil {
		return &failure{reason: generator.ValidationFailedReason, stalled: true, err: err}
	}
	made, err := a.make(ctx, outputs, dirs, sources)
	if err != nil {
		return err
	}
	inventory, err := a.publish(ctx, outputs, made)
	if err != nil {
		return err
	}
	a.obj.Status.Inventory, a.obj.Status.ObservedSourcesDigest = inventory, observed
	for _, condition := range []string{meta.ReconcilingCondition, meta.StalledCondition} {
		conditions.Delete(a.obj, condition)
	}
	conditions.MarkTrue(a.obj, meta.ReadyCondition, meta.SucceededReason, "reconciliation succeeded, generated %d artifact(s)", len(inventory))
	return nil
}

// upToDate reports whether everything is as it was left. What failed before is
// tried again.
func (a *attempt) upToDate(ctx context.Context, observed string) (bool, error) {
	obj := a.obj
	if !conditions.IsReady(obj) || conditions.GetObservedGeneration(obj, meta.ReadyCondition) != obj.Generation ||
		conditions.GetReason(obj, meta.ReadyCondition) != meta.SucceededReason || obj.Status.ObservedSourcesDigest != observed {
		return false, nil
	}
	if obj.Spec.PathPattern == "" && len(obj.Status.Inventory) != len(obj.Spec.OutputArtifacts) {
		return false, nil
	}
	// What the cache lacks may have been written a moment ago.
	for _, reader := range []client.Reader{a.client, a.live} {
		if made, err := a.allMade(ctx, reader); made || err != nil {
			return made, err
		}
	}
	return false, nil
}

// allMade reports whether the artifacts in the inventory, and no others, are
// there.
func (a *attempt) allMade(ctx context.Context, reader client.Reader) (bool, error) {
	var list sourcev1.ExternalArtifactList
	err := reader.List(ctx, &list, client.InNamespace(a.obj.Namespace), client.MatchingLabels{generator.ArtifactGeneratorLabel: string(a.obj.UID)})
	if err != nil {
		return false, &failure{reason: meta.ReconciliationFailedReason, err: fmt.Errorf("list the ExternalArtifacts: %w", err)}
	}
	if len(list.Items) != len(a.obj.Status.Inventory) {
		return false, nil
	}
	return !slices.ContainsFunc(list.Items, func(made sourcev1.ExternalArtifact) bool {
		artifact := made.Status.Artifact
		if artifact == nil || !a.obj.HasArtifactInInventory(made.Name, made.Namespace, artifact.Digest) {
			return true
		}
		_, err := a.o.Store.Resolve(artifact)
		return err != nil
	}), nil
}

// progress saves that something is done.
func (a *attempt) progress(ctx context.Context) error {
	conditions.Delete(a.obj, meta.StalledCondition)
	conditions.MarkReconciling(a.obj, meta.ProgressingReason, inProgress)
	conditions.MarkUnknown(a.obj, meta.ReadyCondition, meta.ProgressingReason, inProgress)
	return a.save(ctx)
}

// fail writes a failure into the status, and reports whether trying again is
// useless.
func (a *attempt) fail(err error) (stalled bool) {
	f := &failure{reason: meta.ReconciliationFailedReason, err: err}
	errors.As(err, &f)
	if f.stalled {
		conditions.MarkStalled(a.obj, f.reason, "%s", err)
		conditions.Delete(a.obj, meta.ReconcilingCondition)
	} else {
		conditions.MarkReconciling(a.obj, meta.ProgressingWithRetryReason, inProgress)
		conditions.Delete(a.obj, meta.StalledCondition)
	}
	conditions.MarkFalse(a.obj, meta.ReadyCondition, f.reason, "%s", err)
	return f.stalled
}

// tell records an event about new artifacts, a recovery or a new failure.
func (a *attempt) tell() {
	was, is := conditions.Get(a.before, meta.ReadyCondition), conditions.Get(a.obj, meta.ReadyCondition)
	changed := was == nil || was.Status != is.Status || was.Message != is.Message
	switch {
	case is.Status == "False" && changed:
		a.o.Recorder.Event(a.obj, corev1.EventTypeWarning, is.Reason, is.Message)
	case is.Status == "True" && (changed || !slices.Equal(a.before.Status.Inventory, a.obj.Status.Inventory)):
		a.o.Recorder.Event(a.obj, corev1.EventTypeNormal, meta.ReadyCondition, is.Message)
	}
}

// save writes the status, if anything of it changed.
func (a *attempt) save(ctx context.Context) error {
	patch := client.MergeFrom(a.saved)
	if data, err := patch.Data(a.obj); err != nil || string(data) == "{}" {
		return err
	}
	after := a.obj.DeepCopy()
	if err := a.client.Status().Patch(ctx, after, patch, client.FieldOwner(fieldManager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("saving the status of ArtifactGenerator %s/%s: %w", a.obj.Namespace, a.obj.Name, err)
	}
	a.saved = a.obj.DeepCopy()
	return nil
}
