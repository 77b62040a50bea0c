package schema

import "slices"

// combined holds a value against the schemas that a schema combines. The API
// server fills defaults in first.
func (c *check) combined(v any, n *node) {
	if !n.combined() || c.depth >= maxDepth {
		return
	}
	if len(n.AnyOf) > 0 || len(n.OneOf) > 0 || n.Not != nil {
		if c.hasUnknown(v, 0) {
			return
		}
	}
	v = defaulted(v, n, 0)
	for _, part := range n.AllOf {
		c.problems = append(c.problems, c.try(v, part)...)
	}
	if fits, found := c.fitting(v, n.AnyOf); fits == 0 && len(n.AnyOf) > 0 {
		c.none(n.AnyOf, found)
	}
	switch fits, found := c.fitting(v, n.OneOf); {
	case len(n.OneOf) == 0 || fits == 1:
	case fits == 0:
		c.none(n.OneOf, found)
	default:
		c.report(c.several(n.OneOf), "")
	}
	if n.Not != nil && len(c.try(v, n.Not)) == 0 {
		c.report(c.excluded(n.Not), "")
	}
}

// try holds a value against one part of a combination.
func (c *check) try(v any, part *node) []Problem {
	// The path is shared and read only until the next step.
	sub := *c
	sub.problems, sub.alternative, sub.depth = nil, true, c.depth+1
	sub.path, sub.names = slices.Clip(c.path), nil
	sub.value(v, part)
	return sub.problems
}

// fitting counts the parts that a value fits, and returns what is wrong with
// it by the others.
func (c *check) fitting(v any, parts []*node) (fits int, found []Problem) {
	for _, part := range parts {
		problems := c.try(v, part)
		if len(problems) == 0 {
			fits++
		}
		found = append(found, problems...)
	}
	return fits, found
}

// none says that a value fits none of several parts.
func (c *check) none(parts []*node, found []Problem) {
	if len(parts) == 1 {
		c.problems = append(c.problems, found...)
		return
	}
	message := c.here() + " fits none of the forms that its schema admits"
	if names := alternatives(parts); len(names) > 0 {
		message = c.here() + " needs one of " + quoted(names, "and")
	}
	before := len(c.problems)
	c.report(message, "")
	c.novel(before, slices.ContainsFunc(found, func(p Problem) bool { return p.Novel }))
}

// several says that a value fits more than one of several parts.
func (c *check) several(parts []*node) string {
	if names := alternatives(parts); len(names) > 0 {
		return c.here() + " takes only one of " + quoted(names, "and")
	}
	return c.here() + " fits more than one of the forms that exclude each other"
}

func (c *check) excluded(part *node) string {
	if names := alternatives([]*node{part}); len(names) > 0 {
		return c.here() + " must not have `" + names[0] + "`"
	}
	if len(part.Required) > 1 {
		return c.here() + " must not have " + quoted(part.Required, "and") + " together"
	}
	if names := alternatives(part.AnyOf); len(names) > 0 {
		return c.here() + " must not have any of " + quoted(names, "and")
	}
	return c.here() + " has a form that its schema excludes"
}

// alternatives returns the fields that parts demand, where each part demands
// one field and nothing else.
func alternatives(parts []*node) []string {
	var names []string
	for _, part := range parts {
		if len(part.Required) != 1 || part.combined() || len(part.Properties) > 0 {
			return nil
		}
		names = append(names, part.Required[0])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// defaulted returns a value with the defaults of its schema filled in. What it
// changes it copies.
func defaulted(v any, n *node, depth int) any {
	fields, ok := v.(map[string]any)
	if !ok || n == nil || depth > maxDepth {
		return v
	}
	out := make(map[string]any, len(fields))
	for name, value := range fields {
		child := n.Properties[name]
		if value == nil && child != nil && !child.Nullable {
			continue
		}
		out[name] = defaulted(value, child, depth+1)
	}
	for name, child := range n.Properties {
		if _, given := out[name]; !given && child.Default != nil {
			out[name] = child.Default.value
		}
	}
	return out
}
