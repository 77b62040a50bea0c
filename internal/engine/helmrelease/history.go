package helmrelease

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/render/helm"
)

// observed are the release records that an action wrote, by revision, each as
// it was written last.
type observed map[int]*releasev1.Release

// record brings the history in the status up to what was observed.
func (s *step) record(seen observed, action helmv2.ReleaseAction) error {
	history := s.hr.Status.History
	for _, revision := range slices.Sorted(maps.Keys(seen)) {
		snapshot, err := snapshotOf(seen[revision])
		if err != nil {
			return err
		}
		i := slices.IndexFunc(history, func(known *helmv2.Snapshot) bool {
			return known.Targets(snapshot.Name, snapshot.Namespace, snapshot.Version)
		})
		if i >= 0 {
			snapshot.Action, snapshot.OCIDigest = history[i].Action, history[i].OCIDigest
			snapshot.SetTestHooks(history[i].GetTestHooks())
			history[i] = snapshot
			continue
		}
		snapshot.Action, snapshot.OCIDigest = action, s.ociDigest
		history = append(history, snapshot)
	}
	history.SortByVersion()
	s.hr.Status.History = history
	return nil
}

// snapshotOf describes a release record for the status.
func snapshotOf(rel *releasev1.Release) (*helmv2.Snapshot, error) {
	digest, err := digestOf(rel)
	if err != nil {
		return nil, err
	}
	config, err := helm.DigestValues(rel.Config)
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

// digestOf names a release record by what matters of it. When hooks ran last
// does not: tests run without changing the release.
func digestOf(rel *releasev1.Release) (string, error) {
	var name, version string
	if rel.Chart != nil && rel.Chart.Metadata != nil {
		name, version = rel.Chart.Metadata.Name, rel.Chart.Metadata.Version
	}
	type hook struct{ Path, Manifest string }
	hooks := make([]hook, len(rel.Hooks))
	for i, h := range rel.Hooks {
		hooks[i] = hook{h.Path, h.Manifest}
	}
	config := rel.Config
	if len(config) == 0 {
		config = nil
	}
	content, err := json.Marshal(struct {
		Name, Namespace, Chart, ChartVersion, Manifest string
		Version                                        int
		Status                                         common.Status
		Config                                         map[string]any
		Hooks                                          []hook
		FirstDeployed, LastDeployed, Deleted           int64
	}{
		rel.Name, rel.Namespace, name, version, rel.Manifest, rel.Version, rel.Info.Status, config, hooks,
		unix(rel.Info.FirstDeployed), unix(rel.Info.LastDeployed), unix(rel.Info.Deleted),
	})
	if err != nil {
		return "", fmt.Errorf("digesting the release %s/%s: %w", rel.Namespace, rel.Name, err)
	}
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
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
	digest, err := digestOf(rel)
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
	digest, err := helm.DigestValues(rel.Config)
	if err != nil {
		return err
	}
	if digest != configDigest {
		return errConfigChanged
	}
	return nil
}
