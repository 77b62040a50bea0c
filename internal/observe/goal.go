package observe

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/kube/gitops"
)

// Goal is what an object may be waited to become.
type Goal struct {
	text string
	// condition and value are those of a condition that is waited for.
	condition, value string
}

// The goals that have names.
const (
	goalReady     = "ready"
	goalDeleted   = "deleted"
	goalSuspended = "suspended"
)

// ParseGoal reads "ready", "deleted", "suspended", "condition=NAME" or
// "condition=NAME=VALUE".
func ParseGoal(text string) (Goal, error) {
	switch text {
	case goalReady, goalDeleted, goalSuspended:
		return Goal{text: text}, nil
	}
	name, ok := strings.CutPrefix(text, "condition=")
	name, value, valued := strings.Cut(name, "=")
	if !ok || name == "" || valued && value == "" {
		return Goal{}, fmt.Errorf("%q is nothing to wait for: it is ready, deleted, suspended, condition=NAME or condition=NAME=VALUE", text)
	}
	if !valued {
		value = "True"
	}
	return Goal{text: "at " + name + "=" + value, condition: name, value: value}, nil
}

// String says what is waited for, as in "not … in time".
func (g Goal) String() string { return g.text }

// Absent reports whether the goal is that there is no object.
func (g Goal) Absent() bool { return g.text == goalDeleted }

// Reached reports whether an object has become what is waited for, and says
// how it is. Nil stands for an object that does not exist.
func (g Goal) Reached(obj *unstructured.Unstructured) (done bool, how string) {
	if obj == nil {
		return g.Absent(), "it does not exist"
	}
	s := Tell(obj)
	how = string(s.State)
	if s.Message != "" {
		how += ": " + s.Message
	}
	switch {
	case g.Absent():
		return false, how
	case g.text == goalReady:
		return s.Ready && !underWay(obj), how
	case g.text == goalSuspended:
		kind, _ := gitops.Known(obj.GroupVersionKind().GroupKind())
		if (gitops.Object{Unstructured: obj, Kind: kind}).Suspended() {
			return true, "suspended, " + how
		}
		return false, "not suspended, " + how
	}
	return g.met(obj)
}

// met looks for the condition.
func (g Goal) met(obj *unstructured.Unstructured) (done bool, how string) {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, entry := range list {
		c, _ := entry.(map[string]any)
		name, _ := c["type"].(string)
		if !strings.EqualFold(name, g.condition) {
			continue
		}
		value, _ := c["status"].(string)
		message, _ := c["message"].(string)
		how = name + "=" + value
		if message != "" {
			how += ": " + oneLine(message)
		}
		return strings.EqualFold(value, g.value), how
	}
	return false, "it has no condition " + g.condition
}
