package helmrelease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
)

// Helm's release names are at most this long; a longer one keeps so much of
// its beginning and gets a digest.
const (
	longestName = 53
	keptOfName  = 40
	nameDigest  = 12
)

// releaseName is the name that the release has in Helm's storage.
func (s *step) releaseName() string { return shortened(s.hr.GetReleaseName()) }

func shortened(name string) string {
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:keptOfName] + "-" + hex.EncodeToString(sum[:])[:nameDigest]
}

// targetChanged says why the release that was made is another one than the
// one that the spec describes, or nothing.
func (s *step) targetChanged() string {
	latest := s.hr.Status.History.Latest()
	switch {
	case s.hr.Status.StorageNamespace == "":
		return ""
	case s.hr.GetStorageNamespace() != s.hr.Status.StorageNamespace:
		return "storage namespace changed"
	case latest == nil:
		return ""
	case s.hr.GetReleaseNamespace() != latest.Namespace:
		return "target namespace changed"
	case s.releaseName() != latest.Name:
		return "release name changed"
	case s.chart.Name() != latest.ChartName && s.hr.GetUpgrade().GetChartNameChangeStrategy() == helmv2.ChartNameChangeStrategyReinstall:
		return "chart name changed"
	}
	return ""
}

// moveTarget removes the release that is no longer described, so that the one
// that is can take its place.
func (s *step) moveTarget(ctx context.Context, why string) error {
	old := &step{reconciler: s.reconciler, hr: s.hr.DeepCopy(), connection: s.connection, values: s.values}
	if latest := old.hr.Status.History.Latest(); latest != nil {
		old.hr.Spec.ReleaseName, old.hr.Spec.TargetNamespace = latest.Name, latest.Namespace
	}
	if err := old.uninstall(ctx); err != nil {
		return s.unready(helmv2.UninstallFailedReason, fmt.Errorf("%s: %w", why, err))
	}
	s.hr.Status.ClearHistory()
	s.hr.Status.ClearFailures()
	s.hr.Status.StorageNamespace = ""
	s.countAnew()
	return s.release(ctx)
}
