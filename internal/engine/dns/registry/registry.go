// Package registry remembers who made which record, in TXT records beside
// them, as External-DNS does: "heritage=external-dns,external-dns/owner=…".
//
// It reads the names of both forms, with the record's type ("a-www.…") and
// without it, and writes the former. A name that several owners claim, or whose
// ownership record is somebody else's, is left alone.
package registry

import (
	"slices"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
)

// Registry keeps one owner's records apart from others'.
type Registry struct {
	// Owner is who reads and writes.
	Owner string
	Affix Affix
	// Off keeps no owners: all records are taken for one's own, and no
	// ownership records are written.
	Off bool
}

// textKey is where an ownership record is.
type textKey struct{ name, setIdentifier string }

// State is what a provider had when it was read.
type State struct {
	// Records are all but the ownership records, with their owners.
	Records []record.Record

	registry Registry
	texts    map[textKey]record.Record
	strange  map[textKey]bool // texts that are no ownership records
}

// Read tells the ownership records from the others, and whose those are.
func (r Registry) Read(records []record.Record) *State {
	s := &State{registry: r, texts: map[textKey]record.Record{}, strange: map[textKey]bool{}}
	if r.Off {
		s.Records = slices.Clone(records)
		return s
	}
	for _, one := range records {
		if one.Type != record.TXT {
			continue
		}
		key := textKey{one.Name, one.SetIdentifier}
		if slices.ContainsFunc(one.Targets, isLabel) {
			s.texts[key] = one
		} else {
			s.strange[key] = true
		}
	}
	for _, one := range records {
		if _, own := s.texts[textKey{one.Name, one.SetIdentifier}]; one.Type == record.TXT && own {
			continue
		}
		s.Records = append(s.Records, s.labelled(one))
	}
	return s
}

func isLabel(text string) bool {
	_, ok := ParseLabel(text)
	return ok
}

// labelled returns the record with what its ownership record says.
func (s *State) labelled(one record.Record) record.Record {
	l, ok := s.label(s.registry.Affix.Name(one.Name, one.Type), one.SetIdentifier)
	if !ok && one.Type != record.AAAA {
		l, ok = s.label(s.registry.Affix.Legacy(one.Name), one.SetIdentifier)
		one.Unmarked = ok && l.Owner == s.registry.Owner
	}
	if ok {
		one.Owner, one.Resource = l.Owner, l.Resource
	}
	return one
}

// label returns what the ownership record of a name says. Of several claims
// somebody else's holds.
func (s *State) label(name, setIdentifier string) (l Label, ok bool) {
	for _, text := range s.texts[textKey{name, setIdentifier}].Targets {
		claim, is := ParseLabel(text)
		if !is {
			continue
		}
		if claim.Owner != s.registry.Owner {
			return claim, true
		}
		l, ok = claim, true
	}
	return l, ok
}

// Groups returns the steps that carry the changes out, those that belong
// together in one group: ownership is written before a record is made, and
// deleted after it. It adds to the changes' conflicts what cannot be owned.
func (s *State) Groups(c *plan.Changes) []plan.Group {
	var groups []plan.Group
	deleted := map[record.Key]bool{}
	for _, one := range c.Delete {
		deleted[one.Key()] = true
	}
	for _, one := range c.Delete {
		groups = append(groups, append(plan.Group{plan.Without(one)}, s.unmark(one, deleted)...))
	}
	for _, u := range c.Update {
		if group, ok := s.marked(c, u.New, plan.Change{Old: &u.Old, New: &u.New}); ok {
			groups = append(groups, group)
		}
	}
	for _, one := range c.Create {
		if group, ok := s.marked(c, one, plan.Of(one)); ok {
			groups = append(groups, group)
		}
	}
	return groups
}

// marked returns a step, after that which writes whose the record is. It is
// false where the ownership record is somebody else's.
func (s *State) marked(c *plan.Changes, one record.Record, step plan.Change) (plan.Group, bool) {
	if s.registry.Off {
		return plan.Group{step}, true
	}
	want := record.Record{
		Name: s.registry.Affix.Name(one.Name, one.Type), Type: record.TXT, SetIdentifier: one.SetIdentifier,
		Targets: []string{Label{s.registry.Owner, one.Resource}.String()},
	}
	refuse := func(reason string) (plan.Group, bool) {
		c.Conflicts = append(c.Conflicts, plan.Conflict{Wanted: one, Reason: reason})
		return nil, false
	}
	key := textKey{want.Name, want.SetIdentifier}
	have, exists := s.texts[key]
	l, _ := s.label(want.Name, want.SetIdentifier)
	switch {
	case !record.ValidOwnershipName(want.Name):
		return refuse("the name of its ownership record, " + want.Name + ", would be too long or is no DNS name")
	case s.strange[key]:
		return refuse("there is a TXT record " + want.Name + " that marks no owner")
	case exists && l.Owner != s.registry.Owner:
		return refuse("its ownership record belongs to owner \"" + l.Owner + "\"")
	case !exists:
		return plan.Group{plan.Of(want), step}, true
	case !slices.Equal(have.Targets, want.Targets):
		return plan.Group{{Old: &have, New: &want}, step}, true
	default:
		return plan.Group{step}, true
	}
}

// unmark returns the steps that delete the ownership records of a record that
// is deleted. One without a type in its name goes with the last record that it
// marks, lest a record that others make later be taken for one's own.
func (s *State) unmark(one record.Record, deleted map[record.Key]bool) []plan.Change {
	if s.registry.Off {
		return nil
	}
	var steps []plan.Change
	drop := func(name string) {
		have, ok := s.texts[textKey{name, one.SetIdentifier}]
		if l, _ := s.label(name, one.SetIdentifier); ok && l.Owner == s.registry.Owner {
			steps = append(steps, plan.Without(have))
		}
	}
	drop(s.registry.Affix.Name(one.Name, one.Type))
	if one.Unmarked && s.lastUnmarked(one, deleted) {
		drop(s.registry.Affix.Legacy(one.Name))
	}
	return steps
}

// lastUnmarked reports whether no other record depends on the same ownership
// record: none that stays, and none that goes after this one.
func (s *State) lastUnmarked(one record.Record, deleted map[record.Key]bool) bool {
	for _, other := range s.Records {
		same := other.Name == one.Name && other.SetIdentifier == one.SetIdentifier && other.Unmarked
		if same && other.Type != one.Type && (!deleted[other.Key()] || other.Type > one.Type) {
			return false
		}
	}
	return true
}
