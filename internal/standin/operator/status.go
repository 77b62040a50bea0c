package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Condition is one condition of a status.
type Condition struct {
	Type    string `yaml:"type"`
	Status  string `yaml:"status,omitempty"` // "" is "True"
	Reason  string `yaml:"reason,omitempty"` // "" is Ready
	Message string `yaml:"message,omitempty"`
}

// Status returns a copy of an object's status, never nil.
func Status(obj *unstructured.Unstructured) map[string]any {
	status, _, _ := unstructured.NestedMap(obj.Object, "status")
	if status == nil {
		status = map[string]any{}
	}
	return status
}

// Differs reports whether a status is another than the object's.
func (v *Visit) Differs(want map[string]any) bool {
	return !equality.Semantic.DeepEqual(Status(v.Object), withoutNil(want))
}

// WriteStatus makes a status the object's, and reports whether it was another.
// A nil value removes a field.
func (v *Visit) WriteStatus(ctx context.Context, want map[string]any) (bool, error) {
	if !v.Differs(want) {
		return false, nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": v.Object.GetUID()},
		"status":   want,
	})
	if err != nil {
		return false, err
	}
	target := &unstructured.Unstructured{}
	target.SetGroupVersionKind(v.Object.GroupVersionKind())
	target.SetNamespace(v.Object.GetNamespace())
	target.SetName(v.Object.GetName())
	raw := client.RawPatch(types.MergePatchType, patch)
	if v.kind.subStatus {
		err = v.Client.Status().Patch(ctx, target, raw)
	} else {
		err = v.Client.Patch(ctx, target, raw)
	}
	if err != nil {
		return false, fmt.Errorf("write the status of %s: %w", v.Key, err)
	}
	v.Object.Object["status"] = withoutNil(want)
	return true, nil
}

func withoutNil(status map[string]any) map[string]any {
	kept := runtime.DeepCopyJSON(status)
	for key, value := range kept {
		if value == nil {
			delete(kept, key)
		}
	}
	return kept
}

// SetCondition returns the list of a status' conditions with one of them set.
// The time of its last transition is kept where the condition's status was the
// same already.
func SetCondition(list []any, c Condition, generation int64) []any {
	status, reason := c.Status, c.Reason
	if status == "" {
		status = "True"
	}
	if reason == "" {
		reason = "Ready"
	}
	want := map[string]any{
		"type": c.Type, "status": status, "reason": reason, "message": c.Message,
		"observedGeneration": generation,
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}
	for i, item := range list {
		had, ok := item.(map[string]any)
		if !ok || had["type"] != c.Type {
			continue
		}
		if had["status"] != status {
			list[i] = want
			return list
		}
		// What the definition has no room for was dropped, and is not missed.
		for _, field := range []string{"reason", "message", "observedGeneration"} {
			if _, kept := had[field]; kept {
				had[field] = want[field]
			}
		}
		return list
	}
	return append(list, want)
}

// Conditions sets conditions in a status.
func Conditions(status map[string]any, generation int64, conditions ...Condition) {
	list, _ := status["conditions"].([]any)
	for _, c := range conditions {
		list = SetCondition(list, c, generation)
	}
	status["conditions"] = list
}

// DropCondition removes a condition from a status.
func DropCondition(status map[string]any, kind string) {
	list, _ := status["conditions"].([]any)
	kept := []any{}
	for _, item := range list {
		if had, ok := item.(map[string]any); !ok || had["type"] != kind {
			kept = append(kept, item)
		}
	}
	status["conditions"] = kept
}
