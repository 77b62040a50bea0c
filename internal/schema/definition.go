package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Definition is a custom resource definition: the schemas of a custom kind. It
// is read-only, and may be used concurrently.
type Definition struct {
	Group, Kind string

	versions []*servedVersion
	// supplied says that it is one that Hearth brings along.
	supplied bool
	// release names the operator and the release of it that one which Hearth
	// carries is of.
	release string
}

// servedVersion is one version of a kind that the API server serves.
type servedVersion struct {
	name   string
	decode func() (*node, error)
	once   sync.Once
	root   *node
}

// schema returns the schema of the version; nil where it does not say what is
// valid.
func (v *servedVersion) schema() *node {
	v.once.Do(func() {
		if n, err := v.decode(); err == nil {
			v.root = n
		}
	})
	return v.root
}

// CustomResourceDefinition reads an object of that kind. Schemas are decoded
// when an object of the kind is first validated; one that is broken admits
// anything.
func CustomResourceDefinition(obj *unstructured.Unstructured) (*Definition, error) {
	group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
	if group == "" || kind == "" {
		return nil, fmt.Errorf("reading the CustomResourceDefinition %s: it names no group or no kind", obj.GetName())
	}
	d := &Definition{Group: group, Kind: kind}
	spec, _ := obj.Object["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		name, _ := version["name"].(string)
		if served, _ := version["served"].(bool); !served || name == "" {
			continue
		}
		holder, _ := version["schema"].(map[string]any)
		schema, ok := holder["openAPIV3Schema"].(map[string]any)
		d.versions = append(d.versions, &servedVersion{name: name, decode: func() (*node, error) {
			if !ok {
				return nil, nil
			}
			data, err := json.Marshal(schema)
			if err != nil {
				return nil, err
			}
			return decodeNode(data)
		}})
	}
	return d, nil
}

// version returns a served version, or nil.
func (d *Definition) version(name string) *servedVersion {
	i := slices.IndexFunc(d.versions, func(v *servedVersion) bool { return v.name == name })
	if i < 0 {
		return nil
	}
	return d.versions[i]
}

// apiVersions lists what is served, as objects write it.
func (d *Definition) apiVersions() []string {
	var list []string
	for _, v := range d.versions {
		list = append(list, d.Group+"/"+v.name)
	}
	return list
}
