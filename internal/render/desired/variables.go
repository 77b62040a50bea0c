package desired

import (
	"cmp"
	"encoding/base64"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// variables are those that postBuild.substituteFrom supplies.
type variables struct {
	known map[string]string
	// open says that a Secret may hold more variables than the tree tells.
	open bool
}

// The placeholder of a variable whose value is not known from the tree reads
// as a host name, since that is what it mostly is.
const (
	unknownPrefix = "unknown-"
	unknownSuffix = ".invalid"
)

func placeholder(name string) string {
	return unknownPrefix + strings.ReplaceAll(strings.ToLower(strings.Trim(name, "_")), "_", "-") + unknownSuffix
}

// Unknown reports whether a text holds a placeholder for what is not known
// from the tree, so that nothing can be said about it.
func (s *State) Unknown(text string) bool {
	_, after, found := strings.Cut(text, unknownPrefix)
	return found && strings.Contains(after, unknownSuffix)
}

// suppliers are the objects that a Secret or ConfigMap comes from.
func (b *builder) suppliers(kind, namespace, name string) []*Object {
	if o := b.Find("", kind, namespace, name); o != nil {
		return []*Object{o}
	}
	if kind != "Secret" {
		return nil
	}
	var found []*Object
	for _, o := range b.Objects {
		if group := o.GroupVersionKind().Group; group != "external-secrets.io" {
			continue
		}
		spec, _, _ := unstructured.NestedMap(o.Object, "spec")
		at := o.GetNamespace()
		switch o.GetKind() {
		case "ExternalSecret":
		case "ClusterExternalSecret":
			spec, _, _ = unstructured.NestedMap(o.Object, "spec", "externalSecretSpec")
			at = namespace
		default:
			continue
		}
		target, _, _ := unstructured.NestedString(spec, "target", "name")
		if at == namespace && cmp.Or(target, o.GetName()) == name {
			found = append(found, o)
		}
	}
	return found
}

// variablesKnown reports whether everything that a Kustomization takes its
// variables from, and its source, has been found already.
func (b *builder) variablesKnown(k *Kustomization) bool {
	if k.Spec.PostBuild == nil {
		return true
	}
	for _, ref := range k.Spec.PostBuild.SubstituteFrom {
		if len(b.suppliers(ref.Kind, k.Namespace, ref.Name)) == 0 {
			return false
		}
	}
	return true
}

// variables reads what postBuild.substituteFrom names. What nobody supplies
// makes the set open, since what is missing is one finding, not many.
func (b *builder) variables(k *Kustomization) variables {
	v := variables{known: map[string]string{}}
	if k.Spec.PostBuild == nil {
		return v
	}
	for _, ref := range k.Spec.PostBuild.SubstituteFrom {
		found := b.suppliers(ref.Kind, k.Namespace, ref.Name)
		v.open = v.open || len(found) == 0 && !ref.Optional
		for _, o := range found {
			v.read(o)
		}
	}
	return v
}

// read adds what an object supplies.
func (v *variables) read(o *Object) {
	switch o.GetKind() {
	case "ConfigMap":
		data, _, _ := unstructured.NestedStringMap(o.Object, "data")
		for name, value := range data {
			v.known[name] = strings.ReplaceAll(value, "\n", "")
		}
	case "Secret":
		v.readSecret(o)
	default:
		v.readExternalSecret(o)
	}
}

// readSecret reads a Secret that stands in Git; one that is encrypted only
// tells its keys.
func (v *variables) readSecret(o *Object) {
	_, encrypted := o.Object["sops"]
	for _, field := range []string{"data", "stringData"} {
		values, _, _ := unstructured.NestedMap(o.Object, field)
		for name, value := range values {
			text, _ := value.(string)
			if field == "data" {
				decoded, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					text = placeholder(name)
				} else {
					text = string(decoded)
				}
			}
			if encrypted || o.Bootstrap {
				text = placeholder(name)
			}
			v.known[name] = strings.ReplaceAll(text, "\n", "")
		}
	}
}

func (v *variables) readExternalSecret(o *Object) {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	if o.GetKind() == "ClusterExternalSecret" {
		spec, _, _ = unstructured.NestedMap(o.Object, "spec", "externalSecretSpec")
	}
	template, templated, _ := unstructured.NestedMap(spec, "target", "template", "data")
	for name := range template {
		v.known[name] = placeholder(name)
	}
	policy, _, _ := unstructured.NestedString(spec, "target", "template", "mergePolicy")
	_, from, _ := unstructured.NestedSlice(spec, "target", "template", "templateFrom")
	if templated && !from && policy != "Merge" {
		return
	}
	data, _, _ := unstructured.NestedSlice(spec, "data")
	for _, item := range data {
		entry, _ := item.(map[string]any)
		if name, _ := entry["secretKey"].(string); name != "" {
			v.known[name] = placeholder(name)
		}
	}
	dataFrom, _, _ := unstructured.NestedSlice(spec, "dataFrom")
	v.open = v.open || len(dataFrom) > 0 || from
}
