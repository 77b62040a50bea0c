// Package keys is what becomes of the names of vault fields on their way to
// the keys of a Secret: rewritten step by step as an ExternalSecret asks, then
// converted so that Kubernetes accepts them. It also goes the way back, from a
// key that someone wants to the field that must exist for it.
package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// Convert returns a name without characters that a Secret's key must not
// have: each becomes an underscore or, with the strategy Unicode, its number.
func Convert(strategy v1.ConversionStrategy, name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case valid(r):
			b.WriteRune(r)
		case strategy == v1.ConversionUnicode:
			fmt.Fprintf(&b, "_U%04x_", r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// ConvertAll converts all names of a mapping. Two names that become one key
// are an error.
func ConvertAll[V any](strategy v1.ConversionStrategy, in map[string]V) (map[string]V, error) {
	out := make(map[string]V, len(in))
	from := make(map[string]string, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		key := Convert(strategy, name)
		if other, taken := from[key]; taken {
			return nil, fmt.Errorf("the names %q and %q both become the key %q: rewrite one of them", other, name, key)
		}
		from[key] = name
		out[key] = in[name]
	}
	return out, nil
}

// Valid reports whether a Secret may have the key.
func Valid(key string) bool {
	return key != "" && len(key) <= 253 && key != "." && key != ".." &&
		strings.IndexFunc(key, func(r rune) bool { return !valid(r) }) < 0
}

func valid(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return r == '-' || r == '_' || r == '.'
}
