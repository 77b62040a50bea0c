package helmrelease

import (
	"errors"
	"maps"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// observed are the release records that an action wrote, by revision, each as
// it was written last.
type observed map[int]*releasev1.Release

// record brings the history in the status up to what was observed.
func (s *step) record(seen observed, action helmv2.ReleaseAction) error {
	history := s.hr.Status.History
	for _, revision := range slices.Sorted(maps.Keys(seen)) {
		rel := seen[revision]
		i := slices.IndexFunc(history, func(known *helmv2.Snapshot) bool {
			return known.Targets(rel.Name, rel.Namespace, rel.Version)
		})
		oci := s.ociDigest
		if i >= 0 {
			oci = history[i].OCIDigest
		}
		snapshot, err := snapshotOf(rel, oci)
		if err != nil {
			return err
		}
		if i >= 0 {
			snapshot.Action = history[i].Action
			if action == helmv2.ReleaseActionUninstall || action == helmv2.ReleaseActionUninstallRemediation {
				snapshot.Action = action
			}
			snapshot.SetTestHooks(history[i].GetTestHooks())
			history[i] = snapshot
			continue
		}
		snapshot.Action = action
		history = append(history, snapshot)
	}
	history.SortByVersion()
	s.hr.Status.History = history
	return nil
}

// snapshotOf describes a release record for the status.
func snapshotOf(rel *releasev1.Release, ociDigest string) (*helmv2.Snapshot, error) {
	digest, err := digestOf(rel, ociDigest)
	if err != nil {
		return nil, err
	}
	config, err := digestOfValues(rel.Config)
	if err != nil {
		return nil, err
	}
	snapshot := &helmv2.Snapshot{
		APIVersion:    helmv2.CurrentSnapshotAPIVersion,
		Digest:        digest,
		Name:          rel.Name,
		Namespace:     rel.Namespace,
		Version:       rel.Version,
		Status:        rel.Info.Status.String(),
		ConfigDigest:  config,
		OCIDigest:     ociDigest,
		FirstDeployed: seconds(rel.Info.FirstDeployed),
		LastDeployed:  seconds(rel.Info.LastDeployed),
		Deleted:       seconds(rel.Info.Deleted),
	}
	if rel.Chart != nil && rel.Chart.Metadata != nil {
		snapshot.ChartName = rel.Chart.Metadata.Name
		snapshot.ChartVersion = rel.Chart.Metadata.Version
		snapshot.AppVersion = rel.Chart.Metadata.AppVersion
	}
	return snapshot, nil
}

// seconds drops what the API does not keep of a time.
func seconds(t time.Time) metav1.Time {
	if t.IsZero() {
		return metav1.Time{}
	}
	return metav1.NewTime(t.Truncate(time.Second))
}

// The ways a release record is not what the history or the spec says.
var (
	errNotObserved   = errors.New("release not observed to be made for object")
	errDigestChanged = errors.New("release digest does not match observed")
	errChartChanged  = errors.New("release chart changed")
	errConfigChanged = errors.New("release config values changed")
)

// verifyObserved tells whether a record is the one that was observed last.
func verifyObserved(snapshot *helmv2.Snapshot, rel *releasev1.Release) error {
	if !snapshot.Targets(rel.Name, rel.Namespace, rel.Version) {
		return errNotObserved
	}
	if snapshot.APIVersion != helmv2.CurrentSnapshotAPIVersion {
		return nil // digested in a way that is not used any more
	}
	digest, err := digestOf(rel, snapshot.OCIDigest)
	if err != nil {
		return err
	}
	if digest != snapshot.Digest {
		return errDigestChanged
	}
	return nil
}

// verifyDesired tells whether a record has the chart and values wanted.
func verifyDesired(rel *releasev1.Release, wanted *chart.Metadata, configDigest string) error {
	if rel.Chart == nil || rel.Chart.Metadata == nil || rel.Chart.Metadata.Name != wanted.Name || rel.Chart.Metadata.Version != wanted.Version {
		return errChartChanged
	}
	digest, err := digestOfValues(rel.Config)
	if err != nil {
		return err
	}
	if digest != configDigest {
		return errConfigChanged
	}
	return nil
}
