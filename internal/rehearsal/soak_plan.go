package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// planIntervals enters the intervals of everything that is looked at again
// and again. Where in its interval an object begins follows from the seed.
func (s *soak) planIntervals(ctx context.Context, _ SoakOptions) error {
	var (
		kustomizations kustomizev1.KustomizationList
		releases       helmv2.HelmReleaseList
		secrets        esv1.ExternalSecretList
		repositories   sourcev1.GitRepositoryList
		artifacts      sourcev1.OCIRepositoryList
		helm           sourcev1.HelmRepositoryList
	)
	var errs []error
	for _, list := range []client.ObjectList{&kustomizations, &releases, &secrets, &repositories, &artifacts, &helm} {
		errs = append(errs, s.engine.client.List(ctx, list))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, o := range kustomizations.Items {
		s.repeat(&o, "Kustomization reconcile", o.Spec.Interval.Duration, meta.ReconcileRequestAnnotation)
	}
	for _, o := range releases.Items {
		s.repeat(&o, "HelmRelease reconcile", o.Spec.Interval.Duration, meta.ReconcileRequestAnnotation)
	}
	for _, o := range repositories.Items {
		s.repeat(&o, "GitRepository fetch", o.Spec.Interval.Duration, meta.ReconcileRequestAnnotation)
	}
	for _, o := range artifacts.Items {
		s.repeat(&o, "OCIRepository fetch", o.Spec.Interval.Duration, meta.ReconcileRequestAnnotation)
	}
	for _, o := range helm.Items {
		s.repeat(&o, "HelmRepository fetch", o.Spec.Interval.Duration, meta.ReconcileRequestAnnotation)
	}
	for _, o := range secrets.Items {
		interval := domain.SecretRefreshInterval
		if o.Spec.RefreshInterval != nil {
			interval = o.Spec.RefreshInterval.Duration
		}
		s.repeat(&o, "ExternalSecret refresh", interval, forceSync)
	}
	return nil
}

// repeat enters an object's interval; one of 0 is never due. A request is
// made by annotation, as a person would make it.
func (s *soak) repeat(obj client.Object, what string, interval time.Duration, annotation string) {
	if interval <= 0 {
		return
	}
	key := client.ObjectKeyFromObject(obj)
	first := domain.Range{Min: 0, Max: interval}.Draw(s.options.Seed, what+key.String())
	s.agenda.add(&appointment{at: first, every: interval, what: what, do: func(ctx context.Context) error {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, annotation, time.Now().Format(time.RFC3339Nano))
		target := obj.DeepCopyObject().(client.Object)
		return client.IgnoreNotFound(s.engine.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch)))
	}})
}

// midnight is when a soak begins, as schedules see it.
var midnight = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// planCronJobs enters the schedules of CronJobs: their Jobs are made as
// kubectl create job --from=cronjob would make them.
func (s *soak) planCronJobs(ctx context.Context, _ SoakOptions) error {
	var list batchv1.CronJobList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return err
	}
	for _, job := range list.Items {
		if job.Spec.Suspend != nil && *job.Spec.Suspend {
			continue
		}
		schedule, err := cron.ParseStandard(job.Spec.Schedule)
		if err != nil {
			return fmt.Errorf("CronJob %s/%s: schedule %q: %w", job.Namespace, job.Name, job.Spec.Schedule, err)
		}
		next := func(at time.Duration) (time.Duration, bool) {
			due := schedule.Next(midnight.Add(at))
			return due.Sub(midnight), !due.IsZero()
		}
		first, ok := next(0)
		if !ok {
			continue
		}
		s.agenda.add(&appointment{at: first, next: next, what: "CronJob", do: func(ctx context.Context) error {
			return s.runJob(ctx, client.ObjectKeyFromObject(&job))
		}})
	}
	return nil
}

// runJob makes a Job of a CronJob as it is now.
func (s *soak) runJob(ctx context.Context, key client.ObjectKey) error {
	var job batchv1.CronJob
	if err := s.engine.client.Get(ctx, key, &job); err != nil {
		return client.IgnoreNotFound(err)
	}
	made := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, GenerateName: job.Name + "-",
			Labels: job.Spec.JobTemplate.Labels, Annotations: job.Spec.JobTemplate.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(&job, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: job.Spec.JobTemplate.Spec,
	}
	return s.engine.client.Create(ctx, made)
}
