// Package drift tells what differs between what Git asks for and what a
// cluster has, field by field, and who changed it: the manager that the API
// server has noted for a field, and when.
//
// [Compare] looks at two states of one object, [Find] at all that the
// Kustomizations of a cluster would apply from a working tree, by dry runs.
// Fields that Git does not ask for belong to others, and are no drift; nor is
// status, nor what spec.ignore names. Values of Secrets are never told, only
// their keys. Nothing here writes to a cluster; undoing drift is left to the
// engine.
package drift

import (
	"time"

	"github.com/fluxcd/pkg/ssa/normalize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FieldManager is the manager of the fields that Kustomizations apply.
const FieldManager = "kustomize-controller"

// Field is a field in which an object is not as Git asks for it.
type Field struct {
	// Path names the field, for example spec.template.spec.containers[name=app].image.
	Path string
	// Steps is the path in the object as asked for: fields, and list items by
	// their index.
	Steps []string
	// Asked and Live are the two values, nil where there is none. Of a Secret
	// neither is told.
	Asked, Live any
	// Secret says that values were left out.
	Secret bool
	// Manager changed the field at Time; empty where the server knows nobody,
	// as of a field that was removed.
	Manager string
	Time    time.Time
	// Ours says that nobody but Kustomizations has written the field: Git has
	// changed, or somebody removed it.
	Ours bool
}

// Compare returns the fields in which live, with its managed fields, differs
// from what an apply or its dry run answered, in the order of their paths.
func Compare(live, answered *unstructured.Unstructured) []Field {
	c := comparison{owners: ownersOf(live), shape: append(ownersOf(answered), ownersOf(live)...), secret: isSecret(live)}
	a, b := comparable(live), comparable(answered)
	c.walk(nil, a, b)
	return c.fields
}

// Applied reports whether a Kustomization has applied an object before, as
// opposed to one that it takes over now.
func Applied(live *unstructured.Unstructured) bool {
	for _, o := range ownersOf(live) {
		if o.ours() {
			return true
		}
	}
	return false
}

// comparable returns the part of an object that can drift: labels,
// annotations, and all beside metadata and status.
func comparable(obj *unstructured.Unstructured) map[string]any {
	copied := obj.DeepCopy()
	delete(copied.Object, "status")
	metadata := map[string]any{}
	if labels := copied.GetLabels(); len(labels) > 0 {
		metadata["labels"] = toAny(labels)
	}
	annotations := copied.GetAnnotations()
	delete(annotations, lastApplied)
	if len(annotations) > 0 {
		metadata["annotations"] = toAny(annotations)
	}
	copied.Object["metadata"] = metadata
	// What it cannot read is compared as it stands.
	_ = normalize.DryRunUnstructured(copied)
	return copied.Object
}

func toAny(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func isSecret(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	return gvk.Group == "" && gvk.Kind == "Secret"
}
