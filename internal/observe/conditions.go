package observe

import (
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// fluxConditions are the conditions that Flux's reconcilers set, each the zero
// condition where it is absent.
type fluxConditions struct{ ready, reconciling, stalled metav1.Condition }

func readConditions(list []metav1.Condition) fluxConditions {
	find := func(name string) metav1.Condition {
		if c := apimeta.FindStatusCondition(list, name); c != nil {
			return *c
		}
		return metav1.Condition{}
	}
	return fluxConditions{
		ready:       find(meta.ReadyCondition),
		reconciling: find(meta.ReconcilingCondition),
		stalled:     find(meta.StalledCondition),
	}
}

// progressing reports whether a reconcile is under way, as opposed to one that
// failed and will be tried again.
func (c fluxConditions) progressing() bool {
	return c.reconciling.Status == metav1.ConditionTrue && c.reconciling.Reason != meta.ProgressingWithRetryReason
}

// told returns a standing in the words of a condition.
func told(s domain.State, c metav1.Condition) Standing {
	return Standing{State: s, Message: oneLine(c.Message), Since: since(c.LastTransitionTime)}
}

func deleting(s domain.State, at *metav1.Time, message string) Standing {
	return Standing{State: s, Message: oneLine(message), Since: at.Time}
}

// since returns a time of an object. The beginning of 1970, which Gateway API's
// definitions set where no controller has, is none.
func since(t metav1.Time) time.Time {
	if t.Unix() == 0 {
		return time.Time{}
	}
	return t.Time
}

// maxMessage bounds a message, in bytes: a failed Helm action quotes whole templates.
const maxMessage = 1024

// oneLine joins a message's lines, and bounds it.
func oneLine(s string) string {
	if len(s) > 4*maxMessage {
		s = s[:4*maxMessage]
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + " …"
	}
	return s
}
