package inputprovider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/opencontainers/go-digest"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/work"
)

// Reasons of the Ready condition that only this kind has.
const (
	invalidDefaultValues = "InvalidDefaultValues"
	invalidSpec          = "InvalidSpec"
	invalidSchedule      = "InvalidSchedule"
	skippedBySchedule    = "SkippedDueToSchedule"
)

type provider = fluxcdv1.ResourceSetInputProvider

// walk is one reconcile of one provider.
type walk struct {
	*reconciler
	*fluxoperator.Walk[*provider]
	schedule *schedule
}

// Reconcile fetches what a provider exports.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	opened, err := r.desk.Open(ctx, req.NamespacedName)
	if err != nil || opened == nil {
		return reconcile.Result{}, err
	}
	w := &walk{reconciler: r, Walk: opened}
	if w.Deleted() {
		return w.Release(ctx)
	}
	admitted, err := w.Admit(ctx)
	if err != nil || !admitted {
		return reconcile.Result{}, err
	}
	now, forced := r.o.Now(), w.forced()
	if w.schedule, err = newSchedule(w.Object.Spec.Schedule, w.timeout()); err != nil {
		return w.fail(ctx, fluxoperator.Terminal(invalidSchedule, err))
	}
	if !forced && !w.schedule.allows(now) {
		return w.skip(ctx, now)
	}
	exported, err := w.export(ctx)
	if err != nil {
		return w.fail(ctx, err)
	}
	return w.succeed(ctx, exported)
}

func (w *walk) interval() time.Duration { return fluxcdv1.Interval(w.Object, defaultInterval) }

func (w *walk) timeout() time.Duration { return fluxcdv1.Timeout(w.Object, defaultTimeout) }

// forced reports whether an annotation asks for a reconcile now, whatever the
// schedule says, and acknowledges it.
func (w *walk) forced() bool {
	requested := w.Object.Annotations[meta.ReconcileRequestAnnotation]
	force := w.Object.Annotations[meta.ForceRequestAnnotation]
	if force == "" || force == w.Object.Status.LastHandledForceAt {
		return false
	}
	w.Object.Status.LastHandledForceAt = force
	return force == requested
}

func (w *walk) fail(ctx context.Context, err error) (reconcile.Result, error) {
	return w.Fail(ctx, err, w.interval(), nil)
}

// skip waits for the next time of the schedule.
func (w *walk) skip(ctx context.Context, now time.Time) (reconcile.Result, error) {
	next := w.schedule.next(now)
	w.Object.Status.NextSchedule = next
	message := "Reconciliation skipped, next scheduled at " + next.When.Format(time.RFC3339)
	if !w.Repeated {
		w.Event(corev1.EventTypeNormal, skippedBySchedule, message, nil)
	}
	if ready := conditions.Get(w.Object, meta.ReadyCondition); ready != nil && ready.Reason != skippedBySchedule {
		// What was exported before stays as good as it was.
		w.Repeated = true
		return reconcile.Result{RequeueAfter: next.When.Sub(now)}, w.Save(ctx)
	}
	return w.Succeed(ctx, skippedBySchedule, message, next.When.Sub(now))
}

// export returns what the provider exports now.
func (w *walk) export(ctx context.Context) ([]fluxcdv1.Input, error) {
	if err := w.validate(); err != nil {
		return nil, fluxoperator.Terminal(invalidSpec, err)
	}
	defaults := map[string]any{}
	for name, raw := range w.Object.Spec.DefaultValues {
		var value any
		if err := json.Unmarshal(raw.Raw, &value); err != nil {
			return nil, fluxoperator.Terminal(invalidDefaultValues, fmt.Errorf("spec.defaultValues.%s: %w", name, err))
		}
		defaults[name] = value
	}
	if w.Object.Spec.Type != fluxcdv1.StaticInputs {
		if err := w.Progress(ctx, ""); err != nil {
			return nil, err
		}
	}
	var sets []map[string]any
	ctx, cancel := context.WithTimeout(ctx, w.timeout())
	defer cancel()
	err := work.Aside(ctx, func(ctx context.Context) (err error) {
		sets, err = w.fetch(ctx, defaults)
		return err
	})
	if err != nil {
		return nil, err
	}
	return encode(sets, defaults)
}

// encode adds the default values to what sets of inputs lack.
func encode(sets []map[string]any, defaults map[string]any) ([]fluxcdv1.Input, error) {
	exported := make([]fluxcdv1.Input, 0, len(sets))
	for _, set := range sets {
		input := fluxcdv1.Input{}
		for _, values := range []map[string]any{defaults, set} {
			for name, value := range values {
				raw, err := json.Marshal(value)
				if err != nil {
					return nil, fmt.Errorf("export the input %s: %w", name, err)
				}
				input[name] = &apiextensionsv1.JSON{Raw: raw}
			}
		}
		exported = append(exported, input)
	}
	return exported, nil
}

// succeed exports inputs. Nothing is written where they are what they were.
func (w *walk) succeed(ctx context.Context, exported []fluxcdv1.Input) (reconcile.Result, error) {
	text, err := yaml.Marshal(exported)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("digest the inputs of %s: %w", w.Key, err)
	}
	status := &w.Object.Status
	revision := digest.FromBytes(text).String()
	silent := w.Repeated && w.WasReady() && status.LastExportedRevision == revision &&
		conditions.GetReason(w.Object, meta.ReadyCondition) == meta.ReconciliationSucceededReason
	status.ExportedInputs, status.LastExportedRevision, status.NextSchedule = exported, revision, nil
	again := w.interval()
	if next, wait := w.schedule.instead(w.o.Now(), again); next != nil {
		status.NextSchedule, again = next, wait
	}
	message := w.Finished()
	if !silent {
		w.Repeated = false
	}
	result, err := w.Succeed(ctx, meta.ReconciliationSucceededReason, message, again)
	if err == nil && !silent {
		w.Event(corev1.EventTypeNormal, meta.ReconciliationSucceededReason, message+", revision "+revision,
			map[string]string{fluxcdv1.RevisionAnnotation: revision})
	}
	return result, err
}

// validate holds the spec to what the definition says, should another one be
// installed.
func (w *walk) validate() error {
	spec := w.Object.Spec
	switch {
	case spec.Type == fluxcdv1.ExternalArtifactInputs && len(spec.Selectors) == 0:
		return errors.New("spec.selectors must be set when spec.type is 'ExternalArtifact'")
	case spec.Insecure && spec.Type != fluxcdv1.ExternalServiceInputs && spec.Type != fluxcdv1.OCIArtifactTagInputs:
		return errors.New("spec.insecure can only be set when spec.type is 'ExternalService' or 'OCIArtifactTag'")
	case spec.Filter != nil && spec.Filter.Limit > maxResults:
		return fmt.Errorf("spec.filter.limit can be at most %d", maxResults)
	}
	return nil
}
