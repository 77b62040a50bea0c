// Package record is what everybody in DNS speaks of: sets of records that have
// a name and a type in common, as External-DNS calls them, endpoints.
//
// Names are written without the trailing dot and in lower case. A record never
// changes once it was handed on; whoever wants another makes a copy.
package record

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The types of records that are made and answered.
const (
	A     = "A"
	AAAA  = "AAAA"
	CNAME = "CNAME"
	TXT   = "TXT"
	NS    = "NS"
	MX    = "MX"
	SRV   = "SRV"
)

// Proxied is the property by which Cloudflare is told to stand in front of a
// name; its values are "true" and "false".
const Proxied = "cloudflare/proxied"

// Record is all records of one name and type (RFC 2181 calls it an RRSet).
type Record struct {
	Name    string
	Type    string
	Targets []string // sorted, each once
	TTL     int64    // in seconds; 0 leaves it to the provider
	// SetIdentifier tells sets of the same name and type apart, where a
	// provider has routing policies.
	SetIdentifier string
	// Properties are the provider's own, such as Proxied.
	Properties map[string]string

	// Owner is the instance that made the record, Resource what it was made
	// for, such as "httproute/media/immich". A record that nobody is known to
	// have made has neither.
	Owner, Resource string
	// Unmarked says that the record has an owner, but no ownership record of
	// its own in today's form.
	Unmarked bool
}

// Key is what tells one record from another.
type Key struct{ Name, Type, SetIdentifier string }

// Key returns the record's key.
func (r Record) Key() Key { return Key{r.Name, r.Type, r.SetIdentifier} }

// Clone returns a copy that shares nothing with the record.
func (r Record) Clone() Record {
	r.Targets = slices.Clone(r.Targets)
	r.Properties = maps.Clone(r.Properties)
	return r
}

// String returns "name TYPE target target".
func (r Record) String() string {
	return r.Name + " " + r.Type + " " + strings.Join(r.Targets, " ")
}

// Compare orders records by name, type, set identifier and targets.
func Compare(a, b Record) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.SetIdentifier, b.SetIdentifier), slices.Compare(a.Targets, b.Targets),
	)
}

// Canonical returns a name in the one form in which names are compared.
func Canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}

// Targets returns targets sorted, each once, and canonical where they are names.
func Targets(kind string, targets []string) []string {
	list := make([]string, 0, len(targets))
	for _, t := range targets {
		if kind != TXT {
			t = Canonical(t)
		}
		if t != "" {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TypeOf returns the type of record that leads to a target: A, AAAA or CNAME.
func TypeOf(target string) string {
	ip, err := netip.ParseAddr(target)
	switch {
	case err != nil:
		return CNAME
	case ip.Is4():
		return A
	default:
		return AAAA
	}
}

// The bounds of DNS (RFC 1035, section 2.3.4).
const (
	maxName  = 253
	maxLabel = 63
)

// ValidName reports whether a name can be asked for: labels of letters, digits,
// hyphens and underscores, and an asterisk as the whole first label.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	first := true
	for label := range strings.SplitSeq(name, ".") {
		if !validLabel(label) && (!first || label != "*") {
			return false
		}
		first = false
	}
	return true
}

// ValidOwnershipName is ValidName with an asterisk allowed inside the first
// label, where the ownership records of wildcards have it.
func ValidOwnershipName(name string) bool {
	first, rest, _ := strings.Cut(name, ".")
	return ValidName(strings.ReplaceAll(first, "*", "x")+"."+rest) && len(first) <= maxLabel
}

func validLabel(label string) bool {
	if label == "" || len(label) > maxLabel {
		return false
	}
	for _, c := range []byte(label) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Within reports whether name is domain, or below it.
func Within(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain)
}
