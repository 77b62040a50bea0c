package secrets

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// searches notes the entries of find, and returns the names that they supply
// as far as the vaults are known.
func (r *reader) searches(ctx context.Context, e *external) map[string]bool {
	supplied := map[string]bool{}
	for i, from := range e.es.Spec.DataFrom {
		store := r.stores.of(e.es.Namespace, storeOf(e.es, from.SourceRef))
		if from.Find == nil || !store.inVault() {
			continue
		}
		at := []string{"dataFrom", strconv.Itoa(i), "find"}
		n := Need{Object: e.Ref, Store: store, Search: from.Find, at: at}
		if from.Find.Path != nil {
			n.Item = *from.Find.Path
		}
		n.Place = e.Place(e.path(at...)...)
		n.Named = n.Place
		r.list = append(r.list, n)
		for _, label := range matches(r.vaults, n) {
			name, err := keys.Rename(ctx, from.Rewrite, label)
			if err == nil {
				supplied[name] = true
				supplied[keys.Convert(from.Find.ConversionStrategy, name)] = true
			}
		}
	}
	return supplied
}

// matches returns the labels of the fields that an entry of find matches.
func matches(vaults []onepassword.Vault, n Need) []string {
	var found []string
	for _, v := range searched(vaults, n.Store.Vaults) {
		for i := range v.Items {
			found = append(found, matchedFields(&v.Items[i], n.Search)...)
		}
	}
	return found
}

// matchedFields returns the labels of an item that an entry of find matches.
func matchedFields(item *onepassword.Item, f *v1.Find) []string {
	if f.Path != nil && item.Title != *f.Path {
		return nil
	}
	for tag := range f.Tags {
		if !slices.Contains(item.Tags, tag) {
			return nil
		}
	}
	all := labels(item)
	if f.Name == nil {
		return all
	}
	re, err := regexp.Compile(f.Name.RegExp)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(label string) bool { return !re.MatchString(label) })
}

// describe says what an entry of find looks for.
func describe(f *v1.Find) string {
	var parts []string
	if f.Name != nil {
		parts = append(parts, "name like "+strconv.Quote(f.Name.RegExp))
	}
	tags := make([]string, 0, len(f.Tags))
	for tag := range f.Tags {
		tags = append(tags, tag)
	}
	if slices.Sort(tags); len(tags) > 0 {
		parts = append(parts, "tags "+strings.Join(tags, ", "))
	}
	return cmp.Or(strings.Join(parts, ", "), "any")
}
