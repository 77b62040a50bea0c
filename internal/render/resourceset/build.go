package resourceset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	// maxObjects bounds how many objects one ResourceSet makes.
	maxObjects = 10_000
	// maxBytes bounds how much text all its templates yield.
	maxBytes = 64 << 20

	excludeAnnotation = "fluxcd.controlplane.io/reconcile"
	excluded          = "disabled"
)

// Templates make objects: each of Resources one for every set of inputs, Text
// any number, as a YAML stream.
type Templates struct {
	Resources []json.RawMessage
	Text      string
}

// Step is a named group of templates.
type Step struct {
	Name string
	Templates
}

// Build makes the objects of one group of templates, once for each set of
// inputs, or once without any. The first of objects with the same group, kind,
// namespace and name stays. Objects that are annotated to be left out are.
func Build(ctx context.Context, t Templates, inputs []map[string]any) ([]*unstructured.Unstructured, error) {
	if len(inputs) == 0 {
		inputs = []map[string]any{nil}
	}
	b := &build{engine: newEngine(ctx), seen: map[string]bool{}}
	for i, resource := range t.Resources {
		text, err := yaml.JSONToYAML(resource)
		if err != nil {
			return nil, fmt.Errorf("resources[%d] is no object: %w", i, err)
		}
		if err := b.expand(fmt.Sprintf("resources[%d]", i), string(text), inputs, readOne); err != nil {
			return nil, err
		}
	}
	if t.Text != "" {
		if err := b.expand("resourcesTemplate", t.Text, inputs, readAll); err != nil {
			return nil, err
		}
	}
	return b.objects, nil
}

// BuildSteps makes the objects of several groups. An object belongs to one of
// them only.
func BuildSteps(ctx context.Context, steps []Step, inputs []map[string]any) ([][]*unstructured.Unstructured, error) {
	in := map[string]string{}
	var all [][]*unstructured.Unstructured
	for _, step := range steps {
		objects, err := Build(ctx, step.Templates, inputs)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", step.Name, err)
		}
		for _, obj := range objects {
			key := keyOf(obj)
			if other, ok := in[key]; ok {
				return nil, fmt.Errorf("duplicate resource %s in step %q, already defined in step %q", ssautil.FmtUnstructured(obj), step.Name, other)
			}
			in[key] = step.Name
		}
		all = append(all, objects)
	}
	return all, nil
}

type build struct {
	engine  *engine
	objects []*unstructured.Unstructured
	seen    map[string]bool
	bytes   int
}

// expand executes one template over all sets of inputs.
func (b *build) expand(name, text string, inputs []map[string]any, read func(string) ([]*unstructured.Unstructured, error)) error {
	t, err := b.engine.compile(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, set := range inputs {
		yield, err := t.execute(set)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if b.bytes += len(yield); b.bytes > maxBytes {
			return fmt.Errorf("%s: all templates together yield more than %d bytes", name, maxBytes)
		}
		objects, err := read(yield)
		if err != nil {
			return fmt.Errorf("%s: read what the template yields: %w", name, err)
		}
		if err := b.add(objects); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *build) add(objects []*unstructured.Unstructured) error {
	for _, obj := range objects {
		key := keyOf(obj)
		if b.seen[key] || strings.EqualFold(obj.GetAnnotations()[excludeAnnotation], excluded) {
			continue
		}
		if len(b.objects) == maxObjects {
			return fmt.Errorf("the templates yield more than %d objects", maxObjects)
		}
		b.seen[key] = true
		b.objects = append(b.objects, obj)
	}
	return nil
}

func readOne(text string) ([]*unstructured.Unstructured, error) {
	obj, err := ssautil.ReadObject(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return []*unstructured.Unstructured{obj}, nil
}

func readAll(text string) ([]*unstructured.Unstructured, error) {
	return ssautil.ReadObjects(bytes.NewReader([]byte(text)))
}

// keyOf names an object whatever its version.
func keyOf(obj *unstructured.Unstructured) string {
	return strings.Join([]string{obj.GroupVersionKind().Group, obj.GetKind(), obj.GetNamespace(), obj.GetName()}, "/")
}
