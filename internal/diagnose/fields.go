package diagnose

import (
	"strconv"
	"time"
)

// Fields is an object, or a part of one, as JSON knows it. Its methods read
// what may be missing or of another type: the zero value is then the answer.
type Fields map[string]any

// At returns the value at a path; list items are named by their index.
func (f Fields) At(path ...string) any {
	var v any = map[string]any(f)
	for _, step := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// Text returns a string.
func (f Fields) Text(path ...string) string {
	s, _ := f.At(path...).(string)
	return s
}

// Number returns a whole number.
func (f Fields) Number(path ...string) int64 {
	switch n := f.At(path...).(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

// True returns a truth value.
func (f Fields) True(path ...string) bool {
	b, _ := f.At(path...).(bool)
	return b
}

// Has reports whether there is anything at a path.
func (f Fields) Has(path ...string) bool { return f.At(path...) != nil }

// In returns a map.
func (f Fields) In(path ...string) Fields {
	m, _ := f.At(path...).(map[string]any)
	return m
}

// List returns the maps of a list.
func (f Fields) List(path ...string) []Fields {
	items, _ := f.At(path...).([]any)
	list := make([]Fields, 0, len(items))
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			list = append(list, m)
		}
	}
	return list
}

// Texts returns the strings of a list.
func (f Fields) Texts(path ...string) []string {
	items, _ := f.At(path...).([]any)
	var list []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

// Time returns a time.
func (f Fields) Time(path ...string) time.Time {
	t, err := time.Parse(time.RFC3339, f.Text(path...))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Condition is what an object says of one aspect of itself.
type Condition struct {
	Type, Status, Reason, Message string
	Since                         time.Time
}

// False reports whether the condition is there, and denied.
func (c Condition) False() bool { return c.Status == "False" }

// True reports whether the condition is there, and holds.
func (c Condition) True() bool { return c.Status == "True" }

// conditionOf returns a condition of a list, the zero one where there is none.
func conditionOf(list []Fields, kind string) Condition {
	for _, c := range list {
		if c.Text("type") == kind {
			return Condition{kind, c.Text("status"), c.Text("reason"), c.Text("message"), c.Time("lastTransitionTime")}
		}
	}
	return Condition{}
}

// Condition returns a condition of status.conditions, the zero one where there
// is none.
func (f Fields) Condition(kind string) Condition {
	return conditionOf(f.List("status", "conditions"), kind)
}

// ConditionIn returns a condition of a list that stands elsewhere.
func (f Fields) ConditionIn(kind string, path ...string) Condition {
	return conditionOf(f.List(path...), kind)
}
