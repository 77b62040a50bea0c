package notification

import (
	"regexp"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"k8s.io/apimachinery/pkg/labels"
)

// asksFor reports whether an Alert asks for an event. Expressions that do not
// compile match nothing; the Alert's reconciler tells of them.
func asksFor(alert *notificationv1beta3.Alert, event *Event) bool {
	return !alert.Spec.Suspend &&
		severeEnough(alert, event) &&
		fromSource(alert, event) &&
		(len(alert.Spec.InclusionList) == 0 || anyMatches(alert.Spec.InclusionList, event.Message)) &&
		!anyMatches(alert.Spec.ExclusionList, event.Message)
}

// severeEnough lets everything pass unless the Alert is for one severity.
func severeEnough(alert *notificationv1beta3.Alert, event *Event) bool {
	wanted := alert.Spec.EventSeverity
	return wanted == "" || wanted == eventv1.EventSeverityInfo || wanted == event.Severity
}

// fromSource reports whether one of the Alert's sources is the event's object.
func fromSource(alert *notificationv1beta3.Alert, event *Event) bool {
	for i := range alert.Spec.EventSources {
		if isSource(&alert.Spec.EventSources[i], alert.Namespace, event) {
			return true
		}
	}
	return false
}

func isSource(source *notificationv1.CrossNamespaceObjectReference, home string, event *Event) bool {
	namespace := source.Namespace
	if namespace == "" {
		namespace = home
	}
	obj := event.InvolvedObject
	return obj.Kind == source.Kind && obj.Namespace == namespace &&
		(source.Name == "*" || source.Name == obj.Name) &&
		labels.SelectorFromSet(source.MatchLabels).Matches(labels.Set(event.Labels))
}

func anyMatches(expressions []string, message string) bool {
	for _, expression := range expressions {
		if r, err := regexp.Compile(expression); err == nil && r.MatchString(message) {
			return true
		}
	}
	return false
}
