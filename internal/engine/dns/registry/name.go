package registry

import "strings"

// typeMark stands in an affix for the type of the record that is owned.
const typeMark = "%{record_type}"

// knownTypes are those that an ownership record's name can tell of.
var knownTypes = []string{"a", "aaaa", "cname", "ns", "mx", "srv", "naptr"}

// Affix says what the names of ownership records are made of.
type Affix struct {
	Prefix, Suffix string
	// Wildcard replaces the asterisk of a wildcard's ownership record.
	Wildcard string
}

// Name returns the name of the record that marks the owner of another.
func (a Affix) Name(name, kind string) string {
	kind = strings.ToLower(kind)
	first, rest, _ := strings.Cut(name, ".")
	if first == "*" && a.Wildcard != "" {
		first = strings.ToLower(a.Wildcard)
	}
	if !a.marked() {
		first = kind + "-" + first
	}
	name = a.with(a.Prefix, kind) + first + a.with(a.Suffix, kind)
	if rest != "" {
		name += "." + rest
	}
	return name
}

// Legacy returns the name that marked the owner before the type of the record
// was a part of it.
func (a Affix) Legacy(name string) string {
	bare := Affix{a.with(a.Prefix, ""), a.with(a.Suffix, ""), a.Wildcard}
	first, rest, _ := strings.Cut(name, ".")
	if first == "*" && a.Wildcard != "" {
		first = strings.ToLower(a.Wildcard)
	}
	name = bare.Prefix + first + bare.Suffix
	if rest != "" {
		name += "." + rest
	}
	return name
}

func (a Affix) marked() bool {
	return strings.Contains(a.Prefix, typeMark) || strings.Contains(a.Suffix, typeMark)
}

func (Affix) with(affix, kind string) string {
	return strings.ReplaceAll(strings.ToLower(affix), typeMark, kind)
}
