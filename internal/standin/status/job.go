package status

import (
	"context"
	"fmt"
	"slices"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/standin/operator"
)

// jobKind is the kind whose rows say what the programs of Jobs would make: the
// row's images are those that the Job itself runs.
var jobKind = batchv1.SchemeGroupVersion.WithKind("Job")

// jobs makes what Jobs would make, once their pods have run: certificates for
// webhooks above all.
type jobs struct {
	Options
	rules  []*rule // the first that fits a Job
	client client.Client

	mu   sync.Mutex
	done map[types.NamespacedName]*batchv1.Job // a hook's Job goes as soon as it is done
}

// setupJobs registers the controller with the manager.
func setupJobs(mgr manager.Manager, o Options, t *table) error {
	j := &jobs{Options: o, rules: t.jobs, client: mgr.GetClient(), done: map[types.NamespacedName]*batchv1.Job{}}
	skip := true
	return builder.ControllerManagedBy(mgr).
		Named("status-jobs").
		For(&batchv1.Job{}, builder.WithPredicates(predicate.Funcs{
			CreateFunc:  func(e event.CreateEvent) bool { return j.take(e.Object) },
			UpdateFunc:  func(e event.UpdateEvent) bool { return j.take(e.ObjectNew) },
			DeleteFunc:  func(event.DeleteEvent) bool { return false },
			GenericFunc: func(event.GenericEvent) bool { return false },
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, j))
}

// take keeps a Job that has run and that a row is for.
func (j *jobs) take(obj client.Object) bool {
	job, ok := obj.(*batchv1.Job)
	if !ok || job.Status.Succeeded == 0 || j.find(job) == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done[client.ObjectKeyFromObject(job)] = job
	return true
}

// find returns the rule for a Job; nil is none.
func (j *jobs) find(job *batchv1.Job) *rule {
	pod := &corev1.Pod{Spec: job.Spec.Template.Spec}
	for _, r := range j.rules {
		if !r.Leave && operator.Runs(pod, r.Images) {
			return r
		}
	}
	return nil
}

// Reconcile makes what one Job would have made.
func (j *jobs) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	j.mu.Lock()
	job := j.done[req.NamespacedName]
	j.mu.Unlock()
	if job == nil {
		return reconcile.Result{}, nil
	}
	wanted, r, err := j.wanted(ctx, job)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, obj := range wanted {
		if err := j.client.Create(ctx, obj); err != nil && !apierrors.IsAlreadyExists(err) && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			return reconcile.Result{}, fmt.Errorf("make the %s %s/%s of the Job %s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), req, err)
		}
	}
	if len(wanted) > 0 {
		j.Assumptions.Add(domain.AssumedOperator, r.Operator, fmt.Sprintf("what it does in Job %s is played", req))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done[req.NamespacedName] == job {
		delete(j.done, req.NamespacedName)
	}
	return reconcile.Result{}, nil
}

// wanted returns what a Job would make.
func (j *jobs) wanted(ctx context.Context, job *batchv1.Job) ([]*unstructured.Unstructured, *rule, error) {
	r := j.find(job)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(job)
	if err != nil {
		return nil, nil, err
	}
	obj := &unstructured.Unstructured{Object: content}
	obj.SetGroupVersionKind(jobKind)
	_, wanted, err := r.prepare(ctx, obj, j.Seed)
	if err != nil {
		return nil, nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	for _, one := range wanted {
		if one.GetNamespace() == "" {
			one.SetNamespace(job.Namespace)
		}
		labels := one.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["app.kubernetes.io/managed-by"] = operator.ManagedBy
		one.SetLabels(labels)
	}
	return wanted, r, nil
}

// jobRules returns the rules for Jobs, the last of the rows first, so that the
// user's come before the table's.
func jobRules(rules []*rule) []*rule {
	var list []*rule
	for _, r := range slices.Backward(rules) {
		if r.Group == jobKind.Group && r.Kind == jobKind.Kind {
			list = append(list, r)
		}
	}
	return list
}
