package fluxinstance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/fluxcd/pkg/apis/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// patched applies those patches through kustomize, in memory, that concern what
// an instance applies here.
func patched(all []*unstructured.Unstructured, patches []kustomize.Patch) ([]*unstructured.Unstructured, error) {
	patches = slices.DeleteFunc(slices.Clone(patches), func(p kustomize.Patch) bool { return !concerns(p, all) })
	if len(patches) == 0 {
		return all, nil
	}
	files := filesys.MakeFsInMemory()
	var names []string
	for i, obj := range all {
		names = append(names, fmt.Sprintf("%03d.json", i))
		if err := writeJSON(files, names[i], obj.Object); err != nil {
			return nil, err
		}
	}
	if err := writeJSON(files, "kustomization.yaml", map[string]any{"resources": names, "patches": patches}); err != nil {
		return nil, err
	}
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, ".")
	if err != nil {
		return nil, fmt.Errorf("apply spec.kustomize.patches: %w", err)
	}
	var changed []*unstructured.Unstructured
	for _, resource := range result.Resources() {
		data, err := resource.MarshalJSON()
		if err != nil {
			return nil, err
		}
		obj := &unstructured.Unstructured{}
		if err := obj.UnmarshalJSON(data); err != nil {
			return nil, err
		}
		changed = append(changed, obj)
	}
	return changed, nil
}

func writeJSON(files filesys.FileSystem, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return files.WriteFile(name, data)
}

// concerns reports whether a patch may change one of the objects. Without a
// target it names what it changes.
func concerns(p kustomize.Patch, all []*unstructured.Unstructured) bool {
	if p.Target == nil {
		var body struct {
			Kind     string
			Metadata struct{ Name string }
		}
		return yaml.Unmarshal([]byte(p.Patch), &body) == nil && slices.ContainsFunc(all, func(obj *unstructured.Unstructured) bool {
			return obj.GetKind() == body.Kind && obj.GetName() == body.Metadata.Name
		})
	}
	matches := func(pattern, text string) bool {
		if pattern == "" {
			return true
		}
		compiled, err := regexp.Compile("^(?:" + pattern + ")$")
		return err != nil || compiled.MatchString(text) // kustomize tells what is wrong with it
	}
	return slices.ContainsFunc(all, func(obj *unstructured.Unstructured) bool {
		return matches(p.Target.Kind, obj.GetKind()) && matches(p.Target.Name, obj.GetName())
	})
}
