package onepassword

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"hearth/internal/api/externalsecrets/keys"
	"hearth/internal/api/externalsecrets/template"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// Need is one field, of one item, that an ExternalSecret asks for.
type Need struct {
	Item string
	// Field is empty where the item as a whole is asked for and nothing tells
	// which fields.
	Field string
	// Through and Keys say what a template does with the value: the functions
	// it passes, and the keys taken from it once it is parsed.
	Through []string
	Keys    []string
	// Path is where the ExternalSecret asks, such as "spec.dataFrom[0].extract.key".
	Path string
	// Known says that the vault has it, by NeedsOptions.Known.
	Known bool
}

// NeedsOptions says what is known beside the ExternalSecret. The zero value is
// a vault of which nothing is known.
type NeedsOptions struct {
	// Known tells the labels of an item's fields, and whether there is such an item.
	Known func(item string) (labels []string, ok bool)

	// WantKeys maps the names of Secrets, in the ExternalSecret's namespace, to
	// keys that workloads take from them.
	WantKeys map[string][]string

	// Text returns the text of a key of a ConfigMap or Secret (kind) that
	// holds templates.
	Text func(kind, name, key string) (string, bool)

	// Provider returns the provider of a store, such as "onepasswordSDK"; ""
	// is 1Password Connect.
	Provider func(v1.SecretStoreRef) string
}

// Needs returns the fields that an ExternalSecret asks for, ordered by item
// and field: those that data names, and those that its templates, or the
// workloads that use its Secret, take from the items it extracts. A template
// that does not parse needs nothing; whoever executes it reports it.
func Needs(ctx context.Context, es *v1.ExternalSecret, o NeedsOptions) []Need {
	n := &needs{es: es, o: o}
	n.uses = templateUses(es, o.Text)
	supplied := n.data()
	n.extracts(ctx, n.wanted(supplied))
	slices.SortStableFunc(n.list, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Field, b.Field))
	})
	return slices.CompactFunc(n.list, func(a, b Need) bool { return a.Item == b.Item && a.Field == b.Field })
}

// needs collects what one ExternalSecret needs.
type needs struct {
	es   *v1.ExternalSecret
	o    NeedsOptions
	uses map[string]template.Field
	list []Need
}

// add notes a need; name is what the field is called in templates.
func (n *needs) add(item, field, name, path string) {
	use := n.uses[name]
	labels, known := n.known(item)
	if field != "" {
		known = slices.Contains(labels, field)
	}
	n.list = append(n.list, Need{Item: item, Field: field, Through: use.Through, Keys: use.Keys, Path: path, Known: known})
}

func (n *needs) known(item string) ([]string, bool) {
	if n.o.Known == nil {
		return nil, false
	}
	return n.o.Known(item)
}

// data notes what spec.data asks for, and returns the names that it supplies.
func (n *needs) data() map[string]bool {
	supplied := map[string]bool{}
	for i, d := range n.es.Spec.Data {
		supplied[d.SecretKey] = true
		store := n.es.Spec.SecretStoreRef
		if s := d.SourceRef; s != nil {
			if s.GeneratorRef != nil {
				continue
			}
			if s.SecretStoreRef != nil {
				store = *s.SecretStoreRef
			}
		}
		provider := n.provider(store)
		if !playable(provider) {
			continue
		}
		item, field := Reference(provider, d.RemoteRef.Key, d.RemoteRef.Property)
		if d.RemoteRef.MetadataPolicy == v1.MetadataFetch {
			field = ""
		}
		n.add(item, field, d.SecretKey, fmt.Sprintf("spec.data[%d].remoteRef.key", i))
	}
	return supplied
}

func (n *needs) provider(store v1.SecretStoreRef) string {
	if n.o.Provider == nil {
		return ""
	}
	return n.o.Provider(store)
}

// playable reports whether a provider's values come from a vault: all but
// those whose values the cluster itself has.
func playable(provider string) bool { return provider != "kubernetes" && provider != "fake" }

// wanted returns the names that dataFrom must supply.
func (n *needs) wanted(supplied map[string]bool) []string {
	var names []string
	for name := range n.uses {
		names = append(names, name)
	}
	t := n.es.Spec.Target.Template
	templated := t != nil && (len(t.Data) > 0 || len(t.TemplateFrom) > 0)
	if !templated || t.MergePolicy == v1.MergePolicyMerge {
		for _, key := range n.o.WantKeys[n.es.TargetName()] {
			if t == nil || t.Data[key] == "" {
				names = append(names, key)
			}
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return supplied[name] })
}

// extract is one entry of dataFrom that takes an item over.
type extract struct {
	item     string
	property string
	rewrite  []v1.Rewrite
	path     string
	labels   []string
	known    bool
	used     bool
}

func (n *needs) extracts(ctx context.Context, wanted []string) {
	var all []*extract
	for i, from := range n.es.Spec.DataFrom {
		store := n.es.Spec.SecretStoreRef
		if from.SourceRef != nil && from.SourceRef.SecretStoreRef != nil {
			store = *from.SourceRef.SecretStoreRef
		}
		provider := n.provider(store)
		if from.Extract == nil || !playable(provider) {
			continue
		}
		e := &extract{property: from.Extract.Property, rewrite: from.Rewrite, path: fmt.Sprintf("spec.dataFrom[%d].extract.key", i)}
		e.item = from.Extract.Key
		if provider == "onepasswordSDK" {
			e.item, _ = Reference(provider, e.item, DefaultField)
		}
		e.labels, e.known = n.known(e.item)
		all = append(all, e)
	}
	for _, name := range wanted {
		n.assign(ctx, name, all)
	}
	for _, e := range all {
		if !e.used {
			n.add(e.item, e.property, "", e.path)
		}
	}
}

// candidate is a field of an item that would supply a wanted name.
type candidate struct {
	*extract
	field string
}

// assign finds the item that is to supply a name: the one that has it; else
// the first that the vault does not have; else all of them lack it.
func (n *needs) assign(ctx context.Context, name string, all []*extract) {
	candidates := candidatesFor(ctx, name, all)
	take := func(c candidate) {
		c.used = true
		n.add(c.item, c.field, name, c.path)
	}
	for _, c := range candidates {
		if slices.Contains(c.labels, c.field) {
			take(c)
			return
		}
	}
	for _, c := range candidates {
		if !c.known {
			take(c)
			return
		}
	}
	for _, c := range candidates {
		take(c)
	}
}

// candidatesFor returns the extracts that could supply a name, the likelier
// ones first: those whose rewriting fits it, then those whose item it is
// named after, then in their order.
func candidatesFor(ctx context.Context, name string, all []*extract) []candidate {
	var out []candidate
	for _, e := range all {
		if e.property != "" {
			if got, err := keys.Rename(ctx, e.rewrite, e.property); err == nil && keys.Convert("", got) == name {
				out = append(out, candidate{e, e.property})
			}
			continue
		}
		if field, ok := existingOriginal(ctx, e, name); ok {
			out = append(out, candidate{e, field})
		} else if field, ok := keys.Original(ctx, e.rewrite, name); ok {
			out = append(out, candidate{e, field})
		}
	}
	rank := func(c candidate) int {
		switch {
		case c.field != name:
			return 0
		case namedAfter(name, c.item):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		switch r := rank(a); {
		case r != rank(b):
			return r - rank(b)
		case r == 0:
			return len(a.field) - len(b.field) // the rewriting tells more of the name
		case r == 1:
			return len(b.item) - len(a.item) // radarr-4k tells more of it than radarr
		}
		return 0
	})
	return out
}

// existingOriginal returns the field of a known item that becomes the name.
func existingOriginal(ctx context.Context, e *extract, name string) (string, bool) {
	for _, label := range e.labels {
		got, err := keys.Rename(ctx, e.rewrite, label)
		if err == nil && (got == name || keys.Convert("", got) == name) {
			return label, true
		}
	}
	return "", false
}

// namedAfter reports whether a field's name begins with the item's.
func namedAfter(field, item string) bool {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(s))
	}
	title := plain(item)
	return title != "" && strings.HasPrefix(plain(field), title)
}

// Reference returns the item and the field that a key and a property name.
// The provider onepasswordSDK names both in the key, as item/field,
// item/section/field or op://vault/item/field.
func Reference(provider, key, property string) (item, field string) {
	if provider == "onepasswordSDK" {
		parts := strings.Split(key, "/")
		if strings.HasPrefix(key, "op://") && len(parts) > 3 {
			parts = parts[3:]
		}
		if len(parts) > 1 && property == "" {
			return parts[0], parts[len(parts)-1]
		}
		key = parts[0]
	}
	return key, cmp.Or(property, DefaultField)
}
