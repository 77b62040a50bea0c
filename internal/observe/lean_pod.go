package observe

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// trimPod drops from a pod what its state is not derived from.
func trimPod(p *corev1.Pod) {
	p.Spec.Containers = trimContainers(p.Spec.Containers, p.Status.ContainerStatuses)
	p.Spec.InitContainers = trimContainers(p.Spec.InitContainers, p.Status.InitContainerStatuses)
	p.Spec.EphemeralContainers, p.Status.EphemeralContainerStatuses = nil, nil
	p.Spec.Affinity, p.Spec.Tolerations, p.Spec.TopologySpreadConstraints = nil, nil, nil
	p.Spec.Volumes = trimVolumes(p.Spec.Volumes)
	trimStatuses(p.Status.ContainerStatuses)
	trimStatuses(p.Status.InitContainerStatuses)
}

// trimContainers keeps the containers that the kubelet tells of, and the first
// of the others, which are all as far.
func trimContainers(list []corev1.Container, told []corev1.ContainerStatus) []corev1.Container {
	var lean []corev1.Container
	waits := false
	for _, c := range list {
		known := slices.ContainsFunc(told, named(c.Name))
		if known || !waits {
			lean = append(lean, corev1.Container{Name: c.Name, RestartPolicy: c.RestartPolicy})
		}
		waits = waits || !known
	}
	return lean
}

// trimVolumes keeps what a missing Secret or ConfigMap is found by.
func trimVolumes(list []corev1.Volume) []corev1.Volume {
	var lean []corev1.Volume
	for _, v := range list {
		if v.Secret != nil || v.ConfigMap != nil || v.Projected != nil {
			lean = append(lean, v)
		}
	}
	return lean
}

func trimStatuses(list []corev1.ContainerStatus) {
	for i := range list {
		c := &list[i]
		c.AllocatedResources, c.Resources, c.AllocatedResourcesStatus, c.VolumeMounts, c.User = nil, nil, nil, nil, nil
	}
}
