package externalsecret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"hearth/internal/api/externalsecrets/keys"
	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// rendering is what the Secret is to have.
type rendering struct {
	data                map[string][]byte
	labels, annotations map[string]string
	secretType          corev1.SecretType
	finalizers          []string
}

// render makes the Secret's content of what was read.
func (r *reconciler) render(ctx context.Context, es *v1.ExternalSecret, read map[string][]byte) (*rendering, error) {
	t := es.Spec.Target.Template
	if t == nil {
		annotations := maps.Clone(es.Annotations)
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		return &rendering{data: read, labels: maps.Clone(es.Labels), annotations: annotations}, nil
	}
	out := &rendering{
		data: map[string][]byte{}, labels: map[string]string{}, annotations: map[string]string{},
		secretType: t.Type, finalizers: t.Metadata.Finalizers,
	}
	if t.MergePolicy == v1.MergePolicyMerge || len(t.Data) == 0 && len(t.TemplateFrom) == 0 {
		maps.Copy(out.data, read)
	}
	fields := make(map[string]string, len(read))
	for name, value := range read {
		fields[name] = string(value)
	}
	e := execution{ctx: ctx, fields: fields, to: out}
	for i, from := range t.TemplateFrom {
		if err := r.renderFrom(e, es, i, from); err != nil {
			return nil, err
		}
	}
	for target, values := range map[string]map[string]string{
		v1.TemplateTargetData: t.Data, v1.TemplateTargetAnnotations: t.Metadata.Annotations, v1.TemplateTargetLabels: t.Metadata.Labels,
	} {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if err := e.value(target, key, template.Source{Name: key, Text: values[key]}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// takes is what templates yield values for.
type takes interface {
	// set takes the value of a key of a target; an empty target is Data.
	set(target, key, value string) error
}

// takesYAML is what takes more than keys and values for some targets.
type takesYAML interface {
	takesWhole(target string) bool
	// place takes the YAML that a template of a name yields.
	place(target, text, source string) error
}

// execution runs templates over fields.
type execution struct {
	ctx    context.Context
	fields map[string]string
	to     takes
}

func (out *rendering) set(target, key, value string) error {
	switch cmp.Or(target, v1.TemplateTargetData) {
	case v1.TemplateTargetData:
		out.data[key] = []byte(value)
	case v1.TemplateTargetAnnotations:
		out.annotations[key] = value
	case v1.TemplateTargetLabels:
		out.labels[key] = value
	default:
		return fmt.Errorf("templateFrom has the target %q, which is none of Data, Annotations, Labels", target)
	}
	return nil
}

// value makes one value.
func (e execution) value(target, key string, src template.Source) error {
	value, err := template.Execute(e.ctx, src, e.fields)
	if err != nil {
		return err
	}
	return e.to.set(target, key, value)
}

// mapping makes many values, of a template that yields a YAML mapping.
func (e execution) mapping(target string, src template.Source) error {
	text, err := template.Execute(e.ctx, src, e.fields)
	if err != nil {
		return err
	}
	if to, ok := e.to.(takesYAML); ok && to.takesWhole(target) {
		return to.place(target, text, src.Name)
	}
	var values map[string]any
	if yaml.Unmarshal([]byte(text), &values) != nil {
		return fmt.Errorf("template %q does not yield a YAML mapping of keys and values", src.Name)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value, err := keys.Bytes(values[key])
		if err != nil {
			return fmt.Errorf("template %q: one of its values has no JSON form", src.Name)
		}
		if _, secret := e.to.(*rendering); secret && cmp.Or(target, v1.TemplateTargetData) == v1.TemplateTargetData && !keys.Valid(key) {
			return &keyError{src.Name}
		}
		if err := e.to.set(target, key, string(value)); err != nil {
			return err
		}
	}
	return nil
}

// keyError is a key that a template made and a Secret cannot have. It is not
// cited, for it may be made of a value.
type keyError struct{ template string }

func (e *keyError) Error() string {
	return fmt.Sprintf("template %q makes a key that cannot be a key of a Secret: letters, digits, \"-\", \"_\" and \".\" can", e.template)
}

// renderFrom runs the templates of one entry of templateFrom.
func (r *reconciler) renderFrom(e execution, es *v1.ExternalSecret, index int, from v1.TemplateFrom) error {
	if from.Literal != nil {
		name := fmt.Sprintf("templateFrom[%d].literal", index)
		if err := e.mapping(from.Target, template.Source{Name: name, Text: *from.Literal}); err != nil {
			return err
		}
	}
	for _, kind := range []string{"ConfigMap", "Secret"} {
		ref := from.ConfigMap
		if kind == "Secret" {
			ref = from.Secret
		}
		if ref == nil {
			continue
		}
		texts, err := r.templateTexts(e.ctx, kind, types.NamespacedName{Namespace: es.Namespace, Name: ref.Name})
		if err != nil {
			return err
		}
		for _, item := range ref.Items {
			text, ok := texts[item.Key]
			if !ok {
				return fmt.Errorf("the %s %s, which holds templates, has no key %q", kind, ref.Name, item.Key)
			}
			src := template.Source{Name: item.Key, Text: text, Private: kind == "Secret"}
			if item.TemplateAs == v1.TemplateAsKeysAndValues {
				err = e.mapping(from.Target, src)
			} else {
				err = e.value(from.Target, item.Key, src)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// templateTexts reads the templates that a ConfigMap or Secret holds.
func (r *reconciler) templateTexts(ctx context.Context, kind string, name types.NamespacedName) (map[string]string, error) {
	texts := map[string]string{}
	var err error
	if kind == "ConfigMap" {
		var obj corev1.ConfigMap
		err = r.client.Get(ctx, name, &obj)
		maps.Copy(texts, obj.Data)
	} else {
		var obj corev1.Secret
		err = r.client.Get(ctx, name, &obj)
		for key, value := range obj.Data {
			texts[key] = string(value)
		}
	}
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the %s %s, which holds templates, does not exist", kind, name.Name)
	}
	return texts, client.IgnoreNotFound(err)
}

// explained turns a field that a template misses into what the vault lacks,
// as far as the ExternalSecret says where the field should come from.
func explained(ctx context.Context, es *v1.ExternalSecret, err error) error {
	var missing *template.MissingFieldError
	if !errors.As(err, &missing) {
		return err
	}
	// A step that renames everything tells for certain which item is meant.
	byField := map[string][]string{}
	var renamed, plain string
	for _, from := range es.Spec.DataFrom {
		if from.Extract == nil || from.Extract.Property != "" {
			continue
		}
		field, ok := keys.Original(ctx, from.Rewrite, missing.Field)
		if !ok {
			continue
		}
		if field != missing.Field && renamed == "" {
			renamed = field
		} else if field == missing.Field {
			plain = field
		}
		if !slices.Contains(byField[field], from.Extract.Key) {
			byField[field] = append(byField[field], from.Extract.Key)
		}
	}
	field := cmp.Or(renamed, plain)
	if field == "" {
		return err
	}
	return &onepassword.NoFieldError{Items: byField[field], Field: field}
}
