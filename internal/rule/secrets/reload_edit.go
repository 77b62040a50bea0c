package secrets

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
	"hearth/internal/manifest/edit"
	"hearth/internal/render/desired"
)

// annotate adds the annotation that names the Secrets: to the manifest of the
// workload, or to the controller in the values that it is rendered from.
func annotate(o *desired.Object, r reloader, missed []use) []edit.Edit {
	doc, at := annotated(o)
	if doc == nil {
		return nil
	}
	for _, name := range []string{r.auto, r.typedAuto, r.search} {
		if _, ok := doc.Find(below(at, "annotations", name)...); ok {
			return nil // it speaks another language; a name would not be added to it
		}
	}
	value := joined(missed)
	if had, ok := doc.Find(below(at, "annotations", r.reload)...); ok {
		if had.Kind != yaml.ScalarNode || had.Value == "" || strings.Contains(had.Value, "{{") || strings.Contains(had.Value, "${") {
			return nil
		}
		value = had.Value + "," + value
	}
	return []edit.Edit{edit.Set(doc.File, doc.Line, below(at, "annotations", r.reload), value)}
}

// annotated returns the document and mapping that the annotations of a
// workload are written in; nil where that is not certain.
func annotated(o *desired.Object) (*manifest.Document, []string) {
	if o.Release == nil {
		doc, at := o.Document()
		if doc == nil || doc.Kind() != o.GetKind() || o.Bootstrap {
			return nil, nil
		}
		return doc, below(at, "metadata")
	}
	id := o.GetLabels()["app.kubernetes.io/controller"]
	if id == "" || o.Release.ChartName != "app-template" || strings.Contains(id, ".") {
		return nil, nil
	}
	doc, at := o.Release.Object.Document()
	path := append(below(at), "spec", "values", "controllers", id)
	if doc == nil || o.Release.Object.Bootstrap {
		return nil, nil
	}
	node, ok := doc.Find(path...)
	if !ok || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	// What a patch or a ConfigMap says of the controller would win.
	if _, actual := o.Release.ValueNode("controllers", id); actual != node {
		return nil, nil
	}
	return doc, path
}
