package edit

import (
	"bytes"
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Apply makes all edits of one file, given its text. Their order does not matter,
// and lines are those of the given text. Edits that get in each other's way are refused, as is
// whatever would change more than what the edits say: the error is a *Refusal, and the
// text returned is the given one. The given text is never written to.
func Apply(data []byte, edits ...Edit) ([]byte, error) {
	if len(edits) == 0 {
		return data, nil
	}
	changed, err := apply(data, edits)
	if err != nil {
		return data, err
	}
	return changed, nil
}

func apply(data []byte, edits []Edit) ([]byte, error) {
	t, err := read(edits[0].File, data)
	if err != nil {
		return nil, err
	}
	tasks, err := t.tasks(edits)
	if err != nil {
		return nil, err
	}
	for len(tasks) > 0 {
		changes, later, err := t.nextChanges(tasks)
		if err != nil {
			return nil, err
		}
		if t, err = t.make(changes...); err != nil {
			return nil, err
		}
		for i := range later {
			if err := later[i].follow(changes); err != nil {
				return nil, err
			}
		}
		tasks = later
	}
	return t.data, nil
}

// nextChanges works out those tasks that can be done at once, so that a text with many
// documents is not read anew for each: one of each document, or comments where nothing
// else is left. The others are returned to be done later.
func (t *text) nextChanges(tasks []task) (changes []change, later []task, err error) {
	comments := tasks[0].edit.aboutComment()
	busy := map[int]bool{}
	for _, task := range tasks {
		isComment := task.edit.aboutComment()
		if isComment != comments || !isComment && busy[task.doc] {
			later = append(later, task)
			continue
		}
		c, err := t.plan(task)
		if err != nil {
			return nil, nil, about(task.edit, err)
		}
		if c.want != nil {
			if busy[c.doc] { // a second comment in the text of a block scalar
				later = append(later, task)
				continue
			}
			busy[c.doc] = true
		}
		c.edit = task.edit
		changes = append(changes, c)
	}
	return changes, later, nil
}

// splice replaces a part of a text.
type splice struct {
	start, end int
	text       string
}

// change is what an edit does to a text.
type change struct {
	edit    Edit
	splices []splice
	doc     int        // which document changes
	want    *yaml.Node // that document afterwards; nil where its values stay as they are
}

// plan works out one edit.
func (t *text) plan(task task) (change, error) {
	switch task.edit.Op {
	case OpComment:
		return t.comment(task.mark, task.edit.Value)
	case OpUncomment:
		return t.uncomment(task.mark, task.edit.Value)
	}
	f, err := t.walk(task.doc, task.path, task.edit.Op == OpRemove)
	if err != nil {
		return change{}, err
	}
	c, err := t.change(f, task)
	c.doc = task.doc
	return c, err
}

func (t *text) change(f found, task task) (change, error) {
	if isText(f.node()) && (len(f.rest) > 0 || task.edit.Op == OpInsert) {
		return t.nested(f, func(inner *text, _ int) (change, error) {
			task.doc, task.path = 0, f.rest
			return inner.plan(task)
		})
	}
	switch task.edit.Op {
	case OpSet:
		return t.set(f, scalarOf(task.edit))
	case OpInsert:
		return t.insert(f, task.content)
	}
	return t.remove(f)
}

// make carries changes out and proves that the result says what it should. Only one of
// them may change the values of a document. The refusal is that of the first at fault.
func (t *text) make(changes ...change) (*text, error) {
	next, err := t.prove(changes)
	if err == nil {
		return next, nil
	}
	for _, c := range changes {
		if _, err := t.prove([]change{c}); err != nil {
			return nil, about(c.edit, err)
		}
	}
	return nil, about(changes[0].edit, err)
}

func (t *text) prove(changes []change) (*text, error) {
	var splices []splice
	wants := map[int]*yaml.Node{}
	for _, c := range changes {
		splices = append(splices, c.splices...)
		if c.want != nil {
			wants[c.doc] = c.want
		}
	}
	if len(splices) == 0 {
		return t, nil
	}
	data, err := t.spliced(splices)
	if err != nil {
		return nil, err
	}
	next, err := read(t.file, data)
	if err != nil {
		return nil, refuse(0, "what it is surrounded by does not allow it: the result would not be valid YAML")
	}
	if len(next.docs) != len(t.docs) {
		return nil, refuse(0, "what it is surrounded by does not allow it: there would be other documents")
	}
	for i, d := range t.docs {
		want := d.Node
		if w, ok := wants[i]; ok {
			want = w
		}
		if !same(want, next.docs[i].Node) {
			return nil, refuse(0, "what it is surrounded by does not allow it: other values would change")
		}
	}
	return next, nil
}

// spliced returns the text with splices carried out.
func (t *text) spliced(splices []splice) ([]byte, error) {
	sorted := slices.Clone(splices) // Those at one place keep their order.
	slices.SortStableFunc(sorted, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
	var b bytes.Buffer
	at := 0
	for _, s := range sorted {
		if s.start < at || s.end < s.start || s.end > len(t.data) {
			return nil, refuse(0, "the way it is written is not understood")
		}
		b.Write(t.data[at:s.start])
		b.WriteString(s.text)
		at = s.end
	}
	b.Write(t.data[at:])
	return b.Bytes(), nil
}
