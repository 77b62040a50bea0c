package helmrelease

import (
	"context"
	"errors"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/release/common"
	"helm.sh/helm/v4/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// delete uninstalls the release of a HelmRelease that is being deleted, and
// lets the HelmRelease go. A suspended one leaves its release as it is.
func (s *step) delete(ctx context.Context) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(s.hr, helmv2.HelmReleaseFinalizer) {
		return reconcile.Result{}, nil
	}
	key := client.ObjectKeyFromObject(s.hr)
	if !s.hr.Spec.Suspend {
		if err := s.uninstallForGood(ctx); err != nil {
			if ctx.Err() != nil {
				return reconcile.Result{}, nil
			}
			conditions.MarkFalse(s.hr, meta.ReadyCondition, helmv2.UninstallFailedReason, "%s", s.located(err))
			if saveErr := client.IgnoreNotFound(s.save(ctx)); saveErr != nil {
				return reconcile.Result{}, saveErr
			}
			return reconcile.Result{RequeueAfter: s.backoff.Next(key, s.hr.Spec.Interval.Duration)}, nil
		}
	}
	s.backoff.Forget(key)
	controllerutil.RemoveFinalizer(s.hr, helmv2.HelmReleaseFinalizer)
	err := client.IgnoreNotFound(s.patchFinalizers(ctx))
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil
	}
	return reconcile.Result{}, err
}

// uninstallForGood removes the release and the HelmChart made for it. What
// cannot be reached any more is left as it is.
func (s *step) uninstallForGood(ctx context.Context) error {
	if s.hr.Status.StorageNamespace == "" && s.hr.Status.History.Len() == 0 {
		return s.deleteChartTemplate(ctx)
	}
	why, err := s.unreachable(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		s.event(corev1.EventTypeWarning, helmv2.UninstallFailedReason, "the release is left as it is: "+why)
		return s.deleteChartTemplate(ctx)
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	conditions.MarkReconciling(s.hr, meta.ProgressingReason, "Running 'uninstall' action with timeout of %s",
		s.timeout(s.hr.GetUninstall().GetTimeout(s.hr.GetTimeout()).Duration))
	if err := client.IgnoreNotFound(s.save(ctx)); err != nil {
		return err
	}
	if err := s.uninstall(ctx); err != nil {
		return err
	}
	return s.deleteChartTemplate(ctx)
}

// uninstall removes the release, if there is one.
func (s *step) uninstall(ctx context.Context) error {
	rel, err := s.lastRelease()
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if rel.Info.Status == common.StatusUninstalled {
		return nil
	}
	label := fmt.Sprintf("%s/%s.v%d with chart %s@%s", rel.Namespace, rel.Name, rel.Version, rel.Chart.Name(), rel.Chart.Metadata.Version)
	seen, err := s.act(ctx, s.runUninstall)
	if recordErr := s.record(seen, helmv2.ReleaseActionUninstall); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.Is(err, errInterrupted) {
		return err
	}
	if err != nil {
		message := fmt.Sprintf("Helm uninstall failed for release %s: %s", label, s.located(err))
		s.failed(helmv2.ReleasedCondition, helmv2.UninstallFailedReason, message)
		return errors.New(message)
	}
	s.hr.Status.Inventory = nil
	message := fmt.Sprintf("Helm uninstall succeeded for release %s", label)
	conditions.MarkFalse(s.hr, helmv2.ReleasedCondition, helmv2.UninstallSucceededReason, "%s", message)
	s.event(corev1.EventTypeNormal, helmv2.UninstallSucceededReason, message)
	return nil
}

func (s *step) runUninstall(ctx context.Context, a *attempt) error {
	if err := s.sweepBeforeUninstall(ctx); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
		return err
	}
	spec := s.hr.GetUninstall()
	uninstall := action.NewUninstall(a.config)
	uninstall.Timeout = s.timeout(spec.GetTimeout(s.hr.GetTimeout()).Duration)
	uninstall.DisableHooks = spec.DisableHooks
	uninstall.KeepHistory = spec.KeepHistory
	uninstall.WaitStrategy = s.waitStrategy(spec.DisableWait)
	uninstall.DeletionPropagation = spec.GetDeletionPropagation()
	_, err := uninstall.Run(s.releaseName())
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	return err
}

// uninstallRemediation removes a release that failed, so that it can be
// installed anew.
func (s *step) uninstallRemediation(ctx context.Context) error {
	latest := s.hr.Status.History.Latest()
	seen, err := s.act(ctx, s.runUninstall)
	if recordErr := s.record(seen, helmv2.ReleaseActionUninstallRemediation); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.Is(err, errInterrupted) {
		return err
	}
	defer s.summarize()
	if err != nil {
		s.failed(helmv2.RemediatedCondition, helmv2.UninstallFailedReason, fmt.Sprintf(
			"Helm uninstall remediation for release %s with chart %s failed: %s", latest.FullReleaseName(), latest.VersionedChartName(), s.located(err)))
		return err
	}
	s.succeeded(helmv2.RemediatedCondition, helmv2.UninstallSucceededReason, fmt.Sprintf(
		"Helm uninstall remediation for release %s with chart %s succeeded", latest.FullReleaseName(), latest.VersionedChartName()))
	return nil
}
