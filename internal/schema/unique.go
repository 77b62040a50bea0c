package schema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// unique says which items of a list are given twice, where the schema forbids
// that.
func (c *check) unique(list []any, n *node) {
	if len(list) < 2 {
		return
	}
	key := c.whole
	switch {
	case n.ListType == "map" && len(n.ListMapKeys) > 0:
		items := c.archive.resolve(n.Items)
		key = func(item any) (string, bool) { return c.keys(item, n.ListMapKeys, items) }
	case n.ListType != "set" && !n.UniqueItems:
		return
	}
	first := make(map[string]int, len(list))
	for i, item := range list {
		k, ok := key(item)
		if !ok {
			continue
		}
		if j, again := first[k]; again {
			c.repeated(n, item, i, j)
			continue
		}
		first[k] = i
	}
}

func (c *check) repeated(n *node, item any, at, first int) {
	what := c.here() + " has the same item twice, as item " + strconv.Itoa(first) + " and as item " + strconv.Itoa(at)
	if n.ListType == "map" {
		what = c.here() + " has two items with the same " + quoted(n.ListMapKeys, "and")
		fields, _ := item.(map[string]any)
		name, _ := fields[n.ListMapKeys[0]].(string)
		if len(n.ListMapKeys) == 1 && name != "" && !c.secret && len(name) <= 60 {
			what += ", `" + name + "`"
		}
	}
	if c.builtIn {
		c.tolerate(what, "", strconv.Itoa(at))
		return
	}
	c.report(what, "", strconv.Itoa(at))
}

// whole identifies an item by all that it holds.
func (c *check) whole(item any) (string, bool) {
	if c.hasUnknown(item, 0) {
		return "", false
	}
	if text, ok := item.(string); ok {
		return text, true
	}
	data, err := json.Marshal(item)
	return string(data), err == nil
}

// keys identifies an item by some of its fields, defaults included.
func (c *check) keys(item any, names []string, items *node) (string, bool) {
	fields, ok := item.(map[string]any)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for i, name := range names {
		v, ok := fields[name]
		if !ok && items != nil {
			if p := items.Properties[name]; p != nil && p.Default != nil {
				v, ok = p.Default.value, true
			}
		}
		part, known := c.whole(v)
		if !ok || !known {
			return "", false
		}
		if len(names) == 1 {
			return part, true
		}
		if i > 0 {
			b.WriteByte(0)
		}
		b.WriteString(part)
	}
	return b.String(), true
}

// hasUnknown reports whether a value that nobody knows is anywhere inside.
func (c *check) hasUnknown(v any, depth int) bool {
	if c.unknown == nil || depth > maxDepth {
		return false
	}
	switch v := v.(type) {
	case string:
		return c.unknown(v)
	case []any:
		for _, item := range v {
			if c.hasUnknown(item, depth+1) {
				return true
			}
		}
	case map[string]any:
		for name, item := range v {
			if c.unknown(name) || c.hasUnknown(item, depth+1) {
				return true
			}
		}
	}
	return false
}
