package helmrelease

import (
	"context"
	"errors"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/runtime/conditions"
	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/kube"
)

// install makes the release for the first time, or anew.
func (s *step) install(ctx context.Context) error {
	spec := s.hr.GetInstall()
	s.begin(helmv2.ReleaseActionInstall)
	s.hr.Status.ClearHistory()
	timeout := s.timeout(spec.GetTimeout(s.hr.GetTimeout()).Duration)
	seen, err := s.act(ctx, func(ctx context.Context, a *attempt) error {
		policy := spec.CRDs
		if policy == "" {
			policy = helmv2.Create
		}
		if spec.SkipCRDs {
			policy = helmv2.Skip
		}
		if err := s.applyCRDs(ctx, a, policy); err != nil {
			return err
		}
		install := action.NewInstall(a.config)
		install.ReleaseName = s.releaseName()
		install.Namespace = s.hr.GetReleaseNamespace()
		install.Timeout = timeout
		install.TakeOwnership = !spec.DisableTakeOwnership
		install.WaitStrategy = s.waitStrategy(spec.DisableWait)
		install.WaitForJobs = !spec.DisableWaitForJobs
		install.DisableHooks = spec.DisableHooks
		install.DisableOpenAPIValidation = spec.DisableOpenAPIValidation
		install.SkipSchemaValidation = spec.DisableSchemaValidation
		install.Replace = spec.Replace
		install.SkipCRDs = true
		install.CreateNamespace = spec.CreateNamespace && s.hr.Spec.TargetNamespace != ""
		install.ServerSideApply = spec.ServerSideApply == nil || *spec.ServerSideApply
		install.ForceConflicts = install.ServerSideApply
		install.PostRenderer = s.postRenderer()
		install.PostRenderStrategy = action.PostRenderStrategy(s.hr.GetPostRenderStrategy())
		return s.rendering(ctx, a, func(c *chart.Chart) error {
			_, err := install.RunWithContext(context.WithoutCancel(ctx), c, s.values.Map)
			return err
		})
	})
	return s.released(seen, err, helmv2.ReleaseActionInstall, spec.GetRemediation())
}

// begin notes that an action starts, and forgets what an earlier one came to.
func (s *step) begin(act helmv2.ReleaseAction) {
	s.hr.Status.LastAttemptedReleaseAction = act
	conditions.Delete(s.hr, helmv2.TestSuccessCondition)
	conditions.Delete(s.hr, helmv2.RemediatedCondition)
}

// released notes what an install or upgrade came to. The error says that the
// action has to be tried again; a failure that left a release record is
// remediated instead.
func (s *step) released(seen observed, err error, act helmv2.ReleaseAction, remediation helmv2.Remediation) error {
	if recordErr := s.record(seen, act); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.Is(err, errInterrupted) {
		return err
	}
	defer s.summarize()
	reasons := [2]string{helmv2.InstallSucceededReason, helmv2.InstallFailedReason}
	if act == helmv2.ReleaseActionUpgrade {
		reasons = [2]string{helmv2.UpgradeSucceededReason, helmv2.UpgradeFailedReason}
	}
	s.takeInventory(seen)
	if err == nil {
		s.observePostRendering()
		latest := s.hr.Status.History.Latest()
		s.succeeded(helmv2.ReleasedCondition, reasons[0], fmt.Sprintf("Helm %s succeeded for release %s with chart %s",
			act, latest.FullReleaseName(), latest.VersionedChartName()))
		if s.hr.GetTest().Enable && !latest.HasBeenTested() {
			conditions.MarkUnknown(s.hr, helmv2.TestSuccessCondition, "AwaitingTests", "Helm release %s with chart %s is awaiting tests",
				latest.FullReleaseName(), latest.VersionedChartName())
		}
		return nil
	}
	s.failed(helmv2.ReleasedCondition, reasons[1], fmt.Sprintf("Helm %s failed for release %s/%s with chart %s: %s",
		act, s.hr.GetReleaseNamespace(), s.releaseName(), s.chartLabel(), s.located(err)))
	if errors.Is(err, errEndless) {
		conditions.MarkStalled(s.hr, "RenderTimeout", "%s: the chart's templates or the values have to change", err)
		return errStalled
	}
	if len(seen) == 0 {
		return err
	}
	remediation.IncrementFailureCount(s.hr)
	return nil
}

// waitStrategy returns how an action waits for what it applied.
func (s *step) waitStrategy(disabled bool) kube.WaitStrategy {
	switch {
	case disabled:
		return kube.HookOnlyStrategy
	case s.hr.GetWaitStrategy() == helmv2.WaitStrategyLegacy:
		return kube.LegacyStrategy
	}
	return kube.StatusWatcherStrategy
}
