package fluxinstance

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// build makes the objects of an instance: what others reach the controllers by,
// and what the cluster syncs.
func build(obj *fluxcdv1.FluxInstance) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	has := func(component fluxcdv1.Component) bool { return slices.Contains(components(obj), component) }
	if has("source-controller") {
		all = append(all, service(obj.Namespace, "source-controller", "source-controller", "http"))
	}
	if has("notification-controller") {
		all = append(all,
			service(obj.Namespace, "notification-controller", "notification-controller", "http"),
			service(obj.Namespace, "webhook-receiver", "notification-controller", "http-webhook"))
	}
	if obj.Spec.Cluster == nil || obj.Spec.Cluster.NetworkPolicy {
		all = append(all, policies(obj.Namespace)...)
	}
	if obj.Spec.Sync != nil {
		all = append(all, syncObjects(obj)...)
	}
	if obj.Spec.Kustomize == nil {
		return all, nil
	}
	return patched(all, obj.Spec.Kustomize.Patches)
}

func object(apiVersion, kind, namespace, name string, labels map[string]any, spec map[string]any) *unstructured.Unstructured {
	metadata := map[string]any{"name": name, "namespace": namespace}
	if labels != nil {
		metadata["labels"] = labels
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata, "spec": spec}}
}

func partOfFlux(namespace string) map[string]any {
	return map[string]any{"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/instance": namespace, "app.kubernetes.io/version": fluxVersion}
}

func service(namespace, name, controller, port string) *unstructured.Unstructured {
	labels := partOfFlux(namespace)
	labels["app.kubernetes.io/component"] = controller
	return object("v1", "Service", namespace, name, labels, map[string]any{
		"type":     "ClusterIP",
		"selector": map[string]any{"app": controller},
		"ports":    []any{map[string]any{"name": "http", "port": int64(80), "protocol": "TCP", "targetPort": port}},
	})
}

// policies let the namespace talk to itself and outwards, and let others scrape
// it and call its webhooks.
func policies(namespace string) []*unstructured.Unstructured {
	everyone := []any{map[string]any{"from": []any{map[string]any{"namespaceSelector": map[string]any{}}}}}
	policy := func(name string, spec map[string]any) *unstructured.Unstructured {
		return object("networking.k8s.io/v1", "NetworkPolicy", namespace, name, partOfFlux(namespace), spec)
	}
	scraping := map[string]any{
		"from":  []any{map[string]any{"namespaceSelector": map[string]any{}}},
		"ports": []any{map[string]any{"port": int64(8080), "protocol": "TCP"}},
	}
	return []*unstructured.Unstructured{
		policy("allow-egress", map[string]any{
			"podSelector": map[string]any{}, "policyTypes": []any{"Ingress", "Egress"},
			"egress":  []any{map[string]any{}},
			"ingress": []any{map[string]any{"from": []any{map[string]any{"podSelector": map[string]any{}}}}},
		}),
		policy("allow-scraping", map[string]any{
			"podSelector": map[string]any{}, "policyTypes": []any{"Ingress"}, "ingress": []any{scraping},
		}),
		policy("allow-webhooks", map[string]any{
			"podSelector": map[string]any{"matchLabels": map[string]any{"app": "notification-controller"}},
			"policyTypes": []any{"Ingress"}, "ingress": everyone,
		}),
	}
}

// syncObjects are the source and the Kustomization of the cluster.
func syncObjects(obj *fluxcdv1.FluxInstance) []*unstructured.Unstructured {
	sync := obj.Spec.Sync
	name := cmp.Or(sync.Name, obj.Namespace)
	interval := "1m0s"
	if sync.Interval != nil {
		interval = sync.Interval.Duration.String()
	}
	source := map[string]any{"interval": interval}
	switch sync.Kind {
	case "GitRepository":
		source["url"], source["ref"] = sync.URL, map[string]any{"name": sync.Ref}
	case "OCIRepository":
		source["url"], source["ref"] = sync.URL, map[string]any{"tag": sync.Ref}
	case "Bucket":
		source["endpoint"], source["bucketName"] = sync.URL, sync.Ref
	}
	if sync.PullSecret != "" {
		source["secretRef"] = map[string]any{"name": sync.PullSecret}
	}
	if sync.Provider != "" {
		source["provider"] = sync.Provider
	}
	return []*unstructured.Unstructured{
		object("source.toolkit.fluxcd.io/v1", sync.Kind, obj.Namespace, name, nil, source),
		object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", obj.Namespace, name, nil, map[string]any{
			"interval": "10m0s", "path": sync.Path, "prune": true, "sourceRef": map[string]any{"kind": sync.Kind, "name": name},
		}),
	}
}
