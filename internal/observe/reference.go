package observe

import (
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// missingVolume returns the first Secret or ConfigMap that a pod mounts and
// that does not exist. Those of its environment are not asked for: a kubelet
// resolves them only after the image is there, and then says so itself.
func missingVolume(p *corev1.Pod, find func(domain.Ref) Presence) (domain.Ref, bool) {
	if find == nil {
		return domain.Ref{}, false
	}
	for _, ref := range mounted(p) {
		if find(ref) == Missing {
			return ref, true
		}
	}
	return domain.Ref{}, false
}

// mounted lists the Secrets and ConfigMaps that a pod mounts and cannot start
// without, in the order of its volumes.
func mounted(p *corev1.Pod) []domain.Ref {
	var refs []domain.Ref
	add := func(kind, name string, optional *bool) {
		if name != "" && !value(optional) {
			refs = append(refs, domain.Ref{Kind: kind, Namespace: p.Namespace, Name: name})
		}
	}
	for _, v := range p.Spec.Volumes {
		if s := v.Secret; s != nil {
			add(kindSecret, s.SecretName, s.Optional)
		}
		if c := v.ConfigMap; c != nil {
			add(kindConfigMap, c.Name, c.Optional)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if s := source.Secret; s != nil {
				add(kindSecret, s.Name, s.Optional)
			}
			if c := source.ConfigMap; c != nil {
				add(kindConfigMap, c.Name, c.Optional)
			}
		}
	}
	return refs
}
