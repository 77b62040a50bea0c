package onepassword

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// maxPatch bounds the operations of one patch.
const maxPatch = 1_000

// pointerEscape writes a step of a JSON Pointer (RFC 6901), and
// pointerUnescape reads it.
var (
	pointerEscape   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// applyPatch applies the operations add, remove and replace of a JSON Patch
// (RFC 6902) to an item's JSON. As Connect has it, the members of lists are
// named by their id where they have one, what is added to a list goes behind
// its last member, and the path "/" is the item itself.
func applyPatch(document, patch []byte) ([]byte, error) {
	var item any
	var operations []patchOperation
	if json.Unmarshal(document, &item) != nil || json.Unmarshal(patch, &operations) != nil {
		return nil, invalidError("The patch is not a JSON Patch")
	}
	if len(operations) > maxPatch {
		return nil, invalidError("The patch has too many operations")
	}
	for _, op := range operations {
		if !slices.Contains([]string{"add", "remove", "replace"}, op.Op) || !strings.HasPrefix(op.Path, "/") {
			return nil, invalidError("An operation of the patch is none of add, remove and replace with a path")
		}
		var err error
		if item, err = op.apply(item); err != nil {
			return nil, err
		}
	}
	return json.Marshal(item)
}

func (op patchOperation) apply(item any) (any, error) {
	if op.Path == "/" {
		whole, ok := op.Value.(map[string]any)
		if op.Op == "remove" || !ok {
			return nil, invalidError("An item can be replaced by an item only")
		}
		if _, named := whole["vault"]; !named { // it stays where it is
			whole["vault"] = item.(map[string]any)["vault"]
		}
		return whole, nil
	}
	steps := strings.Split(op.Path[1:], "/")
	for i := range steps {
		steps[i] = pointerUnescape.Replace(steps[i])
	}
	return op.at(item, steps)
}

// at applies the operation below a node and returns what becomes of the node.
func (op patchOperation) at(node any, steps []string) (any, error) {
	switch n := node.(type) {
	case map[string]any:
		return n, op.inObject(n, steps)
	case []any:
		return op.inList(n, steps)
	}
	return nil, invalidError("A path of the patch leads nowhere")
}

func (op patchOperation) inObject(n map[string]any, steps []string) error {
	child, exists := n[steps[0]]
	_, isList := child.([]any)
	_, addsOne := op.Value.(map[string]any)
	switch {
	case len(steps) == 1 && op.Op == "remove":
		delete(n, steps[0])
		return nil
	case len(steps) == 1 && op.Op == "add" && addsOne && (isList || !exists):
		list, _ := child.([]any)
		n[steps[0]] = append(list, op.Value)
		return nil
	case len(steps) == 1:
		n[steps[0]] = op.Value
		return nil
	case !exists && op.Op == "add":
		child = []any{}
	}
	changed, err := op.at(child, steps[1:])
	if err == nil {
		n[steps[0]] = changed
	}
	return err
}

func (op patchOperation) inList(n []any, steps []string) (any, error) {
	i := slices.IndexFunc(n, func(member any) bool {
		object, _ := member.(map[string]any)
		return object != nil && object["id"] == steps[0]
	})
	if index, err := strconv.Atoi(steps[0]); i < 0 && err == nil && index >= 0 && index < len(n) {
		if _, object := n[index].(map[string]any); !object {
			i = index
		}
	}
	switch {
	case len(steps) == 1 && op.Op == "remove" && i >= 0:
		return slices.Delete(n, i, i+1), nil
	case len(steps) == 1 && i >= 0:
		n[i] = op.withID(steps[0])
		return n, nil
	case len(steps) == 1 && op.Op == "add":
		return append(n, op.withID(steps[0])), nil
	case i < 0:
		return nil, invalidError("A path of the patch names something that the item does not have")
	}
	changed, err := op.at(n[i], steps[1:])
	n[i] = changed
	return n, err
}

// withID returns the operation's value; a field that is named by its id has it.
func (op patchOperation) withID(id string) any {
	object, ok := op.Value.(map[string]any)
	if ok && id != "-" {
		object["id"] = id
	}
	return op.Value
}
