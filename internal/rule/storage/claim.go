package storage

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
)

// claim is a demand for storage: a PersistentVolumeClaim, or the template of
// one.
type claim struct {
	object *desired.Object
	// name is the claim's own, or that of its template.
	name string
	spec corev1.PersistentVolumeClaimSpec
	// path leads to the specification in the object.
	path []string
	// values leads to the part of a release's values that it is made of.
	values []string
}

// decode reads a part of an object, and reports whether it has the right shape.
func decode(content any, into any) bool {
	m, ok := content.(map[string]any)
	return ok && runtime.DefaultUnstructuredConverter.FromUnstructured(m, into) == nil
}

// claimsOf lists what an object demands.
func claimsOf(o *desired.Object) []*claim {
	var list []*claim
	add := func(name string, spec any, path ...string) {
		c := &claim{object: o, name: name, path: path}
		if !decode(spec, &c.spec) {
			return // the API server refuses it
		}
		if o.Release != nil {
			c.values = findClaim(o.Release.Values, nil, c, maxDepth)
		}
		list = append(list, c)
	}
	switch o.GetKind() {
	case "PersistentVolumeClaim":
		add(o.GetName(), o.Object["spec"], "spec")
	case "StatefulSet":
		spec, _ := o.Object["spec"].(map[string]any)
		templates, _ := spec["volumeClaimTemplates"].([]any)
		for i, item := range templates {
			template, _ := item.(map[string]any)
			metadata, _ := template["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			add(name, template["spec"], "spec", "volumeClaimTemplates", strconv.Itoa(i), "spec")
		}
	}
	for _, pods := range graph.PodSpecs(o) {
		for i, v := range pods.Spec.Volumes {
			if v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
				list = append(list, &claim{object: o, name: v.Name, spec: v.Ephemeral.VolumeClaimTemplate.Spec,
					path: slices.Concat(pods.Path, []string{"volumes", strconv.Itoa(i), "ephemeral", "volumeClaimTemplate", "spec"})})
			}
		}
	}
	return list
}

// maxDepth bounds how deep values are searched.
const maxDepth = 16

// findClaim returns the path of the values that a claim is made of: a mapping
// that names the same class and size, whose key the claim's name ends in where
// there are several.
func findClaim(values any, path []string, c *claim, depth int) []string {
	if depth == 0 {
		return nil
	}
	switch in := values.(type) {
	case map[string]any:
		if c.madeOf(in) {
			return path
		}
		var found []string
		for _, key := range slices.Sorted(maps.Keys(in)) {
			below := findClaim(in[key], append(slices.Clip(path), key), c, depth-1)
			if below != nil && (found == nil || c.isNamed(below[len(below)-1])) {
				found = below
			}
		}
		return found
	case []any:
		for i, item := range in {
			if below := findClaim(item, append(slices.Clip(path), strconv.Itoa(i)), c, depth-1); below != nil {
				return below
			}
		}
	}
	return nil
}

// key is what the owner calls the claim: a chart may call it after the release.
func (c *claim) key() string {
	if len(c.values) > 0 {
		return c.values[len(c.values)-1]
	}
	return c.name
}

func (c *claim) isNamed(key string) bool { return c.name == key || strings.HasSuffix(c.name, "-"+key) }

// madeOf reports whether a part of the values says what the claim says.
func (c *claim) madeOf(values map[string]any) bool {
	class, named := first(values, "storageClass", "storageClassName").(string)
	size, sized := values["size"].(string)
	if !named && !sized || named && class != c.class() {
		return false
	}
	if !sized {
		return named
	}
	asked, err := resource.ParseQuantity(size)
	return err == nil && asked.Cmp(c.size()) == 0
}

func first(values map[string]any, names ...string) any {
	for _, name := range names {
		if v, ok := values[name]; ok {
			return v
		}
	}
	return nil
}

// class is the class that the claim names; "" where it names none.
func (c *claim) class() string {
	if c.spec.StorageClassName == nil {
		return ""
	}
	return *c.spec.StorageClassName
}

// isStatic reports whether the claim is bound to a volume by its name, or to
// one without a class.
func (c *claim) isStatic() bool {
	return c.spec.VolumeName != "" || c.spec.StorageClassName != nil && *c.spec.StorageClassName == "" || c.spec.Selector != nil
}

func (c *claim) size() resource.Quantity { return c.spec.Resources.Requests[corev1.ResourceStorage] }

// mode returns the access mode of several nodes that the claim asks for, and
// its position.
func (c *claim) mode() (corev1.PersistentVolumeAccessMode, int) {
	for i, m := range c.spec.AccessModes {
		if m == corev1.ReadWriteMany {
			return m, i
		}
	}
	return "", 0
}

// valueNames are what charts call the fields of a claim in their values.
var valueNames = map[string][]string{
	"storageClassName": {"storageClass", "storageClassName"},
	"accessModes":      {"accessMode", "accessModes"},
	"resources":        {"size", "resources"},
}

// place returns where a field of the specification stands, and what it says
// there.
func (c *claim) place(field string, below ...string) (domain.Place, string) {
	if c.values == nil {
		at := slices.Concat(c.path, []string{field}, below)
		if c.object.Release == nil {
			if _, node := c.object.Node(at...); node != nil {
				return c.object.Place(at...), node.Value
			}
		}
		return c.object.Place(at...), ""
	}
	for _, name := range valueNames[field] {
		at := append(slices.Clip(c.values), name)
		if _, node := c.object.Release.ValueNode(at...); node != nil {
			return c.object.Release.ValuePlace(at...), node.Value
		}
	}
	return c.object.Release.ValuePlace(c.values...), ""
}
