package reloader

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// retryCap bounds the back-off after a restart that failed.
const retryCap = 5 * time.Minute

// reconciler restarts the workloads of a namespace that follow what changed.
type reconciler struct {
	o       Options
	client  client.Client
	ledger  *ledger
	backoff *work.Backoff[string]
}

// Reconcile acts upon the changes in one namespace, which the request names.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	namespace := req.Name
	if slices.Contains(r.o.IgnoreNamespaces, namespace) || r.o.Active != nil && !r.o.Active(ctx, namespace) {
		r.ledger.take(namespace)
		return reconcile.Result{}, nil
	}
	all, err := workloads(ctx, r.client, namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	changes := r.ledger.take(namespace)
	for _, w := range all {
		var causes []change
		for _, c := range changes {
			if follows(w, c, r.o.All) {
				causes = append(causes, c)
			}
		}
		if len(causes) > 0 {
			r.ledger.owe(w.workloadKey, causes)
		}
	}
	failed := r.pay(ctx, namespace, all)
	paused, err := r.resume(ctx, all, time.Now())
	if failed != nil || err != nil {
		return reconcile.Result{RequeueAfter: r.backoff.Next(namespace, retryCap)}, ctx.Err()
	}
	r.backoff.Forget(namespace)
	return reconcile.Result{RequeueAfter: paused}, nil
}

// pay restarts what is to be restarted; what fails stays owed.
func (r *reconciler) pay(ctx context.Context, namespace string, all []workload) error {
	owed := r.ledger.owed(namespace)
	var failed []error
	for _, w := range all {
		causes := owed[w.workloadKey]
		if len(causes) == 0 {
			continue
		}
		delete(owed, w.workloadKey)
		if err := r.restart(ctx, w, causes); client.IgnoreNotFound(err) != nil {
			r.o.Recorder.Event(w.object, corev1.EventTypeWarning, "ReloadFail", err.Error())
			failed = append(failed, err)
			continue
		}
		r.ledger.settle(w.workloadKey)
	}
	for gone := range owed {
		r.ledger.settle(gone)
	}
	return errors.Join(failed...)
}

func (r *reconciler) restart(ctx context.Context, w workload, causes []change) error {
	var err error
	if cron, ok := w.object.(*batchv1.CronJob); ok {
		err = r.run(ctx, cron, causes)
	} else {
		err = r.roll(ctx, w, causes)
	}
	if err != nil {
		return fmt.Errorf("restart the %s %s for a change of %s: %w", w.kind, w.NamespacedName, told(causes), err)
	}
	r.o.Recorder.Event(w.object, corev1.EventTypeNormal, "Reloaded",
		fmt.Sprintf("Changes detected in %s in namespace '%s', Updated '%s' of type '%s' in namespace '%s'", told(causes), w.Namespace, w.Name, w.kind, w.Namespace))
	return nil
}

// told lists changes for people.
func told(causes []change) string {
	list := make([]string, len(causes))
	for i, c := range causes {
		list[i] = fmt.Sprintf("'%s' of type '%s'", c.Name, strings.ToUpper(c.kind))
	}
	return strings.Join(list, ", ")
}

// roll writes the annotation that makes the workload's controller replace its
// pods. It names the last of the causes; a repeated write changes nothing.
func (r *reconciler) roll(ctx context.Context, w workload, causes []change) error {
	last := causes[len(causes)-1]
	versions := make([]string, len(causes))
	for i, c := range causes {
		versions[i] = c.version
	}
	reason, err := json.Marshal(map[string]string{
		"type": strings.ToUpper(last.kind), "name": last.Name, "namespace": last.Namespace, "resourceVersion": strings.Join(versions, ","),
	})
	if err != nil {
		return err
	}
	spec := map[string]any{"template": map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{restartAnnotation: string(reason)}},
	}}
	change := map[string]any{"spec": spec}
	pausedAt, err := pauseAfter(w, time.Now())
	if err != nil {
		r.o.Recorder.Event(w.object, corev1.EventTypeWarning, "ReloadFail", err.Error())
	} else if pausedAt != "" {
		spec["paused"] = true
		change["metadata"] = map[string]any{"annotations": map[string]string{pausedAtAnnotation: pausedAt}}
	}
	patch, err := json.Marshal(change)
	if err != nil {
		return err
	}
	target := w.object.DeepCopyObject().(client.Object) // the cache's own must stay as it is
	return r.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldManager))
}

// run starts a CronJob's Job now, unless the CronJob is suspended. Its name
// follows from the changes, so that they start one only.
func (r *reconciler) run(ctx context.Context, cron *batchv1.CronJob, causes []change) error {
	if cron.Spec.Suspend != nil && *cron.Spec.Suspend {
		return nil
	}
	h := sha256.New()
	for _, c := range causes {
		fmt.Fprintf(h, "%s/%s@%s\n", c.kind, c.Name, c.version)
	}
	const longest = 63 - 9 // a Job's name becomes a label of its pods
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cron.Namespace, Name: fmt.Sprintf("%.*s-%x", longest, cron.Name, h.Sum(nil)[:4]),
			Labels: maps.Clone(cron.Spec.JobTemplate.Labels), Annotations: map[string]string{"cronjob.kubernetes.io/instantiate": "manual"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: *cron.Spec.JobTemplate.Spec.DeepCopy(),
	}
	maps.Copy(job.Annotations, cron.Spec.JobTemplate.Annotations)
	err := r.client.Create(ctx, job, client.FieldOwner(fieldManager))
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
