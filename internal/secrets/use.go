package secrets

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/api/externalsecrets/template"
	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// use is where a template uses a field.
type use struct {
	place domain.Place
	// optional says that all templates that use it can do without.
	optional bool
}

// lookups matches the functions that ask for a field and bear that it is missing.
var lookups = regexp.MustCompile(`\b(hasKey|index|get|dig|pick|keys|values|range)\b`)

// takesAll matches the functions that may be given all fields at once.
var takesAll = regexp.MustCompile(`\b(range|keys|values|pick|omit|toJson|toPrettyJson|toYaml)\b`)

// BearsLack reports whether a template asks whether fields are there, and so
// may do without them.
func BearsLack(text string) bool { return lookups.MatchString(text) }

// LineWithin returns the place of a line, from 1, of a text that stands at a
// path of an object; 0 is that of the text.
func LineWithin(in *desired.Object, at []string, line int) domain.Place {
	doc, node := in.Node(at...)
	if node == nil || line == 0 || node.Kind != yaml.ScalarNode {
		return in.Place(at...)
	}
	if node.Style == yaml.LiteralStyle {
		return domain.Place{File: doc.File, Line: node.Line + line}
	}
	return domain.Place{File: doc.File, Line: node.Line}
}

// LineOf returns the line, from 1, of a text that first speaks of a field.
func LineOf(text, field string) int {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.Contains(line, field) {
			return number
		}
	}
	return 0
}

// usesOf returns the fields that the templates of an ExternalSecret use, by name.
func (r *reader) usesOf(e *external) map[string]use {
	uses := map[string]use{}
	note := func(in *desired.Object, at []string, text string) {
		fields, err := template.Fields(template.Source{Text: text})
		if err != nil {
			return // whoever executes it reports it
		}
		optional := BearsLack(text)
		e.all = e.all || takesAll.MatchString(text)
		for _, f := range fields {
			if known, ok := uses[f.Name]; ok && (optional || !known.optional) {
				continue
			}
			uses[f.Name] = use{LineWithin(in, at, LineOf(text, f.Name)), optional}
		}
	}
	t := e.es.Spec.Target.Template
	if t == nil {
		return uses
	}
	each := func(texts map[string]string, at ...string) {
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			note(e.Object, append(e.path(at...), key), texts[key])
		}
	}
	each(t.Data, "target", "template", "data")
	each(t.Metadata.Annotations, "target", "template", "metadata", "annotations")
	each(t.Metadata.Labels, "target", "template", "metadata", "labels")
	for i, from := range t.TemplateFrom {
		if from.Literal != nil {
			note(e.Object, e.path("target", "template", "templateFrom", strconv.Itoa(i), "literal"), *from.Literal)
		}
		if from.ConfigMap == nil {
			continue
		}
		for _, item := range from.ConfigMap.Items {
			if text, ok := r.text(e.es.Namespace, "ConfigMap", from.ConfigMap.Name, item.Key); ok {
				note(r.configMap(e.es.Namespace, from.ConfigMap.Name), []string{"data", item.Key}, text)
			}
		}
	}
	return uses
}

func (r *reader) configMap(namespace, name string) *desired.Object {
	return r.state.Find("", "ConfigMap", namespace, name)
}

// text returns a key of a ConfigMap that holds templates. Secrets are not
// looked into.
func (r *reader) text(namespace, kind, name, key string) (string, bool) {
	if kind != "ConfigMap" {
		return "", false
	}
	o := r.configMap(namespace, name)
	if o == nil {
		return "", false
	}
	data, _ := o.Object["data"].(map[string]any)
	text, ok := data[key].(string)
	return text, ok
}
