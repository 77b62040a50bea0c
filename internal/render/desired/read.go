package desired

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

// read turns an object's content into its type. A duration that is none would
// hide everything else that can be said of the object, and is left out: the
// rules on intervals and schemas tell of it.
func read(content map[string]any, into any) error {
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, into)
	if err == nil {
		return nil
	}
	content = runtime.DeepCopyJSON(content)
	if !dropDurations(content["spec"]) {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(content, into)
}

// durations are the fields of Flux's objects that hold one.
var durations = map[string]bool{"interval": true, "retryInterval": true, "timeout": true}

// dropDurations removes what is no duration, outside of values, and reports
// whether there was any.
func dropDurations(v any) (dropped bool) {
	fields, _ := v.(map[string]any)
	for name, field := range fields {
		if text, ok := field.(string); ok && durations[name] {
			if _, err := time.ParseDuration(text); err != nil {
				delete(fields, name)
				dropped = true
			}
			continue
		}
		if name != "values" {
			dropped = dropDurations(field) || dropped
		}
	}
	return dropped
}
