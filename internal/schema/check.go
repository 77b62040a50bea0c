package schema

import (
	"slices"
	"strconv"
)

const (
	// maxDepth bounds how deeply objects and schemas are followed.
	maxDepth = 200
	// maxProblems bounds how many problems are told of one object.
	maxProblems = 100
)

// check holds one object against a schema.
type check struct {
	archive *archive
	// builtIn says that the object is of Kubernetes: null is as good as nothing.
	builtIn bool
	// secret says that no value of the object may be told.
	secret bool
	// alternative says that the schema is one part of a combination, which
	// says nothing of fields that it does not name.
	alternative bool
	// preserved says that some mapping above admits unknown fields. The API
	// server then looks for none below it either.
	preserved bool
	unknown   func(string) bool
	path      []string
	// names is the stack of the names of fields under way.
	names    []string
	depth    int
	problems []Problem
}

// below holds a value one step further down against its schema.
func (c *check) below(step string, v any, n *node) {
	c.path = append(c.path, step)
	c.value(v, n)
	c.path = c.path[:len(c.path)-1]
}

// sorted returns the names of fields in order, on the stack. The caller takes
// them off with unwind.
func (c *check) sorted(fields map[string]any) []string {
	start := len(c.names)
	for name := range fields {
		c.names = append(c.names, name)
	}
	slices.Sort(c.names[start:])
	return c.names[start:len(c.names):len(c.names)]
}

func (c *check) unwind(names []string) { c.names = c.names[:len(c.names)-len(names)] }

// report notes a problem at the current path, or below it.
func (c *check) report(message, fix string, below ...string) {
	if len(c.problems) < maxProblems {
		path := slices.Concat(c.path, below)
		c.problems = append(c.problems, Problem{Path: path, Message: message, Fix: fix, Sensitive: c.secret || credentialLike(path)})
	}
}

// tolerate notes a problem that only server-side apply refuses.
func (c *check) tolerate(message, fix string, below ...string) {
	before := len(c.problems)
	c.report(message, fix, below...)
	for i := range c.problems[before:] {
		c.problems[before+i].Tolerated = true
	}
}

// novel marks the problems from one on as such.
func (c *check) novel(from int, novel bool) {
	for i := range c.problems[from:] {
		c.problems[from+i].Novel = novel
	}
}

// here is the current path as people write it.
func (c *check) here() string {
	if len(c.path) == 0 {
		return "the object"
	}
	return "`" + FieldPath(c.path) + "`"
}

// citable reports whether the value at the current path may be told.
func (c *check) citable(text string) bool {
	const longest = 60
	return !c.secret && len(text) <= longest && !credentialLike(c.path)
}

func (c *check) isUnknown(v any) bool {
	text, ok := v.(string)
	return ok && c.unknown != nil && c.unknown(text)
}

// value holds a value against a schema.
func (c *check) value(v any, n *node) {
	n = c.archive.resolve(n)
	if n == nil || c.depth >= maxDepth || c.isUnknown(v) {
		return
	}
	c.depth++
	preserved := c.preserved
	c.preserved = preserved || n.Preserve
	defer func() { c.depth, c.preserved = c.depth-1, preserved }()
	if v == nil {
		c.null(n)
		return
	}
	if !c.typed(v, n) {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		scope := plain
		if n.Embedded {
			scope = embeddedObject
		}
		c.object(v, n, scope)
		return
	case []any:
		c.list(v, n)
	default:
		c.scalar(v, n)
	}
	c.enum(v, n)
	c.combined(v, n)
}

// null judges a value that is null. To Kubernetes' own kinds it is nothing at
// all. In a custom kind server-side apply refuses it, but where a default
// takes its place; other clients have it dropped.
func (c *check) null(n *node) {
	if c.builtIn || n.Nullable || n.Default != nil || n.Type == "" && !n.IntOrString {
		return
	}
	c.tolerate(c.here()+" is null; "+wanted(n)+" is wanted", "give a value, or leave it out")
}

// list holds a list against a schema.
func (c *check) list(list []any, n *node) {
	if n.MinItems != nil && len(list) < *n.MinItems {
		c.report(c.here()+" has "+counted(len(list), "item")+"; at least "+strconv.Itoa(*n.MinItems)+" must be given", "")
	}
	if n.MaxItems != nil && len(list) > *n.MaxItems {
		c.report(c.here()+" has "+counted(len(list), "item")+"; at most "+strconv.Itoa(*n.MaxItems)+" may be given", "")
	}
	for i, item := range list {
		switch {
		case item == nil && (n.ListType == "map" || n.ListType == "set"):
			c.tolerate("item "+strconv.Itoa(i)+" of "+c.here()+" is null", "", strconv.Itoa(i))
		case n.Items != nil:
			c.below(strconv.Itoa(i), item, n.Items)
		}
	}
	c.unique(list, n)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
