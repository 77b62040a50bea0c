package desired

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// ValuePlace returns where a value of the release stands: below spec.values, in
// the patch that sets it, or in the ConfigMap that supplies it. Where it does
// not stand anywhere it is the nearest place above.
func (r *Release) ValuePlace(path ...string) domain.Place {
	full := append([]string{"spec", "values"}, path...)
	if doc, at := r.Object.resolve(full); doc != nil {
		return doc.Place(at...)
	}
	for _, doc := range r.suppliedValues() {
		if _, ok := doc.Find(path...); ok {
			return doc.Place(path...)
		}
	}
	return r.Object.Place(full...)
}

// ValueNode returns the document and node that give a value, as
// [Object.Node] does.
func (r *Release) ValueNode(path ...string) (*manifest.Document, *yaml.Node) {
	if doc, node := r.Object.Node(append([]string{"spec", "values"}, path...)...); node != nil {
		return doc, node
	}
	for _, doc := range r.suppliedValues() {
		if node, ok := doc.Find(path...); ok {
			return doc, node
		}
	}
	return nil, nil
}

// suppliedValues are the documents of spec.valuesFrom, the last first.
func (r *Release) suppliedValues() []*manifest.Document {
	var docs []*manifest.Document
	for _, ref := range slices.Backward(r.Spec.ValuesFrom) {
		o := r.Object.state.Find("", ref.Kind, r.Namespace, ref.Name)
		if o == nil || o.Release != nil || ref.Kind != "ConfigMap" {
			continue
		}
		key := ref.GetValuesKey()
		if doc, node := o.Node("data", key); node != nil {
			docs = append(docs, nestedAt(doc, o, key)...)
			continue
		}
		docs = append(docs, o.state.origins.of(o.generatedFrom(key))...)
	}
	return docs
}

func nestedAt(doc *manifest.Document, o *Object, key string) []*manifest.Document {
	_, prefix := o.Document()
	return doc.Nested(append(slices.Clip(prefix), "data", key)...)
}

// generatedFrom returns the file that a configMapGenerator reads a key from.
func (o *Object) generatedFrom(key string) string {
	doc, prefix := o.Document()
	if doc == nil || doc.Kind() == o.GetKind() {
		return ""
	}
	for i := 0; ; i++ {
		entry := doc.Text(append(slices.Clip(prefix), "files", fmt.Sprint(i))...)
		if entry == "" {
			return ""
		}
		name, file, named := strings.Cut(entry, "=")
		if !named {
			name, file = entry[strings.LastIndex(entry, "/")+1:], entry
		}
		if name == key {
			return joinFile(doc.File, file)
		}
	}
}

// placeOf returns where a rendered field comes from: a value that says the same
// stands in the release's values exactly once or first.
func (r *Release) placeOf(o *Object, path []string) domain.Place {
	built, ok := value(o.Object, path)
	text, isText := built.(string)
	if ok && isText && len(text) > 1 {
		if place := r.mention(text); place.Known() {
			return place
		}
	}
	return r.Object.Place()
}

// mention returns where the release's values hold a text, as a whole scalar. A
// value goes before a key of the same text.
func (r *Release) mention(text string) domain.Place {
	equal := func(line string) bool {
		return line == text || strings.Contains(line, "{{") && r.expand(line) == text
	}
	docs := r.mentioning()
	for _, doc := range docs {
		if line := doc.ValueLine(equal); line > 0 {
			return domain.Place{File: doc.File, Line: line}
		}
	}
	for _, doc := range docs {
		if line := doc.MentionLine(equal); line > 0 {
			return domain.Place{File: doc.File, Line: line}
		}
	}
	return domain.Place{}
}

// mentioning returns the documents that the release's values come from.
func (r *Release) mentioning() []*manifest.Document {
	var docs []*manifest.Document
	if doc, node := r.Object.Node("spec", "values"); node != nil {
		docs = append(docs, &manifest.Document{File: doc.File, Line: node.Line, Node: node})
	}
	for _, l := range r.Object.layers() {
		docs = append(docs, l.doc)
	}
	return append(docs, r.suppliedValues()...)
}

// expand fills in what values mostly use of a template.
func (r *Release) expand(text string) string {
	for _, name := range []string{"{{ .Release.Name }}", "{{.Release.Name}}"} {
		text = strings.ReplaceAll(text, name, r.ReleaseName)
	}
	for _, name := range []string{"{{ .Release.Namespace }}", "{{.Release.Namespace}}"} {
		text = strings.ReplaceAll(text, name, r.ReleaseNamespace)
	}
	return text
}
