package desired

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
)

// layer is a patch that may change an object.
type layer struct {
	doc *manifest.Document
	// operations says that it is a list of JSON operations, not a partial object.
	operations bool
}

// find looks a field up. Strictly, only a value that the object really has
// counts.
func (l layer) find(path []string, built any, strictly bool) ([]string, bool) {
	if !l.operations {
		n, ok := l.doc.Find(path...)
		return path, ok && (!strictly || agrees(n, built))
	}
	for i := 0; ; i++ {
		op := fmt.Sprint(i)
		if _, ok := l.doc.Find(op); !ok {
			return nil, false
		}
		rest, ok := below(path, l.doc.Text(op, "path"))
		if !ok {
			continue
		}
		at := append([]string{op, "value"}, rest...)
		if n, ok := l.doc.Find(at...); ok && (!strictly || agrees(n, built)) {
			return at, true
		}
	}
}

// below returns the rest of a path behind a JSON pointer.
func below(path []string, pointer string) ([]string, bool) {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if len(steps) > len(path) {
		return nil, false
	}
	for i, step := range steps {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if step != path[i] && step != "-" {
			return nil, false
		}
	}
	return path[len(steps):], true
}

// layers returns the patches that may change the object, the last applied
// first: those of the Flux Kustomization, then those of the kustomizations
// that its build read.
func (o *Object) layers() []layer {
	k := o.Kustomization
	if k == nil {
		return nil
	}
	var list []layer
	for i := len(k.Spec.Patches) - 1; i >= 0; i-- {
		patch := k.Spec.Patches[i]
		if s := patch.Target; s != nil && !o.selected(s.Kind, s.Name) {
			continue
		}
		doc, at := k.Object.resolve([]string{"spec", "patches", fmt.Sprint(i), "patch"})
		if doc == nil {
			continue
		}
		list = o.appendPatches(list, doc.Nested(at...), patch.Target != nil)
	}
	for _, file := range k.Read {
		switch path.Base(file) {
		case "kustomization.yaml", "kustomization.yml", "Kustomization":
			for _, doc := range o.state.origins.of(file) {
				list = o.appendKustomization(list, doc)
			}
		}
	}
	return list
}

// appendKustomization adds the patches of a kustomization file.
func (o *Object) appendKustomization(list []layer, doc *manifest.Document) []layer {
	for _, field := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
		for i := 0; ; i++ {
			item := []string{field, fmt.Sprint(i)}
			node, ok := doc.Find(item...)
			if !ok {
				break
			}
			if node.Kind == yaml.ScalarNode {
				list = o.appendPatches(list, o.patchDocuments(doc, item, node.Value), false)
				continue
			}
			_, targeted := doc.Find(append(item, "target")...)
			if targeted && !o.selected(doc.Text(append(item, "target", "kind")...), doc.Text(append(item, "target", "name")...)) {
				continue
			}
			list = o.appendPatches(list, doc.Nested(append(item, "patch")...), targeted)
			if file := doc.Text(append(item, "path")...); file != "" {
				list = o.appendPatches(list, o.state.origins.of(path.Join(path.Dir(doc.File), file)), targeted)
			}
		}
	}
	return list
}

// patchDocuments reads an entry of patchesStrategicMerge: a file, or a patch.
func (o *Object) patchDocuments(doc *manifest.Document, item []string, text string) []*manifest.Document {
	if strings.Contains(text, "\n") {
		return doc.Nested(item...)
	}
	return o.state.origins.of(path.Join(path.Dir(doc.File), text))
}

func (o *Object) appendPatches(list []layer, docs []*manifest.Document, targeted bool) []layer {
	for _, doc := range docs {
		switch {
		case doc.Node.Kind == yaml.SequenceNode:
			if targeted {
				list = append(list, layer{doc: doc, operations: true})
			}
		case targeted || doc.Kind() == o.GetKind() && doc.Name() == o.GetName():
			list = append(list, layer{doc: doc})
		}
	}
	return list
}

// selected reports whether a patch's target may mean the object. Both parts
// are regular expressions, as in kustomize.
func (o *Object) selected(kind, name string) bool {
	return matches(kind, o.GetKind()) && matches(name, o.GetName())
}

func matches(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	expression, err := regexp.Compile("^(?:" + pattern + ")$")
	return err == nil && expression.MatchString(text)
}
