package edit

import (
	"cmp"
	"slices"
	"strings"
)

// task is an edit whose target has been looked up.
type task struct {
	edit    Edit
	doc     int      // index of its document
	path    []string // of its target
	content content  // of an insertion
	mark    int      // of a comment: where its line begins, or the one below it
}

// tasks looks up the targets of edits, once each, and puts them into the order in
// which they cannot get into each other's way: what is there changes, then
// things are added, then removed from the bottom up, and comments come last.
func (t *text) tasks(edits []Edit) ([]task, error) {
	seen := map[Edit]bool{}
	var list []task
	for _, e := range edits {
		if seen[e] {
			continue
		}
		seen[e] = true
		one, err := t.task(e)
		if err == nil && e.File != t.file {
			err = refuse(0, "it is not one of the file %s", t.file)
		}
		if err != nil {
			return nil, about(e, err)
		}
		list = append(list, one)
	}
	slices.SortFunc(list, inOrder)
	return list, checkConflicts(list)
}

func (t *text) task(e Edit) (task, error) {
	one := task{edit: e, path: e.Steps()}
	var err error
	switch e.Op {
	case OpComment, OpUncomment:
		if e.Line < 1 || e.Line > len(t.lines) || t.lines[e.Line-1] == len(t.data) {
			return one, refuse(e.Line, "the file has no such line")
		}
		one.mark = t.lines[e.Line-1]
		return one, nil
	case OpInsert:
		one.content, err = parseContent(e.Value)
	case OpSet, OpRemove:
	default:
		err = refuse(e.Line, "%q is no operation", string(e.Op))
	}
	if err == nil {
		one.doc, err = t.document(e.Line)
	}
	return one, err
}

var order = map[Op]int{OpSet: 0, OpInsert: 1, OpRemove: 2, OpComment: 3, OpUncomment: 3}

func inOrder(a, b task) int {
	steps := slices.CompareFunc(a.path, b.path, compareSteps)
	if a.edit.Op == OpRemove {
		steps = -steps
	}
	return cmp.Or(
		cmp.Compare(order[a.edit.Op], order[b.edit.Op]),
		cmp.Compare(a.doc, b.doc),
		cmp.Compare(a.mark, b.mark),
		steps,
		strings.Compare(string(a.edit.Op), string(b.edit.Op)),
		strings.Compare(a.edit.Value, b.edit.Value),
	)
}

// compareSteps orders indexes by number, and before names.
func compareSteps(a, b string) int {
	i, isIndex := index(a)
	j, other := index(b)
	switch {
	case isIndex && other:
		return cmp.Compare(i, j)
	case isIndex:
		return -1
	case other:
		return 1
	}
	return strings.Compare(a, b)
}

// follow moves a comment's mark along with changes that others have made.
func (task *task) follow(changes []change) error {
	if !task.edit.aboutComment() {
		return nil
	}
	by := 0
	for _, c := range changes {
		for _, s := range c.splices {
			switch {
			case s.start <= task.mark && task.mark < s.end:
				return about(task.edit, conflict(c.edit))
			case s.end <= task.mark:
				by += len(s.text) - (s.end - s.start)
			}
		}
	}
	task.mark += by
	return nil
}
