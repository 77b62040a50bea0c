package diff

import (
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"
)

// WriteUnified writes each object that differs as YAML in the form of diff -u,
// for tools that read that.
func WriteUnified(out io.Writer, r *Report) error {
	w := &writer{w: out}
	for _, app := range r.Applications {
		for _, o := range app.Objects {
			before, err := document(o.Before)
			if err != nil {
				return fmt.Errorf("%s: %w", o.Ref(), err)
			}
			after, err := document(o.After)
			if err != nil {
				return fmt.Errorf("%s: %w", o.Ref(), err)
			}
			w.unified(app, o, before, after)
		}
	}
	return w.err
}

// document writes an object in lines; none for one that is not there.
func document(o map[string]any) ([]string, error) {
	if o == nil {
		return nil, nil
	}
	data, err := yaml.Marshal(o)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return lines, nil
}

func (w *writer) unified(app *Application, o *Object, before, after []string) {
	name := clean(app.title() + "/" + o.Ref().String())
	old, now := "a/"+name, "b/"+name
	if before == nil {
		old = "/dev/null"
	}
	if after == nil {
		now = "/dev/null"
	}
	w.printf("--- %s\n+++ %s\n", old, now)
	for _, h := range hunks(before, after) {
		w.printf("@@ -%s +%s @@\n", span(h.before, h.old), span(h.after, h.now))
		for _, l := range h.lines {
			w.printf("%c%s\n", l.mark, unmarked(l.text))
		}
	}
}

// hunk is a run of lines around some that differ.
type hunk struct {
	before, after int // where it begins, from 0
	old, now      int // how many lines it has on each side
	lines         []line
}

// span writes where a side of a hunk stands, as diff -u does.
func span(from, count int) string {
	if count > 0 {
		from++
	}
	return fmt.Sprintf("%d,%d", from, count)
}

// hunks compares lines.
func hunks(before, after []string) []hunk {
	all := changes(before, after, len(before)+len(after))
	var list []hunk
	i, j, calm := 0, 0, 0
	open := false
	var tail []line
	for _, l := range all {
		if l.mark == ' ' {
			calm++
			tail = append(tail, l)
			if open && calm > 2*around {
				last := &list[len(list)-1]
				last.add(tail[:around]...)
				tail, open = tail[around:], false
			}
		} else {
			if !open {
				lead := tail[max(0, len(tail)-around):]
				list = append(list, hunk{before: i - len(lead), after: j - len(lead)})
				tail, open = lead, true
			}
			list[len(list)-1].add(append(tail, l)...)
			tail, calm = nil, 0
		}
		if l.mark != '+' {
			i++
		}
		if l.mark != '-' {
			j++
		}
	}
	if open {
		list[len(list)-1].add(tail[:min(around, len(tail))]...)
	}
	return list
}

func (h *hunk) add(lines ...line) {
	for _, l := range lines {
		h.lines = append(h.lines, l)
		if l.mark != '+' {
			h.old++
		}
		if l.mark != '-' {
			h.now++
		}
	}
}
