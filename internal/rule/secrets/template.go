package secrets

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	needed "hearth/internal/secrets"
)

var secretTemplate = &rule.Rule{
	Name:     "secret-template",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "The templates of ExternalSecrets parse, use functions that exist, and fields that something supplies",
	Why: "A template that cannot be executed keeps its whole Secret from being made, also the keys that have nothing to do " +
		"with it, and every pod that needs one of them waits for ever.",
	Remedy: "Close what is open, use the functions of External Secrets' template engine, and name the fields as data and " +
		"dataFrom supply them, after rewrite has renamed them. Text that has to keep its braces is written {{ `{{ name }}` }}.",
	Section: "Capsule: SecretTemplating",
	Bad: "target:\n" +
		"  template:\n" +
		"    data:\n" +
		"      DB_URL: \"postgres://{{ .DB_USERNAME }:{{ .DB_PASSWORD }}@host:5432/db\"\n",
	Good: "target:\n" +
		"  template:\n" +
		"    data:\n" +
		"      DB_URL: \"postgres://{{ .DB_USERNAME }}:{{ .DB_PASSWORD }}@host:5432/db\"\n",
	Check: func(p *rule.Pass) {
		eachExternal(p, func(e *external) { (&templates{Pass: p, external: e, fields: suppliedFields(p.Context, e)}).check() })
	},
}

// templates judges the templates of one ExternalSecret.
type templates struct {
	*rule.Pass
	*external
	fields supply
}

func (t *templates) check() {
	t.rewrites()
	target := t.typed.Target.Template
	if target == nil {
		return
	}
	at := []string{"target", "template"}
	t.each(target.Data, below(at, "data"))
	t.each(target.Metadata.Annotations, below(at, "metadata", "annotations"))
	t.each(target.Metadata.Labels, below(at, "metadata", "labels"))
	for i, from := range target.TemplateFrom {
		t.from(from, below(at, "templateFrom", strconv.Itoa(i)))
	}
}

// rewrites judges the templates that rename fields.
func (t *templates) rewrites() {
	for i, from := range t.typed.DataFrom {
		for j, step := range from.Rewrite {
			if step.Transform == nil {
				continue
			}
			var fault *template.Error
			err := template.Check(template.Source{Name: "transform", Text: step.Transform.Template}, "")
			if errors.As(err, &fault) {
				at := []string{"dataFrom", strconv.Itoa(i), "rewrite", strconv.Itoa(j), "transform", "template"}
				t.fault(t.Object, t.path(at...), "transform", fault)
			}
		}
	}
}

func (t *templates) each(texts map[string]string, at []string) {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		t.text(t.Object, t.path(below(at, key)...), key, texts[key])
	}
}

// from judges templates that stand elsewhere: those in a Secret are not known.
func (t *templates) from(from v1.TemplateFrom, at []string) {
	if from.Literal != nil {
		t.text(t.Object, t.path(below(at, "literal")...), "literal", *from.Literal)
	}
	if from.ConfigMap == nil || t.GetKind() == "ClusterExternalSecret" {
		return
	}
	o := t.cluster.State.Find("", "ConfigMap", t.GetNamespace(), from.ConfigMap.Name)
	if o == nil {
		return
	}
	for _, item := range from.ConfigMap.Items {
		data, _ := o.Object["data"].(map[string]any)
		if text, ok := data[item.Key].(string); ok {
			t.text(o, []string{"data", item.Key}, item.Key, text)
		}
	}
}

// text judges one template, which stands at a path of an object.
func (t *templates) text(in *desired.Object, at []string, key, text string) {
	if !strings.Contains(text, "{{") {
		return
	}
	src := template.Source{Name: key, Text: text}
	var fault *template.Error
	if err := template.Check(src, t.typed.Target.Template.EngineVersion); errors.As(err, &fault) {
		t.fault(in, at, key, fault)
		return
	}
	for _, name := range t.fields.missing(src) {
		message := fmt.Sprintf("the template of %s uses the field %s, which %s, so that %s is never made", key, name, t.fields.instead(), t.secretName())
		t.report(in, at, needed.LineOf(text, name), name, message)
	}
}

func (t *templates) secretName() string {
	name := t.typed.Target.Name
	if name == "" {
		name = t.GetName()
	}
	return "the Secret " + name
}

// fault reports a template that does not parse.
func (t *templates) fault(in *desired.Object, at []string, key string, fault *template.Error) {
	t.report(in, at, fault.Line, "", fmt.Sprintf("the template of %s %s, so that %s is never made", key, fault.Problem, t.secretName()))
}

// report reports what is wrong in a line of a template, counted from 1.
func (t *templates) report(in *desired.Object, at []string, line int, text, message string) {
	t.Report(rule.Finding{Place: needed.LineWithin(in, at, line), Text: text, Object: t.Ref, Message: message})
}
