package edit

import (
	"strconv"
	"strings"
)

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~0", "~", "~1", "/")
)

// pointer writes a field path as a JSON Pointer.
func pointer(path []string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(escape.Replace(step))
	}
	return b.String()
}

// steps reads a JSON Pointer. One that does not begin with a slash is read as if it did.
func steps(pointer string) []string {
	if pointer == "" {
		return nil
	}
	path := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, step := range path {
		path[i] = unescape.Replace(step)
	}
	return path
}

// index reads a step as the index of a list item.
func index(step string) (i int, ok bool) {
	i, err := strconv.Atoi(step)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == step
}

// spell writes a field path as people do: metadata.annotations["a.b/c"], spec.patches[0].
func spell(path []string) string {
	if len(path) == 0 {
		return "the document"
	}
	var b strings.Builder
	for i, step := range path {
		_, isIndex := index(step)
		switch {
		case isIndex:
			b.WriteString("[" + step + "]")
		case step == "" || strings.ContainsAny(step, ".[]\"/ \n\t"):
			b.WriteString("[" + strconv.Quote(step) + "]")
		case i > 0:
			b.WriteString("." + step)
		default:
			b.WriteString(step)
		}
	}
	return b.String()
}
