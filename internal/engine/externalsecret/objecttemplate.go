package externalsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// maxPath bounds the steps of a template's target.
const maxPath = 32

// closedPaths are what templates may not write: with them an object could
// become another one, or pretend.
var closedPaths = []string{"metadata", "status", "kind", "apiversion"}

// renderObject gives an object of another kind the content that was read.
func (r *reconciler) renderObject(ctx context.Context, es *v1.ExternalSecret, read map[string][]byte, obj *unstructured.Unstructured) error {
	fields := make(map[string]string, len(read))
	for name, value := range read {
		fields[name] = string(value)
	}
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	t := es.Spec.Target.Template
	if t != nil {
		labels, annotations = joined(labels, t.Metadata.Labels), joined(annotations, t.Metadata.Annotations)
	}
	obj.SetLabels(joined(labels, map[string]string{managedLabel: "true"}))
	obj.SetAnnotations(annotations)
	if t == nil {
		return plainObject(obj, fields)
	}
	e := execution{ctx: ctx, fields: fields, to: &objectContent{obj}}
	for i, from := range t.TemplateFrom {
		if err := r.renderFrom(e, es, i, from); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Data)) {
		if err := e.value(v1.TemplateTargetData, key, template.Source{Name: key, Text: t.Data[key]}); err != nil {
			return err
		}
	}
	data, err := json.Marshal(obj.Object)
	if err != nil {
		return fmt.Errorf("%s has no JSON form", nameOf(obj))
	}
	if len(data) > maxObject {
		return fmt.Errorf("%s would hold %d bytes, more than %d", nameOf(obj), len(data), maxObject)
	}
	return nil
}

// plainObject holds all fields where there is no template: the data of a
// ConfigMap, and spec.data of everything else.
func plainObject(obj *unstructured.Unstructured, fields map[string]string) error {
	size := 0
	for _, value := range fields {
		size += len(value)
	}
	if size > maxObject {
		return fmt.Errorf("%s would hold %d bytes, more than %d", nameOf(obj), size, maxObject)
	}
	path := []string{"spec", "data"}
	if obj.GetKind() == "ConfigMap" {
		path = path[1:]
	}
	if unstructured.SetNestedStringMap(obj.Object, fields, path...) != nil {
		return fmt.Errorf("%s has a spec that is no mapping", nameOf(obj))
	}
	return nil
}

// objectContent takes what templates yield into an object.
type objectContent struct{ obj *unstructured.Unstructured }

// set puts the value of a key where the target says: into a mapping of texts,
// or, parsed, at a path.
func (o *objectContent) set(target, key, value string) error {
	switch strings.ToLower(target) {
	case "", "data":
		return o.put([]string{"data", key}, value)
	case "spec":
		return o.put([]string{"spec", key}, value)
	case "labels":
		o.obj.SetLabels(joined(o.obj.GetLabels(), map[string]string{key: value}))
		return nil
	case "annotations":
		o.obj.SetAnnotations(joined(o.obj.GetAnnotations(), map[string]string{key: value}))
		return nil
	}
	path, err := pathOf(target)
	if err != nil {
		return err
	}
	var parsed any
	if utilyaml.Unmarshal([]byte(value), &parsed) != nil {
		parsed = value
	}
	return o.put(path, parsed)
}

// takesWhole reports whether a target takes any YAML, not keys and values.
func (o *objectContent) takesWhole(target string) bool {
	return !slices.Contains([]string{"", "data", "labels", "annotations"}, strings.ToLower(target))
}

// place puts what a template yields at a path, joined with a mapping that is
// there.
func (o *objectContent) place(target, text, source string) error {
	path, err := pathOf(target)
	if err != nil {
		return err
	}
	var parsed any
	if utilyaml.Unmarshal([]byte(text), &parsed) != nil {
		return fmt.Errorf("template %q does not yield YAML", source)
	}
	more, isMap := parsed.(map[string]any)
	there, found, _ := unstructured.NestedMap(o.obj.Object, path...)
	if isMap && found && len(path) > 1 {
		maps.Copy(there, more)
		parsed = there
	}
	return o.put(path, parsed)
}

func (o *objectContent) put(path []string, value any) error {
	if err := unstructured.SetNestedField(o.obj.Object, value, path...); err != nil {
		return fmt.Errorf("a template's target %q leads through what is no mapping", strings.Join(path, "."))
	}
	return nil
}

// pathOf reads a template's target. Letters are lowered, as the operator does,
// so that names with capitals cannot be reached.
func pathOf(target string) ([]string, error) {
	path := strings.Split(strings.ToLower(target), ".")
	switch {
	case len(path) > maxPath:
		return nil, fmt.Errorf("a template's target has %d steps, more than %d", len(path), maxPath)
	case slices.Contains(path, ""):
		return nil, fmt.Errorf("a template's target %q has an empty step", target)
	case slices.Contains(closedPaths, path[0]):
		return nil, fmt.Errorf("a template's target %q leads to what templates may not write", target)
	}
	return path, nil
}
