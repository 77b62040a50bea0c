package reloader

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// Annotations of Deployments whose rollout is held back after a change, so that
// further changes become part of it.
const (
	pausePeriodAnnotation = "deployment.reloader.stakater.com/pause-period"
	pausedAtAnnotation    = "deployment.reloader.stakater.com/paused-at"
)

// pauseAfter returns the time that a Deployment which is to be restarted is
// paused at; empty where it asks for no pause, or is paused already.
func pauseAfter(w workload, now time.Time) (string, error) {
	d, ok := w.object.(*appsv1.Deployment)
	if !ok || d.Annotations[pausePeriodAnnotation] == "" || d.Spec.Paused {
		return "", nil
	}
	if _, err := pausePeriod(d); err != nil {
		return "", err
	}
	return now.UTC().Format(time.RFC3339), nil
}

func pausePeriod(d *appsv1.Deployment) (time.Duration, error) {
	period, err := time.ParseDuration(d.Annotations[pausePeriodAnnotation])
	if err != nil || period <= 0 {
		return 0, fmt.Errorf("the annotation %s is no duration, such as 5m: the Deployment %s is restarted without a pause", pausePeriodAnnotation, d.Name)
	}
	return period, nil
}

// isHeld lets Deployments pass that a change has paused, and nobody else.
func isHeld(obj client.Object) bool {
	d, ok := obj.(*appsv1.Deployment)
	return ok && d.Spec.Paused && d.Annotations[pausedAtAnnotation] != ""
}

func held() predicate.Predicate { return predicate.NewPredicateFuncs(isHeld) }

// resume lets the Deployments go on whose pause is over. It returns how long it
// is until the next one's is; 0 where none is paused.
func (r *reconciler) resume(ctx context.Context, all []workload, now time.Time) (time.Duration, error) {
	var next time.Duration
	for _, w := range all {
		if !isHeld(w.object) {
			continue
		}
		if left := pauseLeft(w.object.(*appsv1.Deployment), now); left > 0 {
			if next == 0 || left < next {
				next = left
			}
			continue
		}
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"annotations": map[string]any{pausedAtAnnotation: nil}},
			"spec":     map[string]any{"paused": false},
		})
		if err != nil {
			return 0, err
		}
		target := w.object.DeepCopyObject().(client.Object)
		err = r.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldManager))
		if client.IgnoreNotFound(err) != nil {
			r.o.Recorder.Event(w.object, corev1.EventTypeWarning, "ReloadFail", err.Error())
			return 0, fmt.Errorf("resume the Deployment %s: %w", w.NamespacedName, err)
		}
	}
	return next, nil
}

// pauseLeft returns how long a Deployment is to stay paused. Where nothing
// says so any more, the pause is over.
func pauseLeft(d *appsv1.Deployment, now time.Time) time.Duration {
	since, err := time.Parse(time.RFC3339, d.Annotations[pausedAtAnnotation])
	if err != nil {
		return 0
	}
	period, err := pausePeriod(d)
	if err != nil {
		return 0
	}
	return min(since.Add(period).Sub(now), period)
}
