package observe

import (
	"cmp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// postgresState reads the phase of a Cluster of CloudNative-PG. One that is
// healthy and has fewer instances than it wants is Degraded, and so is one in a
// phase that nobody knows and whose condition Ready is False.
func postgresState(d databaseStatus, created time.Time) Standing {
	ready, asleep := conditionOf(d.Status.Conditions, "Ready"), conditionOf(d.Status.Conditions, conditionHibernate)
	s := Standing{
		State: domain.DatabasePending, Message: "its operator has not answered yet",
		Since: firstTime(ready.LastTransitionTime.Time, created),
	}
	switch phase := d.Status.Phase; {
	case asleep.Status == metav1.ConditionTrue:
		s = told(domain.DatabaseSuspended, asleep)
		s.Ready = true
		return s
	case phase == "":
		return s
	default:
		s.Message = oneLine(cmp.Or(d.Status.PhaseReason, phase))
		s.State = phaseOfPostgres(phase, ready)
	}
	if s.State != domain.DatabaseReady {
		return s
	}
	s.Message = instances(d)
	if ready.Status == metav1.ConditionFalse || d.Spec.Instances > 0 && d.Status.ReadyInstances < d.Spec.Instances {
		s.State = domain.DatabaseDegraded
		return s
	}
	s.Ready = true
	return s
}

func phaseOfPostgres(phase string, ready metav1.Condition) domain.State {
	for _, p := range phasesOfPostgres {
		if strings.HasPrefix(phase, p.phase) {
			return p.state
		}
	}
	if ready.Status == metav1.ConditionFalse {
		return domain.DatabaseDegraded
	}
	return domain.DatabaseUpdating
}
