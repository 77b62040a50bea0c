package helmrelease

import (
	"context"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/runtime/conditions"
	"helm.sh/helm/v4/pkg/release/common"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/engine/helmrelease/helmkube"
)

// unlock marks a release as failed that an action left pending when it was cut
// off, so that another can be begun.
func (s *step) unlock(context.Context) error {
	a := &attempt{seen: observed{}}
	a.client = s.connection.Client(context.Background(), helmkube.Options{})
	records := s.storage(a)
	rel, err := release(records.Last(s.releaseName()))
	if err != nil {
		return err
	}
	was := rel.Info.Status
	if !was.IsPending() {
		return nil
	}
	rel.SetStatus(common.StatusFailed, fmt.Sprintf(unlockedFrom, was))
	if err := records.Update(rel); err != nil {
		return err
	}
	if err := s.record(a.records(), s.hr.Status.LastAttemptedReleaseAction); err != nil {
		return err
	}
	message := fmt.Sprintf("Unlocked Helm release %s/%s.v%d with chart %s@%s in %s state",
		rel.Namespace, rel.Name, rel.Version, rel.Chart.Name(), rel.Chart.Metadata.Version, was)
	conditions.MarkFalse(s.hr, helmv2.ReleasedCondition, "PendingRelease", "%s", message)
	s.event(corev1.EventTypeNormal, "PendingRelease", message)
	return nil
}
