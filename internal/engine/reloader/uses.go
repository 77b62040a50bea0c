package reloader

import corev1 "k8s.io/api/core/v1"

// uses reports whether pods take values of a source, in their environment or
// as files.
func uses(pods *corev1.PodSpec, s source) bool {
	for i := range pods.Volumes {
		if volumeUses(&pods.Volumes[i], s) {
			return true
		}
	}
	for _, containers := range [][]corev1.Container{pods.InitContainers, pods.Containers} {
		for i := range containers {
			if environmentUses(&containers[i], s) {
				return true
			}
		}
	}
	return false
}

func volumeUses(v *corev1.Volume, s source) bool {
	if v.Projected != nil {
		for _, p := range v.Projected.Sources {
			if p.Secret != nil && s.is("Secret", p.Secret.Name) || p.ConfigMap != nil && s.is("ConfigMap", p.ConfigMap.Name) {
				return true
			}
		}
	}
	return v.Secret != nil && s.is("Secret", v.Secret.SecretName) || v.ConfigMap != nil && s.is("ConfigMap", v.ConfigMap.Name)
}

func environmentUses(c *corev1.Container, s source) bool {
	for _, from := range c.EnvFrom {
		if from.SecretRef != nil && s.is("Secret", from.SecretRef.Name) || from.ConfigMapRef != nil && s.is("ConfigMap", from.ConfigMapRef.Name) {
			return true
		}
	}
	for _, env := range c.Env {
		if from := env.ValueFrom; from != nil &&
			(from.SecretKeyRef != nil && s.is("Secret", from.SecretKeyRef.Name) || from.ConfigMapKeyRef != nil && s.is("ConfigMap", from.ConfigMapKeyRef.Name)) {
			return true
		}
	}
	return false
}

// is reports whether the source is the one of a kind and name.
func (s source) is(kind, name string) bool { return s.kind == kind && s.Name == name }
