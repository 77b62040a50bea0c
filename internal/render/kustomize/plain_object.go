package kustomize

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/konfig"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"

	"hearth/internal/manifest"
)

// plainObject is an object that kustomize would pass on as it is, but for its
// namespace.
type plainObject struct {
	group, version, kind, name string
	content, metadata          map[string]any
	file                       string
}

// referringKinds are those in which kustomize follows references or looks for
// namespaces. It goes by the kind alone, whatever the group.
var referringKinds = set(
	"APIService", "ClusterRole", "ClusterRoleBinding", "CronJob", "CustomResourceDefinition", "DaemonSet", "Deployment",
	"HorizontalPodAutoscaler", "Ingress", "Job", "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PersistentVolumeClaim",
	"Pod", "PodTemplate", "ReplicaSet", "ReplicationController", "Role", "RoleBinding", "Service", "ServiceAccount", "StatefulSet", "StorageClass",
	"ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
)

// coreKinds are those of the core group that may be plain.
var coreKinds = set(kustypes.NamespaceKind, "ConfigMap", "Secret", "LimitRange", "ResourceQuota")

func set(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

// newPlainObject reads a document of a file; false where kustomize might make
// more of it.
func newPlainObject(file string, doc *manifest.Document) (*plainObject, bool) {
	value, ok := plainValue(doc.Node, manifest.MaxDepth)
	if !ok {
		return nil, false
	}
	o := &plainObject{file: file}
	o.content, _ = value.(map[string]any)
	o.metadata, _ = o.content["metadata"].(map[string]any)
	o.kind, _ = o.content["kind"].(string)
	o.name, _ = o.metadata["name"].(string)
	apiVersion, _ := o.content["apiVersion"].(string)
	o.group, o.version = resid.ParseGroupVersion(apiVersion)
	if o.name == "" || o.version == "" || !plainKind(o.group, o.kind) {
		return nil, false
	}
	if _, list := o.content["items"]; list || !plainMetadata(o.metadata) {
		return nil, false
	}
	return o, true
}

// plainKind reports whether kustomize knows nothing of a kind but its scope.
func plainKind(group, kind string) bool {
	switch {
	case kind == "" || referringKinds[kind] || strings.HasSuffix(kind, "List"):
		return false
	case group == "":
		return coreKinds[kind]
	case group == "gateway.networking.k8s.io":
		return true
	}
	return strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io")
}

// plainMetadata reports whether kustomize leaves an object's metadata alone: it
// rewrites annotations, and takes some of them as said to itself.
func plainMetadata(metadata map[string]any) bool {
	for _, field := range []string{"labels", "annotations"} {
		value, ok := metadata[field]
		if !ok {
			continue
		}
		pairs, _ := value.(map[string]any)
		if len(pairs) == 0 {
			return false
		}
		for name, value := range pairs {
			if _, text := value.(string); !text || strings.Contains(name, "config.kubernetes.io") || strings.Contains(name, "config.k8s.io") || strings.Contains(name, "kustomize.sigs.k8s.io") || name == konfig.HelmGeneratedAnnotation {
				return false
			}
		}
	}
	namespace, ok := metadata["namespace"]
	text, isText := namespace.(string)
	return !ok || isText && text != ""
}

// setNamespace moves the object to a namespace, unless that is "" or the object
// lives outside of namespaces. It is false for what would be renamed.
func (o *plainObject) setNamespace(namespace string) bool {
	if namespace == "" {
		return true
	}
	if o.group == "" && o.kind == kustypes.NamespaceKind {
		return o.name == namespace
	}
	if !resid.NewGvk(o.group, o.version, o.kind).IsClusterScoped() {
		o.metadata["namespace"] = namespace
	}
	return true
}

// plainFields are those that a plain kustomization may have.
var plainFields = []string{"apiVersion", "kind", "namespace", "resources", "components"}

// plainKustomization is a kustomization that only lists what there is.
type plainKustomization struct {
	namespace             string
	resources, components []string
}

// readPlainKustomization reads one; false where it says more.
func readPlainKustomization(doc *manifest.Document, kind string) (k plainKustomization, ok bool) {
	value, ok := plainValue(doc.Node, manifest.MaxDepth)
	content, isMap := value.(map[string]any)
	if !ok || !isMap {
		return k, false
	}
	version := kustypes.KustomizationVersion
	if kind == kustypes.ComponentKind {
		version = kustypes.ComponentVersion
	}
	for name := range content {
		ok = ok && slices.Contains(plainFields, name)
	}
	if !ok || !given(content["kind"], kind) || !given(content["apiVersion"], version) || content["kind"] == nil && kind == kustypes.ComponentKind {
		return k, false
	}
	if namespace, some := content["namespace"]; some {
		if k.namespace, ok = namespace.(string); !ok {
			return k, false
		}
	}
	if k.resources, ok = texts(content["resources"]); !ok {
		return k, false
	}
	k.components, ok = texts(content["components"])
	return k, ok
}

// given reports whether a field, if there is one, has the value wanted.
func given(field any, want string) bool { return field == nil || field == want }

// texts returns a list of texts, which may be absent.
func texts(value any) ([]string, bool) {
	if value == nil {
		return nil, true
	}
	items, ok := value.([]any)
	var list []string
	for _, item := range items {
		text, isText := item.(string)
		ok = ok && isText && text != "" && !strings.Contains(text, "\n")
		list = append(list, text)
	}
	return list, ok
}

// plainOverlay is what a Flux Kustomization lays over the folder's own
// kustomization.
type plainOverlay struct {
	namespace *string
	// patched are the kinds that patches apply to.
	patched []string
}

// overlaid are the fields of a Flux Kustomization that change what is built.
var overlaid = []string{
	"patchesStrategicMerge", "patchesJson6902", "images", "namePrefix", "nameSuffix", "components", "buildMetadata",
	"ignoreMissingComponents",
}

// readPlainOverlay reads one; false where it changes more than the namespace.
func readPlainOverlay(k *unstructured.Unstructured) (o plainOverlay, ok bool) {
	spec, _ := k.Object["spec"].(map[string]any)
	for _, field := range overlaid {
		if _, some := spec[field]; some {
			return o, false
		}
	}
	if namespace, some := spec["targetNamespace"]; some {
		text, isText := namespace.(string)
		if !isText {
			return o, false
		}
		o.namespace = &text
	}
	patches, list := spec["patches"].([]any)
	if _, some := spec["patches"]; some != list {
		return o, false
	}
	for _, patch := range patches {
		kind, ok := patchedKind(patch)
		if !ok {
			return o, false
		}
		o.patched = append(o.patched, kind)
	}
	return o, true
}

// patchedKind returns the one kind that a sound patch is for; false where it
// may be for others.
func patchedKind(patch any) (string, bool) {
	fields, _ := patch.(map[string]any)
	target, _ := fields["target"].(map[string]any)
	kind, _ := target["kind"].(string)
	text, _ := fields["patch"].(string)
	if len(fields) != 2 || kind == "" || strings.Trim(kind, letters) != "" {
		return "", false
	}
	for name, value := range target {
		if value, ok := value.(string); !ok || strings.HasSuffix(name, "Selector") || strings.Trim(value, letters+".-0123456789") != "" {
			return "", false
		}
	}
	docs, err := manifest.Parse("", []byte(text))
	if err != nil || len(docs) != 1 {
		return "", false
	}
	_, ok := newPlainObject("", docs[0])
	return kind, ok
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// patchesNone reports whether no object is of a kind that patches apply to.
func (p plainOverlay) patchesNone(objects []*plainObject) bool {
	return !slices.ContainsFunc(objects, func(o *plainObject) bool { return slices.Contains(p.patched, o.kind) })
}
