package plan

import "hearth/internal/engine/dns/record"

// Change is one step that a provider carries out: it makes New, deletes Old, or
// changes Old into New.
type Change struct{ Old, New *record.Record }

// Of returns the step that makes a record.
func Of(r record.Record) Change { return Change{New: &r} }

// Without returns the step that deletes a record.
func Without(r record.Record) Change { return Change{Old: &r} }

// Name returns the name of the record that is changed.
func (c Change) Name() string { return c.either().Name }

func (c Change) either() record.Record {
	if c.New != nil {
		return *c.New
	}
	return *c.Old
}

// String says what the step does in a few words.
func (c Change) String() string {
	switch {
	case c.Old == nil:
		return "create " + c.New.String()
	case c.New == nil:
		return "delete " + c.Old.String()
	default:
		return "update " + c.New.String()
	}
}

// Group is steps that belong together: none of them is carried out where one
// before it was not.
type Group []Change

// Batches joins groups to lists of no more than limit steps. A group stays
// together, even where it is longer.
func Batches(groups []Group, limit int) [][]Group {
	var batches [][]Group
	size := 0
	for _, group := range groups {
		if len(batches) == 0 || size+len(group) > limit {
			batches, size = append(batches, nil), 0
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], group)
		size += len(group)
	}
	return batches
}
