package keys

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// merge joins values that are JSON mappings into one: its keys become the
// result (Extract), or it becomes the value of one key (JSON).
func merge(m v1.RewriteMerge, in map[string][]byte) (map[string][]byte, error) {
	joined := map[string]any{}
	owner := map[string]string{}
	order, err := mergeOrder(m, in)
	if err != nil {
		return nil, err
	}
	for _, name := range order {
		var content map[string]any
		if err := json.Unmarshal(in[name], &content); err != nil {
			return nil, fmt.Errorf("merge: the value of %q is no JSON mapping", name)
		}
		wins := slices.Contains(m.Priority, name)
		for _, key := range slices.Sorted(maps.Keys(content)) {
			if other, taken := owner[key]; taken && !wins && m.ConflictPolicy != "Ignore" {
				return nil, fmt.Errorf("merge: %q and %q both have the key %q: set priority, or conflictPolicy Ignore", other, name, key)
			}
			owner[key] = name
			joined[key] = content[key]
		}
	}
	return mergeResult(m, in, joined)
}

// mergeOrder returns the names in the order in which later ones win.
func mergeOrder(m v1.RewriteMerge, in map[string][]byte) ([]string, error) {
	var order []string
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(m.Priority, name) {
			order = append(order, name)
		}
	}
	for _, name := range m.Priority {
		if _, ok := in[name]; ok {
			order = append(order, name)
		} else if m.PriorityPolicy != "IgnoreNotFound" {
			return nil, fmt.Errorf("merge: priority names %q, which does not exist", name)
		}
	}
	return order, nil
}

func mergeResult(m v1.RewriteMerge, in map[string][]byte, joined map[string]any) (map[string][]byte, error) {
	if m.Strategy == "JSON" {
		if m.Into == "" {
			return nil, fmt.Errorf("merge: strategy JSON needs into, the key of the result")
		}
		data, err := json.Marshal(joined)
		if err != nil {
			return nil, fmt.Errorf("merge: the result has no JSON form")
		}
		out := maps.Clone(in)
		out[m.Into] = data
		return out, nil
	}
	out := make(map[string][]byte, len(joined))
	for key, content := range joined {
		data, err := Bytes(content)
		if err != nil {
			return nil, fmt.Errorf("merge: the value of %q has no JSON form", key)
		}
		out[key] = data
	}
	return out, nil
}

// Bytes returns text as it is, and every other JSON value in its JSON form.
func Bytes(v any) ([]byte, error) {
	if s, ok := v.(string); ok {
		return []byte(s), nil
	}
	return json.Marshal(v)
}
