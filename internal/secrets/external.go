package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
)

// Spec reads the specification of an ExternalSecret. What has a wrong type is
// left out.
func Spec(content map[string]any) v1.ExternalSecretSpec {
	var s v1.ExternalSecretSpec
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &s) == nil {
		return s
	}
	rest := maps.Clone(content)
	delete(rest, "refreshInterval") // one that is no duration would end the reading
	s = v1.ExternalSecretSpec{}
	if data, err := json.Marshal(rest); err == nil {
		// It goes on after a field of a wrong type.
		_ = json.Unmarshal(data, &s)
	}
	return s
}

// reader collects the needs of a cluster.
type reader struct {
	state  *desired.State
	vaults []onepassword.Vault
	stores *stores
	keys   map[string]map[string][]string
	pushed map[[2]string]bool
	list   []Need
}

// external is one ExternalSecret as it is read.
type external struct {
	*desired.Object
	// base leads to the specification in the object.
	base []string
	es   *v1.ExternalSecret
	uses map[string]use
	// all says that whatever is read becomes part of the Secret.
	all bool
	// open says that something supplies fields whose names nobody knows.
	open bool
}

// external notes what one ExternalSecret needs. Variables that only the
// cluster knows stand in it by their names.
func (r *reader) external(ctx context.Context, o *desired.Object, base ...string) {
	spec, _, _ := unstructured.NestedMap(r.state.Named(o).Object, base...)
	es := &v1.ExternalSecret{Spec: Spec(spec)}
	es.Namespace, es.Name = o.GetNamespace(), o.GetName()
	e := &external{Object: o, base: base, es: es}
	e.uses = r.usesOf(e)
	e.all = e.all || passesAll(es.Spec.Target.Template)
	found := r.searches(ctx, e)
	e.open = r.isOpen(es)
	needs := onepassword.Needs(ctx, es, onepassword.NeedsOptions{
		Known:    r.known(es),
		WantKeys: r.keys[es.Namespace],
		Text:     func(kind, name, key string) (string, bool) { return r.text(es.Namespace, kind, name, key) },
		Provider: func(ref v1.SecretStoreRef) string { return r.stores.of(es.Namespace, ref).Provider },
	})
	for _, need := range needs {
		n := r.need(ctx, e, need)
		if found[n.Name] && n.extract || r.pushed[[2]string{n.Item, n.Field}] {
			continue // it comes from elsewhere
		}
		r.list = append(r.list, n)
	}
	r.unfound(e, found)
}

// unfound notes the fields that templates use and that, of known vaults, only
// an entry of find could supply, and does not.
func (r *reader) unfound(e *external, found map[string]bool) {
	find := slices.IndexFunc(e.es.Spec.DataFrom, func(from v1.ExternalSecretDataFrom) bool { return from.Find != nil })
	extracts := slices.ContainsFunc(e.es.Spec.DataFrom, func(from v1.ExternalSecretDataFrom) bool { return from.Extract != nil })
	if find < 0 || extracts || e.open || r.vaults == nil {
		return
	}
	for _, d := range e.es.Spec.Data {
		found[d.SecretKey] = true
	}
	from := e.es.Spec.DataFrom[find]
	store := r.stores.of(e.es.Namespace, storeOf(e.es, from.SourceRef))
	for _, name := range slices.Sorted(maps.Keys(e.uses)) {
		if found[name] {
			continue
		}
		r.list = append(r.list, Need{
			Object: e.Ref, Store: store, Search: from.Find, Field: name, Name: name, Place: e.uses[name].place,
			Named: e.Place(e.path("dataFrom", strconv.Itoa(find), "find")...), optional: e.uses[name].optional,
		})
	}
}

// need completes what is known of a need by where it stands.
func (r *reader) need(ctx context.Context, e *external, need onepassword.Need) Need {
	n := Need{Object: e.Ref, Item: need.Item, Field: need.Field, read: need, at: steps(need.Path)}
	n.Named = e.Place(e.path(n.at...)...)
	n.Place = n.Named
	source, rewrite := e.entry(n.at)
	n.Store = r.stores.of(e.es.Namespace, storeOf(e.es, source))
	n.extract = n.at[0] == "dataFrom"
	n.all = n.extract && e.all
	if n.Field == "" {
		return n
	}
	n.Name = n.Field
	if !n.extract {
		return n
	}
	if name, err := keys.Rename(ctx, rewrite, n.Field); err == nil {
		n.Name = name
	}
	u, used := e.uses[n.Name]
	if !used {
		u, used = e.uses[keys.Convert("", n.Name)]
	}
	if used {
		n.Place = u.place
	}
	n.optional = e.open || u.optional
	return n
}

// path returns the path in the object of a field of the specification.
func (e *external) path(names ...string) []string { return slices.Concat(e.base, names) }

// entry returns where an entry of data or dataFrom reads from, and how it renames.
func (e *external) entry(at []string) (*v1.SourceRef, []v1.Rewrite) {
	var i int
	if len(at) < 2 {
		return nil, nil
	}
	if _, err := fmt.Sscanf(at[1], "%d", &i); err != nil {
		return nil, nil
	}
	if at[0] == "data" {
		return e.es.Spec.Data[i].SourceRef, nil
	}
	return e.es.Spec.DataFrom[i].SourceRef, e.es.Spec.DataFrom[i].Rewrite
}

// steps takes a path such as "spec.dataFrom[0].extract.key" apart.
func steps(path string) []string {
	path = strings.TrimPrefix(path, "spec.")
	return strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), ".")
}

func storeOf(es *v1.ExternalSecret, source *v1.SourceRef) v1.SecretStoreRef {
	if source != nil && source.SecretStoreRef != nil {
		return *source.SecretStoreRef
	}
	return es.Spec.SecretStoreRef
}

// passesAll reports whether a template leaves what is read in the Secret.
func passesAll(t *v1.ExternalSecretTemplate) bool {
	return t == nil || t.MergePolicy == v1.MergePolicyMerge || len(t.Data) == 0 && len(t.TemplateFrom) == 0
}

// isOpen reports whether an entry of dataFrom supplies fields of unknown names:
// those of a generator, and of stores whose values no vault has.
func (r *reader) isOpen(es *v1.ExternalSecret) bool {
	return slices.ContainsFunc(es.Spec.DataFrom, func(from v1.ExternalSecretDataFrom) bool {
		if from.Extract == nil && from.Find == nil {
			return true
		}
		return !r.stores.of(es.Namespace, storeOf(es, from.SourceRef)).inVault()
	})
}

// known tells what is known of items, in the vaults that an ExternalSecret's
// stores search.
func (r *reader) known(es *v1.ExternalSecret) func(string) ([]string, bool) {
	order := r.stores.of(es.Namespace, es.Spec.SecretStoreRef).Vaults
	for _, from := range es.Spec.DataFrom {
		if from.SourceRef != nil && from.SourceRef.SecretStoreRef != nil {
			order = slices.Concat(order, r.stores.of(es.Namespace, *from.SourceRef.SecretStoreRef).Vaults)
		}
	}
	return func(title string) ([]string, bool) {
		_, item := lookUp(r.vaults, order, title)
		if item == nil {
			return nil, false
		}
		return labels(item), true
	}
}
