package fluxinstance

import (
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// withoutEffect lists the settings of an instance that concern only the Pods of
// Flux's controllers, which nobody runs here.
func withoutEffect(obj *fluxcdv1.FluxInstance, all []*unstructured.Unstructured) []string {
	var list []string
	add := func(set bool, setting string) {
		if set {
			list = append(list, setting)
		}
	}
	spec := obj.Spec
	if other, err := wantsOther(spec.Distribution.Version); err == nil && other {
		list = append(list, fmt.Sprintf("spec.distribution.version %s: Hearth behaves like Flux %s", spec.Distribution.Version, fluxVersion))
	}
	add(spec.Distribution.Variant != "", "spec.distribution.variant")
	add(spec.Distribution.ImagePullSecret != "", "spec.distribution.imagePullSecret")
	add(spec.Distribution.Artifact != "", "spec.distribution.artifact")
	add(spec.Storage != nil, "spec.storage")
	add(spec.Sharding != nil, "spec.sharding")
	if c := spec.Cluster; c != nil {
		add(c.Size != "", "spec.cluster.size")
		add(c.Type != "" && c.Type != "kubernetes", "spec.cluster.type")
		add(c.Domain != "" && c.Domain != "cluster.local", "spec.cluster.domain")
		add(c.Multitenant, "spec.cluster.multitenant")
		add(c.ObjectLevelWorkloadIdentity, "spec.cluster.objectLevelWorkloadIdentity")
		add(c.MultitenantWorkloadIdentity, "spec.cluster.multitenantWorkloadIdentity")
	}
	for _, component := range components(obj) {
		if _, ok := played[string(component)]; !ok {
			list = append(list, "spec.components "+string(component))
		}
	}
	if spec.Kustomize != nil {
		for i, patch := range spec.Kustomize.Patches {
			add(!concerns(patch, all), fmt.Sprintf("spec.kustomize.patches[%d]%s", i, targetOf(patch)))
		}
	}
	return list
}

func targetOf(patch kustomize.Patch) string {
	if patch.Target == nil {
		return ""
	}
	return strings.TrimRight(fmt.Sprintf(" of %s %s", patch.Target.Kind, patch.Target.Name), " ")
}
