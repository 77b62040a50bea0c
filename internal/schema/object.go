package schema

import (
	"maps"
	"slices"
	"strconv"

	"hearth/internal/spelling"
)

// scope says which fields a mapping has beyond those that its schema names.
type scope int

const (
	// plain mappings have none.
	plain scope = iota
	// wholeObject is the object itself: it has apiVersion, kind and metadata,
	// and its status is the server's to judge.
	wholeObject
	// embeddedObject is an object inside another: it has apiVersion, kind and
	// metadata.
	embeddedObject
)

// textNode is the schema of apiVersion and kind.
var textNode = &node{Type: "string"}

// object holds a mapping against a schema.
func (c *check) object(fields map[string]any, n *node, in scope) {
	admits := n.admits() || c.alternative || c.preserved
	names := c.sorted(fields)
	for _, name := range names {
		v := fields[name]
		if in == wholeObject && name == "status" {
			continue
		}
		if in != plain && c.ownField(name, v, n) {
			continue
		}
		child := n.child(name)
		switch {
		case child == nil && !admits:
			if !c.isUnknown(name) {
				c.unknownField(name, fields, n, in)
			}
		case child != nil:
			c.below(name, v, child)
		}
	}
	c.unwind(names)
	c.required(fields, n, in)
	c.counted(fields, n)
	if in != wholeObject {
		c.enum(fields, n)
	}
	c.combined(fields, n)
}

// ownField judges the fields that every object has, and reports whether the
// field is one.
func (c *check) ownField(name string, v any, n *node) bool {
	switch name {
	case "apiVersion", "kind":
		if _, ok := v.(string); !ok && v != nil {
			c.below(name, v, textNode)
		}
		return true
	case "metadata":
		if v != nil {
			c.metadata(v, n.Properties[name])
		}
		return true
	}
	return false
}

// metadata holds metadata against Kubernetes' own definition, and against what
// a custom kind wants of it besides.
func (c *check) metadata(v any, own *node) {
	builtIn, preserved := c.builtIn, c.preserved
	c.builtIn, c.preserved = true, false
	c.path = append(c.path, "metadata")
	defer func() { c.path = c.path[:len(c.path)-1] }()
	c.value(v, c.archive.definition(objectMeta))
	c.builtIn, c.preserved = builtIn, preserved
	fields, ok := v.(map[string]any)
	if own == nil || builtIn || !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(own.Properties)) {
		// A wrong type was told above.
		if text, ok := fields[name].(string); ok {
			c.below(name, text, own.Properties[name])
		}
	}
}

// required says which fields are missing. A default makes up for one.
func (c *check) required(fields map[string]any, n *node, in scope) {
	if in == embeddedObject {
		for _, name := range []string{"apiVersion", "kind"} {
			c.missing(name, fields, nil)
			if fields[name] == "" {
				c.report("`"+FieldPath(append(slices.Clone(c.path), name))+"` must not be empty", "", name)
			}
		}
	}
	for _, name := range n.Required {
		if in == wholeObject && (name == "status" || name == "metadata") {
			continue
		}
		if child := n.child(name); !c.optional(child) {
			c.missing(name, fields, child)
		}
	}
}

// missing says that a field is missing that has neither value nor default. A
// null in a custom kind is told as such.
func (c *check) missing(name string, fields map[string]any, n *node) {
	v, given := fields[name]
	if v != nil || given && !c.builtIn || n != nil && n.Default != nil {
		return
	}
	c.report("`"+FieldPath(append(slices.Clone(c.path), name))+"` is missing", "")
}

// optional reports whether Kubernetes admits that a field is missing which its
// schema demands: nothing is as good as false to it.
func (c *check) optional(n *node) bool { return c.builtIn && n != nil && n.Type == "boolean" }

// counted judges how many fields a mapping has, defaults included.
func (c *check) counted(fields map[string]any, n *node) {
	if n.MinProperties == nil && n.MaxProperties == nil {
		return
	}
	count := 0
	for name, v := range fields {
		if child := n.child(name); v != nil || child != nil && child.Nullable {
			count++
		}
	}
	for name, child := range n.Properties {
		if _, given := fields[name]; !given && child.Default != nil {
			count++
		}
	}
	if n.MinProperties != nil && count < *n.MinProperties {
		c.report(c.here()+" has "+counted(count, "field")+"; at least "+strconv.Itoa(*n.MinProperties)+" must be given", "")
	}
	if n.MaxProperties != nil && count > *n.MaxProperties {
		c.report(c.here()+" has "+counted(count, "field")+"; at most "+strconv.Itoa(*n.MaxProperties)+" may be given", "")
	}
}

// unknownField says that a field is none that the schema names.
func (c *check) unknownField(name string, fields map[string]any, n *node, in scope) {
	message, fix := "unknown field `"+name+"`", ""
	if len(c.path) > 0 {
		message += " in `" + FieldPath(c.path) + "`"
	}
	names := fieldNames(n, in)
	meant := spelling.Guess(name, names)
	switch {
	case meant != "":
		message += ": did you mean `" + meant + "`"
		fix = "write `" + meant + "`"
	case len(names) > 0:
		fix = "the fields are " + quoted(names, "and")
	}
	before := len(c.problems)
	c.tolerate(message, fix, name)
	// Who gives both fields means both.
	_, both := fields[meant]
	c.novel(before, both || !misspelt(name, meant))
}

// fieldNames lists the fields of a mapping, for suggestions.
func fieldNames(n *node, in scope) []string {
	names := slices.Collect(maps.Keys(n.Properties))
	if in == wholeObject {
		names = append(names, "apiVersion", "kind", "metadata")
		names = slices.DeleteFunc(names, func(name string) bool { return name == "status" })
	}
	slices.Sort(names)
	return slices.Compact(names)
}
