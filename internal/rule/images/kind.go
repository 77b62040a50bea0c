package images

import (
	"strings"

	"hearth/internal/render/desired"
)

// workloads are the groups of Kubernetes itself whose kinds run containers.
var workloads = map[string]bool{"apps": true, "batch": true}

// others are groups of custom kinds that speak of images without running them:
// they fetch, compare or admit them, or mean the disks of machines.
var others = []string{
	"toolkit.fluxcd.io", "external-secrets.io", "kyverno.io", "gatekeeper.sh", "sigstore.dev",
	"kubevirt.io", "cluster.x-k8s.io",
}

// holdsImages reports whether an object names images that it runs.
func holdsImages(o *desired.Object) bool {
	gvk := o.GroupVersionKind()
	switch {
	case gvk.Group == "":
		return gvk.Kind == "Pod" || gvk.Kind == "PodTemplate" || gvk.Kind == "ReplicationController"
	case !strings.Contains(gvk.Group, "."):
		return workloads[gvk.Group]
	case strings.HasSuffix(gvk.Group, ".k8s.io") && !strings.HasSuffix(gvk.Group, ".x-k8s.io"):
		return false
	case strings.HasSuffix(gvk.Kind, "Policy"):
		return false
	}
	for _, group := range others {
		if gvk.Group == group || strings.HasSuffix(gvk.Group, "."+group) {
			return false
		}
	}
	return true
}
