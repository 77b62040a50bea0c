package diagnose

import (
	"slices"
	"strings"
	"time"
)

// maxEditFields bounds how many fields of an edit are told.
const maxEditFields = 8

// Edit is a change that somebody made by hand.
type Edit struct {
	Manager string
	Time    time.Time
	// Fields are the fields, in order, without those that harm nobody.
	Fields []string
}

// hands are how the tools that people edit with name themselves.
var hands = []string{"kubectl-edit", "kubectl-patch", "kubectl-set", "kubectl-replace", "kubectl-scale", "kubectl-label", "kubectl-annotate", "k9s", "node-fetch", "lens", "headlamp", "Mozilla", "OpenLens", "kubectl"}

// byHand reports whether a manager of fields is somebody's hand. What applies
// for Flux never is.
func byHand(manager string) bool {
	if strings.HasPrefix(manager, "kubectl-rollout") || strings.HasPrefix(manager, "kubectl-client-side-apply") {
		return false
	}
	return slices.ContainsFunc(hands, func(h string) bool { return strings.HasPrefix(manager, h) })
}

// editsOf reads from the managed fields who changed what by hand.
func editsOf(f Fields) []Edit {
	var edits []Edit
	for _, m := range f.List("metadata", "managedFields") {
		if m.Text("subresource") != "" || !byHand(m.Text("manager")) {
			continue
		}
		var fields []string
		collectFields(m.In("fieldsV1"), "", &fields, 0)
		slices.Sort(fields)
		if len(fields) > 0 {
			edits = append(edits, Edit{m.Text("manager"), m.Time("time"), fields[:min(len(fields), maxEditFields)]})
		}
	}
	return edits
}

// collectFields writes the leaves of managed fields as paths. Marks and
// annotations are no change that could break anything.
func collectFields(f Fields, path string, into *[]string, depth int) {
	const maxDepth, enough = 24, 64
	if depth > maxDepth || len(*into) >= enough {
		return
	}
	leaf := true
	for key, below := range f {
		name, isField := strings.CutPrefix(key, "f:")
		if !isField && !strings.HasPrefix(key, "k:") || depth == 0 && (name == "metadata" || name == "status") {
			leaf = leaf && key == "."
			continue
		}
		leaf = false
		next := path + "." + name
		if !isField {
			next = path + "[]"
		}
		m, _ := below.(map[string]any)
		collectFields(m, next, into, depth+1)
	}
	if text := strings.TrimPrefix(path, "."); leaf && text != "" && !strings.Contains(text, "restartedAt") {
		*into = append(*into, text)
	}
}
