package helmrelease

import (
	"context"
	"errors"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/action"
)

// rollback goes back from a failed upgrade to the release before it.
func (s *step) rollback(ctx context.Context, previous *helmv2.Snapshot) error {
	spec := s.hr.GetRollback()
	timeout := s.timeout(spec.GetTimeout(s.hr.GetTimeout()).Duration)
	seen, err := s.act(ctx, func(_ context.Context, a *attempt) error {
		rollback := action.NewRollback(a.config)
		rollback.Version = previous.Version
		rollback.Timeout = timeout
		rollback.WaitStrategy = s.waitStrategy(spec.DisableWait)
		rollback.WaitForJobs = !spec.DisableWaitForJobs
		rollback.DisableHooks = spec.DisableHooks
		rollback.CleanupOnFail = spec.CleanupOnFail
		rollback.MaxHistory = s.hr.GetMaxHistory()
		rollback.ServerSideApply = serverSide(spec.ServerSideApply)
		target, err := s.storedRelease(previous.Version)
		serverSideApplied := rollback.ServerSideApply == "true" ||
			rollback.ServerSideApply == "auto" && err == nil && target.ApplyMethod == "ssa"
		rollback.ForceConflicts = serverSideApplied
		rollback.ForceReplace = spec.Force && !serverSideApplied
		return rollback.Run(s.releaseName())
	})
	if recordErr := s.record(seen, helmv2.ReleaseActionRollback); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.Is(err, errInterrupted) {
		return err
	}
	defer s.summarize()
	s.takeInventory(seen)
	if err != nil {
		s.failed(helmv2.RemediatedCondition, helmv2.RollbackFailedReason, fmt.Sprintf(
			"Helm rollback to previous release %s with chart %s failed: %s",
			previous.FullReleaseName(), previous.VersionedChartName(), s.located(err)))
		if len(seen) == 0 {
			return err
		}
		return nil
	}
	s.succeeded(helmv2.RemediatedCondition, helmv2.RollbackSucceededReason, fmt.Sprintf(
		"Helm rollback to previous release %s with chart %s succeeded", previous.FullReleaseName(), previous.VersionedChartName()))
	return nil
}
