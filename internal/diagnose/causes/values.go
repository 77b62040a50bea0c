package causes

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/diagnose"
)

// leaf is a value of an object that holds no others.
type leaf struct {
	path   []string
	text   string
	within diagnose.Fields // the map that it stands in
}

// maxDepth bounds how deep values are looked into.
const maxDepth = 64

// leaves returns the values below a path, in a stable order.
func leaves(o diagnose.Fields, path ...string) []leaf {
	var list []leaf
	var walk func(v any, path []string, within diagnose.Fields)
	walk = func(v any, path []string, within diagnose.Fields) {
		switch at := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(at)) {
				if len(path) < maxDepth {
					walk(at[key], append(slices.Clone(path), key), at)
				}
			}
		case []any:
			for i, item := range at {
				if len(path) < maxDepth {
					walk(item, append(slices.Clone(path), strconv.Itoa(i)), within)
				}
			}
		default:
			list = append(list, leaf{path, fmt.Sprint(v), within})
		}
	}
	walk(o.At(path...), path, nil)
	return list
}

// naming returns where an object names a Secret or a ConfigMap; nil where that
// is not to be seen.
func naming(o *diagnose.Object, kind, name string) []string {
	for _, l := range leaves(o.Fields, "spec") {
		says := func(part string) bool { // an annotation about Secrets names none
			return !strings.ContainsAny(part, "./") && strings.Contains(strings.ToLower(part), strings.ToLower(kind))
		}
		if l.text == name && (slices.ContainsFunc(l.path, says) || l.within.Text("kind") == kind) {
			return l.path
		}
	}
	return nil
}

// refusedField is how the API server says which field of which object it refuses.
var refusedField = regexp.MustCompile(`([A-Z][A-Za-z]+)(?:\.[a-z0-9.-]+)? "([^"]+)" is invalid: \[?\.?([A-Za-z][A-Za-z0-9_.\[\]]*)`)

// index is a step into a list.
var index = regexp.MustCompile(`\[[^\]]*\]`)

// refusedValue guesses which value of a release became a field that the API
// server refuses: one that ends as the field does, and stands below what is
// called as the object's kind or name. It is nil where several might be.
func refusedValue(o *diagnose.Object, message string) []string {
	m := refusedField.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	field := strings.Split(index.ReplaceAllString(m[3], ""), ".")
	var best []string
	most, tied := 0, false
	for _, l := range leaves(o.Fields, "spec", "values") {
		score := likeness(l.path[2:], field, strings.ToLower(m[1]), m[2])
		switch {
		case score > most:
			best, most, tied = l.path, score, false
		case score == most:
			tied = true
		}
	}
	if most < 2 || tied {
		return nil
	}
	return best
}

// likeness counts what of a value's path speaks for a field of an object; a
// value that is called otherwise than the field has none.
func likeness(path, field []string, kind, name string) int {
	if len(path) == 0 || path[len(path)-1] != field[len(field)-1] {
		return 0
	}
	score, next := 0, len(field)-1
	for _, part := range slices.Backward(path) {
		if next >= 0 && part == field[next] {
			score, next = score+1, next-1
		}
	}
	for _, word := range []string{kind, kind + "s", name} {
		if slices.Contains(path[:len(path)-1], word) {
			score++
		}
	}
	return score
}
