package onepassword

import (
	"slices"

	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// templateUses returns the fields that the templates of an ExternalSecret
// use, by name. text returns templates that stand elsewhere; it may be nil.
func templateUses(es *v1.ExternalSecret, text func(kind, name, key string) (string, bool)) map[string]template.Field {
	uses := map[string]template.Field{}
	for _, source := range templateTexts(es, text) {
		fields, err := template.Fields(template.Source{Text: source})
		if err != nil {
			continue // whoever executes it reports it
		}
		for _, f := range fields {
			use := uses[f.Name]
			use.Name = f.Name
			use.Through = union(use.Through, f.Through)
			use.Keys = union(use.Keys, f.Keys)
			uses[f.Name] = use
		}
	}
	return uses
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

func templateTexts(es *v1.ExternalSecret, text func(kind, name, key string) (string, bool)) []string {
	t := es.Spec.Target.Template
	if t == nil {
		return nil
	}
	var texts []string
	for _, values := range []map[string]string{t.Data, t.Metadata.Annotations, t.Metadata.Labels} {
		for _, value := range values {
			texts = append(texts, value)
		}
	}
	for _, from := range t.TemplateFrom {
		if from.Literal != nil {
			texts = append(texts, *from.Literal)
		}
		if text == nil {
			continue
		}
		for kind, ref := range map[string]*v1.TemplateRef{"ConfigMap": from.ConfigMap, "Secret": from.Secret} {
			if ref == nil {
				continue
			}
			for _, item := range ref.Items {
				if s, ok := text(kind, ref.Name, item.Key); ok {
					texts = append(texts, s)
				}
			}
		}
	}
	slices.Sort(texts) // maps have no order, and the result must
	return texts
}
