package helmrelease

import (
	"context"
	"errors"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
)

// move is what is done next about a release.
type move struct {
	name string
	kind moveKind
	// timeout is what one wait of it may take.
	timeout time.Duration
	run     func(context.Context) error
}

type moveKind int

const (
	// changes the release to what is desired.
	moveRelease moveKind = iota
	moveRemedy
	moveUnlock
	moveCorrect
	moveTest
)

// release moves the stored release to what is desired: one move at a time,
// each decided by the state that the one before left. Every kind of move is
// made at most once; what is then still to do is left to the next try.
func (s *step) release(ctx context.Context) error {
	made := map[moveKind]bool{}
	for {
		if ctx.Err() != nil {
			return errInterrupted
		}
		st, _, err := s.state(ctx)
		if err != nil {
			return s.unready("StateError", fmt.Errorf("Could not determine release state: %w", err))
		}
		next, err := s.decide(st)
		if err != nil {
			return err
		}
		if next == nil {
			if err := s.sweep(ctx); err != nil {
				return s.unready("StateError", err)
			}
			return s.inSync(st)
		}
		if made[next.kind] {
			return s.giveWay(false)
		}
		if err := s.make(ctx, next); err != nil {
			return err
		}
		if next.kind == moveRemedy {
			return s.giveWay(true)
		}
		made[next.kind] = true
	}
}

// make announces a move and makes it.
func (s *step) make(ctx context.Context, next *move) error {
	message := fmt.Sprintf("Running '%s' action with timeout of %s", next.name, next.timeout)
	conditions.MarkReconciling(s.hr, meta.ProgressingReason, "%s", message)
	if next.kind == moveRelease {
		conditions.MarkUnknown(s.hr, meta.ReadyCondition, meta.ProgressingReason, "%s", message)
	}
	if err := s.save(ctx); err != nil {
		return errors.Join(errRetry, err)
	}
	started := time.Now()
	err := next.run(ctx)
	if next.kind == moveRelease {
		s.hr.Status.LastAttemptedReleaseActionDuration = durationSince(started)
	}
	if err == nil || errors.Is(err, errInterrupted) || errors.Is(err, errStalled) {
		return err
	}
	if retry := s.hr.GetActiveRetry(false); retry != nil {
		conditions.MarkReconciling(s.hr, meta.ProgressingWithRetryReason, "retrying after %s", retry.GetRetryInterval())
	}
	if conditions.IsReady(s.hr) {
		conditions.MarkFalse(s.hr, meta.ReadyCondition, "ReconcileError", "%s", err)
	}
	return fmt.Errorf("%w: %w", errRetry, err)
}

// inSync notes that the release is as desired, whatever became of its objects.
func (s *step) inSync(st state) error {
	if s.hr.GetActiveRetry(false) != nil {
		s.hr.Status.History.TruncateIgnoringPreviousSnapshots()
	} else {
		s.hr.Status.History.Truncate(s.ignoresTestFailures())
	}
	switch {
	case !s.hr.GetDriftDetection().MustDetectChanges():
		conditions.Delete(s.hr, helmv2.DriftedCondition)
	case st == stateInSync:
		conditions.MarkFalse(s.hr, helmv2.DriftedCondition, helmv2.NoDriftDetectedReason, "No drift detected against the cluster state")
	}
	s.hr.Status.ClearFailures()
	s.observePostRendering()
	conditions.Delete(s.hr, meta.ReconcilingCondition)
	conditions.Delete(s.hr, meta.StalledCondition)
	s.replaceRemediated()
	s.summarize()
	return nil
}

// giveWay ends this reconciliation after a failure: the next try follows, or
// none where all are spent.
func (s *step) giveWay(remedied bool) error {
	remediation := s.hr.GetActiveRemediation()
	if retry := s.hr.GetActiveRetry(false); retry != nil {
		conditions.MarkReconciling(s.hr, meta.ProgressingWithRetryReason, "retrying after %s", retry.GetRetryInterval())
		return errRetry
	}
	// What was uninstalled after its last upgrade failed is installed anew.
	if remediation != nil && remediation.RetriesExhausted(s.hr) && !(remedied && remediation.IsUninstallAfterUpgrade()) {
		return s.exhausted()
	}
	conditions.MarkReconciling(s.hr, meta.ProgressingWithRetryReason, "%s", conditions.GetMessage(s.hr, meta.ReadyCondition))
	return errRetry
}

// exhausted says that no try is left.
func (s *step) exhausted() error {
	attempts := int64(0)
	if remediation := s.hr.GetActiveRemediation(); remediation != nil {
		attempts = remediation.GetFailureCount(s.hr)
	}
	conditions.MarkStalled(s.hr, "RetriesExceeded", "Failed to %s after %d attempt(s)", s.hr.Status.LastAttemptedReleaseAction, attempts)
	return errStalled
}

func (s *step) ignoresTestFailures() bool {
	ignore := s.hr.GetTest().IgnoreFailures
	if remediation := s.hr.GetActiveRemediation(); remediation != nil {
		return remediation.MustIgnoreTestFailures(ignore)
	}
	return ignore
}

// decide returns the next move, or nil where the release is as desired.
func (s *step) decide(st state) (*move, error) {
	// Asked before the state is looked at: a request is handled only once.
	forced := helmv2.ShouldHandleForceRequest(s.hr)
	switch st {
	case stateInSync:
		if forced {
			return s.upgradeMove(), nil
		}
		return nil, nil
	case stateLocked:
		return &move{"unlock", moveUnlock, s.timeout(s.hr.GetTimeout().Duration), s.unlock}, nil
	case stateAbsent:
		if !forced && s.hr.GetInstall().GetRetry(false) == nil && s.hr.GetInstall().GetRemediation().RetriesExhausted(s.hr) {
			s.hr.Status.LastAttemptedReleaseAction = helmv2.ReleaseActionInstall
			return nil, s.exhausted()
		}
		return s.installMove(), nil
	case stateUnmanaged:
		s.hr.Status.ClearHistory()
		return s.upgradeMove(), nil
	case stateOutOfSync:
		if !forced && s.hr.GetUpgrade().GetRetry(false) == nil && s.hr.GetUpgrade().GetRemediation().RetriesExhausted(s.hr) {
			return nil, s.exhausted()
		}
		return s.upgradeMove(), nil
	case stateDrifted:
		s.tellDrift()
		if s.hr.GetDriftDetection().GetMode() != helmv2.DriftDetectionEnabled {
			return nil, nil
		}
		return &move{"correct cluster drift", moveCorrect, s.timeout(s.hr.GetTimeout().Duration), s.correctDrift}, nil
	case stateUntested:
		return &move{"test", moveTest, s.timeout(s.hr.GetTest().GetTimeout(s.hr.GetTimeout()).Duration), s.test}, nil
	}
	return s.remedy(forced)
}

// remedy returns what is done about a failed release.
func (s *step) remedy(forced bool) (*move, error) {
	remediation := s.hr.GetActiveRemediation()
	if remediation == nil || remediation.GetFailureCount(s.hr) <= 0 || forced || s.hr.GetActiveRetry(false) != nil {
		return s.upgradeMove(), nil
	}
	if remediation.RetriesExhausted(s.hr) && !remediation.MustRemediateLastFailure() {
		return nil, s.exhausted()
	}
	s.hr.Status.History.Truncate(s.ignoresTestFailures())
	if remediation.GetStrategy() == helmv2.UninstallRemediationStrategy {
		timeout := s.timeout(s.hr.GetUninstall().GetTimeout(s.hr.GetTimeout()).Duration)
		return &move{"uninstall", moveRemedy, timeout, s.uninstallRemediation}, nil
	}
	previous := s.hr.Status.History.Previous(s.ignoresTestFailures())
	if previous == nil {
		conditions.MarkStalled(s.hr, "MissingRollbackTarget", "Failed to perform remediation: missing target release for rollback")
		return nil, errStalled
	}
	rel, err := s.storedRelease(previous.Version)
	if err != nil || verifyObserved(previous, rel) != nil {
		// There is nothing sound to go back to: the best that is left is forward.
		return s.upgradeMove(), nil
	}
	return s.rollbackMove(previous), nil
}

func (s *step) rollbackMove(to *helmv2.Snapshot) *move {
	timeout := s.timeout(s.hr.GetRollback().GetTimeout(s.hr.GetTimeout()).Duration)
	return &move{"rollback", moveRemedy, timeout, func(ctx context.Context) error { return s.rollback(ctx, to) }}
}

func (s *step) installMove() *move {
	return &move{"install", moveRelease, s.timeout(s.hr.GetInstall().GetTimeout(s.hr.GetTimeout()).Duration), s.install}
}

func (s *step) upgradeMove() *move {
	return &move{"upgrade", moveRelease, s.timeout(s.hr.GetUpgrade().GetTimeout(s.hr.GetTimeout()).Duration), s.upgrade}
}

func (s *step) timeout(specified time.Duration) time.Duration {
	if s.o.Timeout == nil {
		return specified
	}
	return s.o.Timeout(specified)
}

func (s *step) lastRelease() (*releasev1.Release, error) {
	return release(s.storage(nil).Last(s.releaseName()))
}

func (s *step) storedRelease(version int) (*releasev1.Release, error) {
	return release(s.storage(nil).Get(s.releaseName(), version))
}
