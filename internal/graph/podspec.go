package graph

import (
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
	var spec corev1.PodSpec
	if convert(content, &spec) {
		return &spec
	}
	spec = corev1.PodSpec{}
	for name, value := range content {
		list, isList := value.([]any)
		if !isList {
			convert(map[string]any{name: value}, &spec)
			continue
		}
		switch name {
		case "containers":
			spec.Containers = convertItems[corev1.Container](list)
		case "initContainers":
			spec.InitContainers = convertItems[corev1.Container](list)
		case "volumes":
			spec.Volumes = convertItems[corev1.Volume](list)
		default:
			convert(map[string]any{name: value}, &spec)
		}
	}
	return &spec
}

func convertItems[T any](list []any) []T {
	items := make([]T, 0, len(list))
	for _, entry := range list {
		content, _ := entry.(map[string]any)
		var item T
		if !convert(content, &item) {
			for name, value := range content {
				convert(map[string]any{name: value}, &item)
			}
		}
		items = append(items, item)
	}
	return items
}

// convert reports whether all fields have the right types; into holds those
// that were read before one that has not.
func convert(content map[string]any, into any) bool {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(content, into) == nil
}
