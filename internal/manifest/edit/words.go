package edit

import (
	"fmt"
	"strconv"
	"strings"
)

// longest is how many characters of a value are printed.
const longest = 80

// String says in words what the edit does, such as "set spec.interval to 1h".
func (e Edit) String() string {
	switch e.Op {
	case OpSet:
		return fmt.Sprintf("set %s to %s", spell(e.Steps()), shorten(scalarOf(e).text(false, false)))
	case OpInsert:
		return fmt.Sprintf("add %s to %s", shorten(oneLine(e.Value)), spell(e.Steps()))
	case OpRemove:
		return "remove " + spell(e.Steps())
	case OpComment:
		return fmt.Sprintf("put the comment %s above line %d", strconv.Quote(shorten(e.Value)), e.Line)
	case OpUncomment:
		return fmt.Sprintf("remove the comment %s from line %d", strconv.Quote(shorten(e.Value)), e.Line)
	}
	return "edit the file"
}

// oneLine writes block YAML in one line, in flow style.
func oneLine(block string) string {
	if c, err := parseContent(block); err == nil {
		if items, err := flowItems(c.node, false); err == nil {
			return strings.Join(items, ", ")
		}
	}
	first, _, more := strings.Cut(block, "\n")
	if more {
		first += " …"
	}
	return first
}

func shorten(s string) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return s
}
