// Package plan compares the records that a provider has with those that are
// wanted, and says what to change, by External-DNS' rules.
//
// It promises that nothing is changed that another owner made, or nobody is
// known to have made; that a plan, once carried out, is followed by an empty
// one; and that the same input makes the same plan.
package plan

import (
	"fmt"
	"slices"

	"hearth/internal/engine/dns/record"
)

// Policy says which changes are carried out.
type Policy string

// The policies, as --policy names them.
const (
	Sync       Policy = "sync"
	UpsertOnly Policy = "upsert-only"
	CreateOnly Policy = "create-only"
)

// ParsePolicy reads a policy's name.
func ParsePolicy(name string) (Policy, error) {
	if p := Policy(name); slices.Contains([]Policy{Sync, UpsertOnly, CreateOnly}, p) {
		return p, nil
	}
	return "", fmt.Errorf("there is no policy %q: choose one of %s, %s, %s", name, Sync, UpsertOnly, CreateOnly)
}

// Update changes a record into another of the same name and type.
type Update struct{ Old, New record.Record }

// Changes are what a plan says. All lists are in order.
type Changes struct {
	Create []record.Record
	Update []Update
	Delete []record.Record
	// Conflicts are wanted records whose name somebody else has, or wants.
	Conflicts []Conflict
}

// Empty reports whether there is nothing to change.
func (c Changes) Empty() bool { return len(c.Create)+len(c.Update)+len(c.Delete) == 0 }

// Conflict is a wanted record that cannot be made.
type Conflict struct {
	Wanted record.Record
	// Reason says why in one sentence.
	Reason string
}

// Options say whose plan it is.
type Options struct {
	Policy Policy
	// Owner is who plans; empty means that owners are not kept, and that every
	// record is taken for the planner's.
	Owner string
	// Manages says which names are the planner's business; nil is all.
	Manages func(name string) bool
	// Types are the types of records that are managed; none means A, AAAA and CNAME.
	Types []string
}

// rowKey is what can be taken once: a name, or a routing policy's part of it.
type rowKey struct{ name, setIdentifier string }

// row is all that is known about a name.
type row struct {
	current []record.Record
	wanted  map[string][]record.Record // by type
}

// Calculate returns what leads from the current records to the wanted ones.
func Calculate(current, wanted []record.Record, o Options) Changes {
	if len(o.Types) == 0 {
		o.Types = []string{record.A, record.AAAA, record.CNAME}
	}
	rows := map[rowKey]*row{}
	at := func(r record.Record) *row {
		key := rowKey{r.Name, r.SetIdentifier}
		if rows[key] == nil {
			rows[key] = &row{wanted: map[string][]record.Record{}}
		}
		return rows[key]
	}
	for _, r := range current {
		if o.manages(r) {
			one := at(r)
			one.current = append(one.current, r)
		}
	}
	for _, r := range wanted {
		if o.manages(r) {
			one := at(r)
			one.wanted[r.Type] = append(one.wanted[r.Type], r)
		}
	}
	var c Changes
	for _, one := range rows {
		one.plan(&c, o)
	}
	return c.limited(o.Policy).sorted()
}

func (o Options) manages(r record.Record) bool {
	return slices.Contains(o.Types, r.Type) && (o.Manages == nil || o.Manages(r.Name))
}

func (o Options) owns(r record.Record) bool { return o.Owner == "" || r.Owner == o.Owner }

// plan says what to do about one name.
func (w *row) plan(c *Changes, o Options) {
	w.settleAlias(c)
	for _, have := range w.current {
		if !o.owns(have) {
			continue
		}
		candidates := w.wanted[have.Type]
		if len(candidates) == 0 {
			c.Delete = append(c.Delete, have)
			continue
		}
		if want := choose(have, candidates); differs(have, want) {
			want.Owner = have.Owner
			c.Update = append(c.Update, Update{have, want})
		}
	}
	stranger := slices.IndexFunc(w.current, func(r record.Record) bool { return !o.owns(r) })
	for kind, candidates := range w.wanted {
		has := slices.ContainsFunc(w.current, func(r record.Record) bool { return r.Type == kind })
		want := slices.MinFunc(candidates, record.Compare)
		switch {
		case stranger >= 0 && (!has || !o.owns(w.have(kind))):
			c.Conflicts = append(c.Conflicts, Conflict{want, taken(w.current[stranger])})
		case !has:
			want.Owner = o.Owner
			c.Create = append(c.Create, want)
		}
	}
}

func (w *row) have(kind string) record.Record {
	return w.current[slices.IndexFunc(w.current, func(r record.Record) bool { return r.Type == kind })]
}

// settleAlias gives up the aliases that are wanted where addresses are, too,
// since an alias bears no other record beside it.
func (w *row) settleAlias(c *Changes) {
	aliases := w.wanted[record.CNAME]
	if len(aliases) == 0 || len(w.wanted) == 1 {
		return
	}
	for _, r := range aliases {
		c.Conflicts = append(c.Conflicts, Conflict{r, "other records of this name are wanted, beside which no CNAME can be"})
	}
	delete(w.wanted, record.CNAME)
}

func taken(r record.Record) string {
	if r.Owner == "" {
		return fmt.Sprintf("there is a record %s that no owner has marked", r)
	}
	return fmt.Sprintf("the record %s belongs to owner %q", r, r.Owner)
}

// choose returns the candidate that has the record already, or else the first.
func choose(have record.Record, candidates []record.Record) record.Record {
	slices.SortFunc(candidates, record.Compare)
	i := slices.IndexFunc(candidates, func(r record.Record) bool { return r.Resource == have.Resource })
	return candidates[max(i, 0)]
}

// differs reports whether a record has to be changed to be as wanted.
func differs(have, want record.Record) bool {
	if have.Unmarked || !slices.Equal(have.Targets, want.Targets) || want.TTL != 0 && want.TTL != have.TTL {
		return true
	}
	if len(have.Properties) != len(want.Properties) {
		return true
	}
	for name, value := range want.Properties {
		if old, ok := have.Properties[name]; !ok || old != value {
			return true
		}
	}
	return false
}

// limited leaves away what the policy forbids.
func (c Changes) limited(p Policy) Changes {
	switch p {
	case CreateOnly:
		c.Update, c.Delete = nil, nil
	case UpsertOnly:
		c.Delete = nil
	}
	return c
}

func (c Changes) sorted() Changes {
	slices.SortFunc(c.Create, record.Compare)
	slices.SortFunc(c.Delete, record.Compare)
	slices.SortFunc(c.Update, func(a, b Update) int { return record.Compare(a.Old, b.Old) })
	slices.SortStableFunc(c.Conflicts, func(a, b Conflict) int { return record.Compare(a.Wanted, b.Wanted) })
	return c
}
