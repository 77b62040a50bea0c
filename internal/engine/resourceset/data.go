package resourceset

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/kube/objects"
)

// maxKubeConfig bounds a kubeconfig, in bytes.
const maxKubeConfig = 1 << 20

// reading reads ConfigMaps and Secrets for one reconcile, each once, with the
// rights of the set.
type reading struct {
	client client.Client
	found  map[objects.Key]client.Object
	// missing are those that could not be read.
	missing map[objects.Key]bool
}

func dataKey(kind, namespace, name string) objects.Key {
	return objects.Key{GroupVersionKind: corev1.SchemeGroupVersion.WithKind(kind), NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func (r *reading) get(ctx context.Context, kind, namespace, name string) (client.Object, error) {
	key := dataKey(kind, namespace, name)
	if obj, ok := r.found[key]; ok {
		return obj, nil
	}
	var obj client.Object = &corev1.ConfigMap{}
	if kind == "Secret" {
		obj = &corev1.Secret{}
	}
	if err := r.client.Get(ctx, key.NamespacedName, obj); err != nil {
		r.missing[key] = true
		return nil, err
	}
	r.found[key] = obj
	return obj, nil
}

// takeData fills in what objects take from ConfigMaps and Secrets. A change of
// any of them wakes the set.
func (w *walk) takeData(ctx context.Context, kube client.Client) error {
	r := &reading{client: kube, found: map[objects.Key]client.Object{}, missing: map[objects.Key]bool{}}
	defer func() {
		keys := slices.AppendSeq(slices.Collect(maps.Keys(r.found)), maps.Keys(r.missing))
		for _, key := range keys {
			// Where they cannot be followed they are read again at each interval.
			_ = w.o.Objects.Follow(ctx, key.GroupVersionKind)
		}
		w.sources.Set(w.Key, keys)
	}()
	for _, obj := range w.all {
		if obj.GroupVersionKind().GroupVersion() != corev1.SchemeGroupVersion {
			continue
		}
		if err := copyData(ctx, r, obj); err != nil {
			return err
		}
		if err := convertKubeConfig(ctx, r, obj); err != nil {
			return err
		}
	}
	refs, err := addChecksums(ctx, r, w.all)
	if err != nil {
		return err
	}
	w.Object.Status.ExternalChecksumRefs = refs
	return nil
}

// split reads NAMESPACE/NAME.
func split(annotation, value string) (namespace, name string, err error) {
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("invalid %s annotation value '%s' must be in the format 'namespace/name'", annotation, value)
	}
	return namespace, name, nil
}

// copyData copies the data of a ConfigMap or Secret into one that is made.
func copyData(ctx context.Context, r *reading, obj *unstructured.Unstructured) error {
	from, ok := obj.GetAnnotations()[fluxcdv1.CopyFromAnnotation]
	kind := obj.GetKind()
	if !ok || kind != "ConfigMap" && kind != "Secret" {
		return nil
	}
	namespace, name, err := split(fluxcdv1.CopyFromAnnotation, from)
	if err != nil {
		return err
	}
	source, err := r.get(ctx, kind, namespace, name)
	if err != nil {
		return fmt.Errorf("failed to copy data from %s/%s: %w", kind, from, err)
	}
	switch s := source.(type) {
	case *corev1.ConfigMap:
		if err := unstructured.SetNestedStringMap(obj.Object, s.Data, "data"); err != nil || len(s.BinaryData) == 0 {
			return err
		}
		return unstructured.SetNestedStringMap(obj.Object, encoded(s.BinaryData), "binaryData")
	case *corev1.Secret:
		if _, found := obj.Object["type"]; !found && s.Type != "" {
			obj.Object["type"] = string(s.Type)
		}
		unstructured.RemoveNestedField(obj.Object, "stringData")
		return unstructured.SetNestedStringMap(obj.Object, encoded(s.Data), "data")
	}
	return nil
}

func encoded(data map[string][]byte) map[string]string {
	text := make(map[string]string, len(data))
	for key, value := range data {
		text[key] = base64.StdEncoding.EncodeToString(value)
	}
	return text
}

// convertKubeConfig writes the address and the authority of the first cluster
// of a kubeconfig into a ConfigMap, unless it has them.
func convertKubeConfig(ctx context.Context, r *reading, obj *unstructured.Unstructured) error {
	from, ok := obj.GetAnnotations()[fluxcdv1.ConvertKubeConfigAnnotation]
	if !ok || obj.GetKind() != "ConfigMap" {
		return nil
	}
	ref, key, custom := strings.Cut(from, ":")
	namespace, name, err := split(fluxcdv1.ConvertKubeConfigAnnotation, ref)
	if err != nil {
		return err
	}
	found, err := r.get(ctx, "Secret", namespace, name)
	if err != nil {
		return fmt.Errorf("failed to get kubeconfig Secret/%s: %w", ref, err)
	}
	keys := []string{"kubeconfig", "value"}
	if custom {
		keys = []string{key}
	}
	secret := found.(*corev1.Secret)
	i := slices.IndexFunc(keys, func(key string) bool { _, ok := secret.Data[key]; return ok })
	if i < 0 {
		return fmt.Errorf("kubeconfig Secret/%s does not have '%s' field", ref, strings.Join(keys, "' or '"))
	}
	server, authority, err := firstCluster(secret.Data[keys[i]])
	if err != nil {
		return fmt.Errorf("the kubeconfig in Secret/%s %w", ref, err)
	}
	data, _, err := unstructured.NestedStringMap(obj.Object, "data")
	if err != nil {
		return fmt.Errorf("ConfigMap/%s: %w", obj.GetName(), err)
	}
	if data == nil {
		data = map[string]string{}
	}
	for key, value := range map[string]string{"address": server, "ca.crt": authority} {
		if _, has := data[key]; !has {
			data[key] = value
		}
	}
	return unstructured.SetNestedStringMap(obj.Object, data, "data")
}

// firstCluster reads a kubeconfig. Its errors cite nothing of it.
func firstCluster(text []byte) (server, authority string, err error) {
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server    string `json:"server"`
				Authority []byte `json:"certificate-authority-data"`
			} `json:"cluster"`
		} `json:"clusters"`
	}
	if len(text) > maxKubeConfig || yaml.Unmarshal(text, &config) != nil {
		return "", "", fmt.Errorf("cannot be read")
	}
	if len(config.Clusters) == 0 {
		return "", "", fmt.Errorf("has no clusters")
	}
	first := config.Clusters[0].Cluster
	if first.Server == "" || len(first.Authority) == 0 {
		return "", "", fmt.Errorf("has a first cluster without server or certificate-authority-data")
	}
	return first.Server, string(first.Authority), nil
}

// dataChanged reports whether the data of a ConfigMap or Secret changed.
func dataChanged(change objects.Change) bool {
	if change.Key.Group != "" || change.Key.Kind != "ConfigMap" && change.Key.Kind != "Secret" {
		return false
	}
	if change.Old == nil || change.New == nil {
		return true
	}
	return change.Old.GetResourceVersion() != change.New.GetResourceVersion()
}
