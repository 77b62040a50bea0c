package drift

import (
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// owner is one entry of an object's managed fields. Its fields are a tree
// whose names begin with f: (a field), k: (a list item by its keys) or v: (a
// list item by its value).
type owner struct {
	manager     string
	operation   metav1.ManagedFieldsOperationType
	subresource string
	time        time.Time
	fields      map[string]any
}

func (o owner) ours() bool {
	return o.manager == FieldManager && o.operation == metav1.ManagedFieldsOperationApply && o.subresource == ""
}

func ownersOf(obj *unstructured.Unstructured) []owner {
	var owners []owner
	for _, entry := range obj.GetManagedFields() {
		if entry.FieldsV1 == nil {
			continue
		}
		o := owner{manager: entry.Manager, operation: entry.Operation, subresource: entry.Subresource}
		if entry.Time != nil {
			o.time = entry.Time.Time
		}
		if err := json.Unmarshal(entry.FieldsV1.Raw, &o.fields); err != nil {
			continue // nobody's, then
		}
		owners = append(owners, o)
	}
	return owners
}

// owns reports whether an owner wrote a field, something below it, or the
// whole that it is a part of.
func (o owner) owns(path []step) bool {
	node := o.fields
	for _, s := range path {
		child, ok := node[s.managed].(map[string]any)
		if !ok {
			return false
		}
		if len(child) == 0 {
			return true
		}
		node = child
	}
	return true
}

// below returns what an owner has below a path.
func (o owner) below(path []step) map[string]any {
	node := o.fields
	for _, s := range path {
		child, ok := node[s.managed].(map[string]any)
		if !ok {
			return nil
		}
		node = child
	}
	return node
}

// changedBy returns who changed a field last, other than Kustomizations, and
// whether it is theirs alone.
func changedBy(owners []owner, path []step) (last owner, ours bool) {
	for _, o := range owners {
		if !o.owns(path) {
			continue
		}
		if o.ours() {
			ours = true
			continue
		}
		if last.manager == "" || o.time.After(last.time) {
			last = o
		}
	}
	return last, ours && last.manager == ""
}

// keysAt returns the sets of keys by which the items of a list are known.
func keysAt(owners []owner, path []step) []map[string]any {
	var keys []map[string]any
	for _, o := range owners {
		for name := range o.below(path) {
			text, ok := strings.CutPrefix(name, "k:")
			if !ok {
				continue
			}
			key := map[string]any{}
			if json.Unmarshal([]byte(text), &key) == nil {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// isSetAt reports whether the items of a list are known by their values.
func isSetAt(owners []owner, path []step) bool {
	for _, o := range owners {
		for name := range o.below(path) {
			if strings.HasPrefix(name, "v:") {
				return true
			}
		}
	}
	return false
}
