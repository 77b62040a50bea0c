package drift

import (
	"encoding/json"
	"strings"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cleanedUp returns what the server answered without the fields that only
// kubectl owns: an apply takes those over, and removes them.
func (c *compared) cleanedUp(live, answered *unstructured.Unstructured) *unstructured.Unstructured {
	if ssautil.AnyInMetadata(live, c.options.Cleanup.Exclusions) || ssautil.AnyInMetadata(answered, c.options.Cleanup.Exclusions) {
		return answered
	}
	var taken, kept []owner
	for _, o := range ownersOf(answered) {
		if takenOver(o, c.options.Cleanup.FieldManagers) {
			taken = append(taken, o)
		} else {
			kept = append(kept, o)
		}
	}
	cleaned := answered.DeepCopy()
	for _, o := range taken {
		prune(cleaned.Object, o.fields, func(path []step) bool {
			for _, other := range kept {
				if other.owns(path) {
					return true
				}
			}
			return false
		}, nil)
	}
	return cleaned
}

func takenOver(o owner, managers []ssa.FieldManager) bool {
	for _, m := range managers {
		if o.subresource == "" && o.operation == m.OperationType && strings.HasPrefix(o.manager, m.Name) {
			return true
		}
	}
	return false
}

// prune removes from an object the fields of an owner that nobody keeps. It
// goes through mappings; of lists, it removes items that are known by keys.
func prune(obj map[string]any, fields map[string]any, kept func([]step) bool, path []step) {
	for managed, below := range fields {
		field, ok := strings.CutPrefix(managed, "f:")
		if !ok {
			continue
		}
		at := append(path[:len(path):len(path)], step{managed: managed})
		if !kept(at) {
			delete(obj, field)
			continue
		}
		deeper, _ := below.(map[string]any)
		switch value := obj[field].(type) {
		case map[string]any:
			prune(value, deeper, kept, at)
		case []any:
			obj[field] = pruneItems(value, deeper, kept, at)
		}
	}
}

func pruneItems(list []any, fields map[string]any, kept func([]step) bool, path []step) []any {
	var left []any
	for _, item := range list {
		managed, deeper := itemOf(item, fields)
		at := append(path[:len(path):len(path)], step{managed: managed})
		if managed != "" && !kept(at) {
			continue
		}
		if m, ok := item.(map[string]any); ok && managed != "" {
			prune(m, deeper, kept, at)
		}
		left = append(left, item)
	}
	return left
}

// itemOf returns how managed fields name an item, where they do.
func itemOf(item any, fields map[string]any) (managed string, below map[string]any) {
	content, ok := item.(map[string]any)
	if !ok {
		return "", nil
	}
	for name, value := range fields {
		text, ok := strings.CutPrefix(name, "k:")
		key := map[string]any{}
		if !ok || json.Unmarshal([]byte(text), &key) != nil {
			continue
		}
		var names []string
		for k := range key {
			names = append(names, k)
		}
		if s, ok := byKeys(content, names); ok && s.managed == name {
			below, _ = value.(map[string]any)
			return name, below
		}
	}
	return "", nil
}

// ignore removes from both states of an object what spec.ignore names.
func ignore(options ssa.ApplyOptions, answered, live *unstructured.Unstructured) error {
	if len(options.DriftIgnoreRules) == 0 {
		return nil
	}
	rules, err := jsondiff.CompileIgnoreRules(options.DriftIgnoreRules)
	if err != nil {
		return err
	}
	var paths []string
	for selector, ignored := range rules {
		if selector.MatchUnstructured(answered) {
			paths = append(paths, ignored...)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	for _, obj := range []*unstructured.Unstructured{answered, live} {
		if err := jsondiff.ApplyPatchToUnstructured(obj, jsondiff.GenerateRemovePatch(paths...)); err != nil {
			return err
		}
	}
	return nil
}
