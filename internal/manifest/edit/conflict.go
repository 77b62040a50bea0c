package edit

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// claim is a part of a document that an edit wants to itself.
type claim struct {
	path []string
	// grows says that only the collection at the path has to stay one.
	grows bool
}

// claims returns what must not be touched by any other edit.
func (task task) claims() []claim {
	switch task.edit.Op {
	case OpComment, OpUncomment:
		return nil
	case OpInsert:
		list := []claim{{path: task.path, grows: true}}
		if n := task.content.node; n.Kind == yaml.MappingNode {
			for i := 0; i < len(n.Content); i += 2 {
				list = append(list, claim{path: append(slices.Clone(task.path), n.Content[i].Value)})
			}
		}
		return list
	}
	return []claim{{path: task.path}}
}

// against reports whether two claims exclude each other.
func (c claim) against(other claim) bool {
	switch {
	case c.grows && other.grows:
		return false
	case c.grows:
		return isPrefix(other.path, c.path)
	case other.grows:
		return isPrefix(c.path, other.path)
	}
	return isPrefix(c.path, other.path) || isPrefix(other.path, c.path)
}

func isPrefix(prefix, path []string) bool {
	return len(prefix) <= len(path) && slices.Equal(prefix, path[:len(prefix)])
}

// checkConflicts refuses edits that get in each other's way.
func checkConflicts(tasks []task) error {
	claims := make([][]claim, len(tasks))
	for i, task := range tasks {
		claims[i] = task.claims()
		for j := range i {
			if tasks[j].doc == task.doc && overlap(claims[i], claims[j]) {
				return about(task.edit, conflict(tasks[j].edit))
			}
		}
	}
	return nil
}

func overlap(a, b []claim) bool {
	return slices.ContainsFunc(a, func(c claim) bool { return slices.ContainsFunc(b, c.against) })
}

func conflict(other Edit) error {
	return refuse(0, "another edit gets in its way: %s", other)
}
