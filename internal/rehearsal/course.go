package rehearsal

import (
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
	"hearth/internal/timeline"
)

// course returns what happened from the API server's readiness until now.
func (s *Stage) course(snapshot []observe.Object, critical []Step, now time.Time) *timeline.Timeline {
	owners := map[domain.Ref]domain.Ref{}
	for _, o := range snapshot {
		owners[o.Ref] = o.Owner
	}
	c := timeline.Course{
		Began: s.kubernetes.ReadyAt(), Ended: now,
		Group: func(ref domain.Ref) string { return kustomizationOf(ref, owners) },
	}
	for _, t := range s.watcher.Transitions() {
		c.Steps = append(c.Steps, timeline.Step{Ref: t.Ref, At: t.At, To: t.To, Message: t.Message})
	}
	for _, step := range critical {
		c.Critical = append(c.Critical, step.Ref)
	}
	course := timeline.New(c)
	course.Cluster = s.cluster.Name
	course.Faults = append(course.Faults, s.faultSpans(c.Began, now)...)
	return course
}

// kustomizationOf names the Kustomization that an object is, or came from.
func kustomizationOf(ref domain.Ref, owners map[domain.Ref]domain.Ref) string {
	for range 8 { // owners never nest deeper
		if ref.Kind == "Kustomization" {
			return ref.Name
		}
		if ref = owners[ref]; ref == (domain.Ref{}) {
			return ""
		}
	}
	return ""
}

// faultSpans returns when which fault was on.
func (s *Stage) faultSpans(began, now time.Time) []timeline.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var spans []timeline.Span
	for _, on := range s.onset {
		end := on.lifted
		if end.IsZero() {
			end = now
		}
		spans = append(spans, timeline.Span{
			Name: on.fault.String(),
			From: max(0, round(on.began.Sub(began).Seconds())), To: round(end.Sub(began).Seconds()),
		})
	}
	return spans
}

// onset is when a fault was on.
type onset struct {
	fault         domain.Fault
	began, lifted time.Time
}

// noteBegun notes that a fault is on from now.
func (s *Stage) noteBegun(f domain.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onset = append(s.onset, onset{fault: f, began: time.Now()})
}

// noteLifted notes that it is no longer.
func (s *Stage) noteLifted(f domain.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.onset {
		if s.onset[i].fault == f && s.onset[i].lifted.IsZero() {
			s.onset[i].lifted = time.Now()
		}
	}
}
