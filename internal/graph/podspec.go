package graph

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/render/desired"
)

// PodSpec is the specification of pods that an object makes.
type PodSpec struct {
	Spec *corev1.PodSpec
	// Path leads to it in the object.
	Path []string
}

// podPaths are where the kinds of Kubernetes keep the specification of pods.
var podPaths = map[kind][]string{
	{"", "Pod"}:                   {"spec"},
	{"", "PodTemplate"}:           {"template", "spec"},
	{"", "ReplicationController"}: {"spec", "template", "spec"},
	{"apps", "Deployment"}:        {"spec", "template", "spec"},
	{"apps", "StatefulSet"}:       {"spec", "template", "spec"},
	{"apps", "DaemonSet"}:         {"spec", "template", "spec"},
	{"apps", "ReplicaSet"}:        {"spec", "template", "spec"},
	{"batch", "Job"}:              {"spec", "template", "spec"},
	{"batch", "CronJob"}:          {"spec", "jobTemplate", "spec", "template", "spec"},
}

// PodSpecs returns the specifications of pods that an object of Kubernetes'
// own workload kinds holds; none for other kinds. Fields of a wrong type, which
// the API server would refuse, are left out.
func PodSpecs(o *desired.Object) []PodSpec {
	path, ok := podPaths[kindOf(o)]
	if !ok {
		return nil
	}
	content, ok := field{value: o.Object}.at(path...).value.(map[string]any)
	if !ok {
		return nil
	}
	return []PodSpec{{Spec: podSpec(content), Path: path}}
}

// podSpec converts what can be converted: the whole, or its fields one by one,
// and of lists the items that can be.
func podSpec(content map[string]any) *corev1.PodSpec {
	spec := &corev1.PodSpec{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, spec) == nil {
		return spec
	}
	spec = &corev1.PodSpec{}
	for name, value := range content {
		list, _ := value.([]any)
		switch name {
		case "containers":
			spec.Containers = piecewise[corev1.Container](list)
		case "initContainers":
			spec.InitContainers = piecewise[corev1.Container](list)
		case "volumes":
			spec.Volumes = piecewise[corev1.Volume](list)
		default:
			setField(spec, name, value)
		}
	}
	return spec
}

// piecewise converts the items of a list field by field.
func piecewise[T any](list []any) []T {
	items := make([]T, len(list))
	for i, entry := range list {
		content, _ := entry.(map[string]any)
		for name, value := range content {
			setField(&items[i], name, value)
		}
	}
	return items
}

// setField sets one field, or leaves it alone where the value has a wrong type.
func setField[T any](into *T, name string, value any) {
	data, err := json.Marshal(map[string]any{name: value})
	if err != nil {
		return // no value of YAML
	}
	// Half a field may be set when decoding fails: it is taken over only whole.
	var whole T
	if json.Unmarshal(data, &whole) == nil {
		_ = json.Unmarshal(data, into)
	}
}
