package kubelet

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// wantedLabels returns, for each way a pod's node selector and required node
// affinity can be met, labels that a node needs for it. Terms that forbid or
// compare are left to whatever the node has.
func wantedLabels(pod *corev1.Pod) []map[string]string {
	base := maps.Clone(pod.Spec.NodeSelector)
	if base == nil {
		base = map[string]string{}
	}
	affinity := pod.Spec.Affinity
	if affinity == nil || affinity.NodeAffinity == nil || affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return []map[string]string{base}
	}
	var ways []map[string]string
	for _, term := range affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		ways = append(ways, termLabels(base, term)...)
	}
	return ways
}

// termLabels returns one way for each value that the term's first choice
// between several allows.
func termLabels(base map[string]string, term corev1.NodeSelectorTerm) []map[string]string {
	ways := []map[string]string{maps.Clone(base)}
	for _, r := range term.MatchExpressions {
		values := r.Values
		switch r.Operator {
		case corev1.NodeSelectorOpExists:
			values = []string{""}
		case corev1.NodeSelectorOpIn:
		default:
			continue
		}
		if len(values) == 0 {
			continue
		}
		more := ways
		ways = nil
		for _, value := range values[:min(len(values), maxValues)] {
			for _, way := range more[:min(len(more), maxValues)] {
				way = maps.Clone(way)
				if set, ok := way[r.Key]; !ok || r.Operator == corev1.NodeSelectorOpIn && set == "" {
					way[r.Key] = value
				}
				ways = append(ways, way)
			}
		}
	}
	return ways
}

// maxValues bounds how many values of a choice are considered.
const maxValues = 8

// conflicts reports whether a label is set to something else already.
func conflicts(has, wants map[string]string) bool {
	for key, value := range wants {
		if set, ok := has[key]; ok && set != value && value != "" {
			return true
		}
	}
	return false
}

// missingLabels returns the labels that are not there yet.
func missingLabels(has, wants map[string]string) map[string]string {
	missing := map[string]string{}
	for key, value := range wants {
		if _, ok := has[key]; !ok {
			missing[key] = value
		}
	}
	return missing
}

func label(key, value string) string {
	if value == "" {
		return key
	}
	return key + "=" + value
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// offer gives every node an amount of a resource, unless some node has it
// already. It returns the names of the nodes that changed.
func (s *nodeSet) offer(name corev1.ResourceName, amount resource.Quantity) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.order {
		if _, has := m.object.Status.Capacity[name]; has {
			return nil
		}
	}
	var changed []string
	for _, m := range s.order {
		m.object.Status.Capacity[name] = amount
		m.object.Status.Allocatable[name] = amount
		changed = append(changed, m.object.Name)
	}
	return changed
}

// label adds labels to a node.
func (s *nodeSet) label(name string, labels map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil {
		maps.Copy(m.object.Labels, labels)
	}
}
