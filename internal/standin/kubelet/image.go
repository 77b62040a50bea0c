package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// pull says how a container comes by its image.
type pull struct {
	began bool          // this call began it
	until time.Time     // when the image is on the node
	takes time.Duration // how long from now on, at real pace
}

// image returns how the node of a pod comes by an image: it has it, it is
// already pulling it for another pod, a peer has it (Spegel's case), or it
// comes from the registry. Each node pulls an image once.
func (s *nodeSet) image(node, image string, now time.Time) pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byName[node]
	if m == nil {
		return pull{until: now}
	}
	if until, ok := m.images[image]; ok {
		left := max(until.Sub(now), 0)
		return pull{until: until, takes: time.Duration(float64(left) * float64(s.options.Pace))}
	}
	operation := domain.ImagePullUncached
	for _, peer := range s.order {
		if until, ok := peer.images[image]; ok && !until.After(now) {
			operation = domain.ImagePullCached
			break
		}
	}
	takes := operation.Typical().Draw(s.options.Seed, StepPull+"/"+image)
	until := now.Add(s.options.Pace.Scale(takes))
	m.images[image] = until
	return pull{began: true, until: until, takes: takes}
}

// hasImages tells that a pod runs on a node, so its images must be there.
func (s *nodeSet) hasImages(pod *corev1.Pod, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byName[pod.Spec.NodeName]
	if m == nil {
		return
	}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			if _, ok := m.images[c.Image]; !ok {
				m.images[c.Image] = now
			}
		}
	}
}
