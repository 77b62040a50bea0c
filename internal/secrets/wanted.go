package secrets

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/graph"
	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
)

// wantedKeys returns the keys that the objects of a cluster take from Secrets,
// by namespace and name.
func wantedKeys(state *desired.State) map[string]map[string][]string {
	wanted := map[string]map[string][]string{}
	want := func(namespace, name, key string) {
		if name == "" || key == "" {
			return
		}
		if wanted[namespace] == nil {
			wanted[namespace] = map[string][]string{}
		}
		if !slices.Contains(wanted[namespace][name], key) {
			wanted[namespace][name] = append(wanted[namespace][name], key)
		}
	}
	for o := range state.All() {
		for _, ref := range graph.References(o) {
			if ref.Kind == "Secret" && ref.Group == "" && !ref.Optional {
				want(ref.Namespace, ref.Name, ref.Key)
			}
		}
		for _, pod := range graph.PodSpecs(o) {
			for _, volume := range pod.Spec.Volumes {
				if volume.Secret == nil || volume.Secret.Optional != nil && *volume.Secret.Optional {
					continue
				}
				for _, item := range volume.Secret.Items {
					want(o.GetNamespace(), volume.Secret.SecretName, item.Key)
				}
			}
		}
	}
	return wanted
}

// pushedFields returns the items and fields that PushSecrets write, and those
// that ClusterPushSecrets make: the vault need not have them before.
func pushedFields(state *desired.State) map[[2]string]bool {
	pushed := map[[2]string]bool{}
	for _, o := range state.OfKind(Group, "PushSecret") {
		pushedBy(o, pushed, "spec", "data")
	}
	for _, o := range state.OfKind(Group, "ClusterPushSecret") {
		pushedBy(o, pushed, "spec", "pushSecretSpec", "data")
	}
	return pushed
}

func pushedBy(o *desired.Object, pushed map[[2]string]bool, path ...string) {
	data, _, _ := unstructured.NestedSlice(o.Object, path...)
	for _, entry := range data {
		ref, _ := entry.(map[string]any)
		item, _, _ := unstructured.NestedString(ref, "match", "remoteRef", "remoteKey")
		field, _, _ := unstructured.NestedString(ref, "match", "remoteRef", "property")
		pushed[[2]string{item, cmp.Or(field, onepassword.DefaultField)}] = true
		pushed[[2]string{item, ""}] = true
	}
}
