package resourceset

import (
	"cmp"
	"fmt"
	"hash/adler32"
	"maps"
	"slices"
	"strings"
	"unicode"
)

const (
	apiVersion = "fluxcd.controlplane.io/v1"
	// maxCombinations bounds the product of all providers' inputs.
	maxCombinations = 10_000
)

// Provider is an object that provides sets of inputs: the ResourceSet itself,
// or a ResourceSetInputProvider.
type Provider struct {
	Kind, Namespace, Name string
	Inputs                []map[string]any
}

// Strategy says how the inputs of several providers are combined: one list
// after the other, or each with each.
type Strategy struct {
	Permute      bool
	IncludeEmpty bool // a provider without inputs leaves nothing to permute
}

// Combine returns the sets of inputs that templates are executed over. Each
// tells which object provided it. The ResourceSet's own come first, then those
// of the other providers by name.
func Combine(own Provider, others []Provider, s Strategy) ([]map[string]any, error) {
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b Provider) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	all := append([]Provider{own}, others...)
	for i := range all {
		all[i].Inputs = all[i].signed()
	}
	if s.Permute {
		return permute(all, s.IncludeEmpty)
	}
	var flat []map[string]any
	for _, p := range all {
		flat = append(flat, p.Inputs...)
	}
	return flat, nil
}

// signed returns a provider's inputs with the reference to it.
func (p Provider) signed() []map[string]any {
	sets := make([]map[string]any, len(p.Inputs))
	for i, set := range p.Inputs {
		sets[i] = maps.Clone(set)
		if sets[i] == nil {
			sets[i] = map[string]any{}
		}
		sets[i]["provider"] = map[string]any{"apiVersion": apiVersion, "kind": p.Kind, "name": p.Name, "namespace": p.Namespace}
	}
	return sets
}

// permute combines each set of inputs with each of the other providers. In a
// combination the inputs stand below the names of their providers.
func permute(all []Provider, includeEmpty bool) ([]map[string]any, error) {
	type partial struct {
		set map[string]any
		id  []string
	}
	combined := []partial{{set: map[string]any{}}}
	some := false
	for i, p := range all {
		// The ResourceSet itself counts as a provider only where it has inputs,
		// unless empty ones are to count.
		if len(p.Inputs) == 0 && !includeEmpty {
			continue
		}
		some = true
		key := Normalize(p.Name)
		if key == "" {
			return nil, fmt.Errorf("the name of %s %q has no letter or digit to refer to its inputs by", p.Kind, p.Name)
		}
		if n := len(combined) * len(p.Inputs); n > maxCombinations {
			return nil, fmt.Errorf("the inputs of %s/%s make it %d permutations: %d are allowed", all[i].Kind, p.Name, n, maxCombinations)
		}
		var next []partial
		for _, c := range combined {
			for j, inputs := range p.Inputs {
				set := maps.Clone(c.set)
				set[key] = inputs
				next = append(next, partial{set, append(slices.Clone(c.id), fmt.Sprintf("%s=%d", key, j))})
			}
		}
		combined = next
	}
	if !some {
		return nil, nil
	}
	sets := make([]map[string]any, len(combined))
	for i, c := range combined {
		c.set["id"] = ID(strings.Join(c.id, "/"))
		sets[i] = c.set
	}
	return sets, nil
}

// ID returns a short name for a set of inputs.
func ID(text string) string { return fmt.Sprint(adler32.Checksum([]byte(text))) }

// Normalize makes an object's name one that templates can refer to: lower-case
// words of letters and digits, joined by underscores.
func Normalize(name string) string {
	name = strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		switch {
		case unicode.IsSpace(r) || unicode.IsPunct(r):
			return '_'
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		}
		return -1
	}, name)
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '_' }), "_")
}
