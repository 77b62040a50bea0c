package repo

import (
	"encoding/json"
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// patched applies the patches of a FluxInstance that concern its source and
// its root Kustomization, through kustomize, as flux-operator does. Everything
// happens in memory.
func patched(objects []*unstructured.Unstructured, patches []any) ([]*unstructured.Unstructured, error) {
	var wanted []any
	for _, p := range patches {
		if concerns(objects, mapping(p)) {
			wanted = append(wanted, p)
		}
	}
	if len(wanted) == 0 {
		return objects, nil
	}
	fs := filesys.MakeFsInMemory()
	var resources []string
	for i, o := range objects {
		data, err := o.MarshalJSON()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("object-%d.yaml", i)
		resources = append(resources, name)
		if err := fs.WriteFile(name, data); err != nil {
			return nil, err
		}
	}
	kustomization, err := json.Marshal(map[string]any{"resources": resources, "patches": wanted})
	if err != nil {
		return nil, err
	}
	if err := fs.WriteFile("kustomization.yaml", kustomization); err != nil {
		return nil, err
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, ".")
	if err != nil {
		return nil, err
	}
	byKind := map[string]*unstructured.Unstructured{}
	for _, res := range built.Resources() {
		o := &unstructured.Unstructured{}
		data, err := res.MarshalJSON()
		if err == nil {
			err = o.UnmarshalJSON(data)
		}
		if err != nil {
			return nil, err
		}
		byKind[o.GetKind()] = o
	}
	var result []*unstructured.Unstructured
	for _, o := range objects {
		if p := byKind[o.GetKind()]; p != nil {
			result = append(result, p)
		}
	}
	return result, nil
}

// concerns reports whether an inline patch may change one of the objects.
// Without a target a patch names what it changes; kustomize refuses one that
// names something else.
func concerns(objects []*unstructured.Unstructured, patch map[string]any) bool {
	text, inline := patch["patch"].(string)
	if !inline {
		return false
	}
	target := mapping(patch["target"])
	if target == nil {
		var body struct{ Kind string }
		return yaml.Unmarshal([]byte(text), &body) == nil && kindOf(objects, body.Kind, true)
	}
	kind, _ := target["kind"].(string)
	return kind == "" || kindOf(objects, kind, false)
}

func kindOf(objects []*unstructured.Unstructured, kind string, exact bool) bool {
	if exact {
		kind = regexp.QuoteMeta(kind)
	}
	pattern, err := regexp.Compile("^(?:" + kind + ")$")
	if err != nil {
		return true // kustomize tells what is wrong with it
	}
	for _, o := range objects {
		if pattern.MatchString(o.GetKind()) {
			return true
		}
	}
	return false
}
