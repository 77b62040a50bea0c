package helmrelease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"

	"hearth/internal/render/helm"
)

// state is what the stored release is, compared to what is desired.
type state string

const (
	stateInSync    state = "in sync"
	stateAbsent    state = "absent"
	stateUnmanaged state = "unmanaged"
	stateOutOfSync state = "out of sync"
	stateDrifted   state = "drifted"
	stateLocked    state = "locked"
	stateUntested  state = "untested"
	stateFailed    state = "failed"
)

// state looks the release up in Helm's storage, and says why it is in the
// state it is in.
func (s *step) state(ctx context.Context) (st state, why string, err error) {
	s.stored, err = s.history()
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return stateAbsent, "no release in storage for object", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("failed to retrieve last release from storage: %w", err)
	}
	rel := s.stored[len(s.stored)-1]
	status := rel.Info.Status
	if status.IsPending() {
		return stateLocked, fmt.Sprintf("release with status '%s'", status), nil
	}
	latest := s.hr.Status.History.Latest()
	if latest == nil {
		if status == common.StatusUninstalled {
			return stateAbsent, "found uninstalled release in storage", nil
		}
		return stateUnmanaged, "found existing release in storage", nil
	}
	if err := verifyObserved(latest, rel); errors.Is(err, errNotObserved) || errors.Is(err, errDigestChanged) {
		return stateUnmanaged, err.Error(), nil
	} else if err != nil {
		return "", "", err
	}
	switch status {
	case common.StatusUninstalled:
		return stateAbsent, "found uninstalled release in storage", nil
	case common.StatusFailed, common.StatusUninstalling:
		return stateFailed, fmt.Sprintf("release with status '%s'", status), nil
	case common.StatusDeployed:
		return s.deployed(ctx, rel, latest)
	}
	return "", "", fmt.Errorf("unable to determine state for release with status '%s'", status)
}

// deployed compares a deployed release to what is desired.
func (s *step) deployed(ctx context.Context, rel *releasev1.Release, latest *helmv2.Snapshot) (state, string, error) {
	wanted, err := s.wantedConfig(rel)
	if err != nil {
		return "", "", err
	}
	if err := verifyDesired(rel, s.metadata(), wanted); errors.Is(err, errChartChanged) || errors.Is(err, errConfigChanged) {
		return stateOutOfSync, err.Error(), nil
	} else if err != nil {
		return "", "", err
	}
	if s.hr.Status.ObservedGeneration != s.hr.Generation {
		if s.postRenderersDigest() != s.hr.Status.ObservedPostRenderersDigest {
			return stateOutOfSync, "postrenderers digest has changed", nil
		}
		if s.commonMetadataDigest() != s.hr.Status.ObservedCommonMetadataDigest {
			return stateOutOfSync, "common metadata digest has changed", nil
		}
	}
	test := s.hr.GetTest()
	if test.Enable && !latest.HasBeenTested() {
		return stateUntested, "release has not been tested", nil
	}
	ignore := test.IgnoreFailures
	if remediation := s.hr.GetActiveRemediation(); remediation != nil {
		ignore = remediation.MustIgnoreTestFailures(test.IgnoreFailures)
	}
	if test.Enable && !ignore && latest.HasTestInPhase(string(releasev1.HookPhaseFailed)) {
		return stateFailed, "release has failed tests", nil
	}
	if !s.hr.GetDriftDetection().MustDetectChanges() {
		return stateInSync, "", nil
	}
	if s.drift, err = s.detectDrift(ctx, rel); err != nil {
		return "", "", err
	}
	if s.drift.HasChanges() {
		return stateDrifted, "the cluster differs from the release", nil
	}
	return stateInSync, "", nil
}

// wantedConfig returns the digest of the values that the next upgrade would
// store. Where it keeps the values of a release, they are merged into those.
func (s *step) wantedConfig(rel *releasev1.Release) (string, error) {
	if !s.hr.GetUpgrade().PreserveValues {
		return s.configDigest, nil
	}
	return digestOfValues(helm.Merge(rel.Config, s.values.Map))
}

// observePostRendering notes what the release's manifests were changed by.
func (s *step) observePostRendering() {
	s.hr.Status.ObservedPostRenderersDigest = s.postRenderersDigest()
	s.hr.Status.ObservedCommonMetadataDigest = s.commonMetadataDigest()
}

func (s *step) postRenderersDigest() string {
	if len(s.hr.Spec.PostRenderers) == 0 {
		return ""
	}
	return digestOfSpec(s.hr.Spec.PostRenderers)
}

func (s *step) commonMetadataDigest() string {
	if s.hr.Spec.CommonMetadata == nil {
		return ""
	}
	return digestOfSpec(s.hr.Spec.CommonMetadata)
}

// digestOfSpec names a part of the spec by content.
func digestOfSpec(part any) string {
	content, err := json.Marshal(part)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
