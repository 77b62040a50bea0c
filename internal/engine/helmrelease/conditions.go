package helmrelease

import (
	"fmt"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// summarize derives the Ready condition from what the last release, test and
// remediation came to.
func (s *step) summarize() {
	hr := s.hr
	types := []string{helmv2.RemediatedCondition, helmv2.ReleasedCondition}
	if hr.GetTest().Enable && !s.ignoresTestFailures() {
		types = []string{helmv2.RemediatedCondition, helmv2.TestSuccessCondition, helmv2.ReleasedCondition}
	}
	if !hr.GetTest().Enable {
		conditions.Delete(hr, helmv2.TestSuccessCondition)
	}
	// What was remediated is of no interest once a release succeeded.
	tested := !slices.Contains(types, helmv2.TestSuccessCondition) || conditions.IsTrue(hr, helmv2.TestSuccessCondition)
	if conditions.IsTrue(hr, helmv2.ReleasedCondition) && tested {
		conditions.Delete(hr, helmv2.RemediatedCondition)
	}
	var worst *metav1.Condition
	for _, t := range types {
		c := conditions.Get(hr, t)
		if c == nil {
			continue
		}
		if worst == nil || worst.Type != helmv2.RemediatedCondition && worst.Status == metav1.ConditionTrue {
			worst = c
		}
	}
	if worst == nil {
		return
	}
	status := worst.Status
	if worst.Type == helmv2.RemediatedCondition {
		// A release that had to be remediated is not what was asked for.
		status = metav1.ConditionFalse
	}
	conditions.Set(hr, &metav1.Condition{
		Type: meta.ReadyCondition, Status: status, Reason: worst.Reason, Message: worst.Message, ObservedGeneration: hr.Generation,
	})
}

// replaceRemediated shows a release that is as desired although it was
// remediated, because what is desired went back to what is there.
func (s *step) replaceRemediated() {
	latest := s.hr.Status.History.Latest()
	if latest == nil || conditions.IsTrue(s.hr, helmv2.ReleasedCondition) && !conditions.Has(s.hr, helmv2.RemediatedCondition) {
		return
	}
	conditions.Delete(s.hr, helmv2.RemediatedCondition)
	reason, verb := helmv2.UpgradeSucceededReason, "upgrade"
	if latest.Version == 1 {
		reason, verb = helmv2.InstallSucceededReason, "install"
	}
	conditions.MarkTrue(s.hr, helmv2.ReleasedCondition, reason, "%s",
		fmt.Sprintf("Helm %s succeeded for release %s with chart %s", verb, latest.FullReleaseName(), latest.VersionedChartName()))
}

// succeeded marks a condition and records the event.
func (s *step) succeeded(condition, reason, message string) {
	conditions.MarkTrue(s.hr, condition, reason, "%s", message)
	s.event(corev1.EventTypeNormal, reason, message)
}

// failed marks a condition and records the event.
func (s *step) failed(condition, reason, message string) {
	s.hr.Status.Failures++
	conditions.MarkFalse(s.hr, condition, reason, "%s", message)
	s.event(corev1.EventTypeWarning, reason, message)
}

func durationSince(started time.Time) *metav1.Duration {
	return &metav1.Duration{Duration: time.Since(started).Round(time.Millisecond)}
}
