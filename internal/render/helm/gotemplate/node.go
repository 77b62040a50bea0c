package gotemplate

import (
	"fmt"
	"reflect"
	"slices"
	"text/template"
)

// node is a part of a template that does something.
type node interface {
	run(r *Run, dot any, out *output) signal
}

// signal says how a node has ended.
type signal int

const (
	goesOn signal = iota
	breaks
	continues
)

func (r *Run) nodes(list []node, dot any, out *output) signal {
	for _, n := range list {
		if s := n.run(r, dot, out); s != goesOn {
			return s
		}
	}
	return goesOn
}

type (
	textNode   string
	signalNode signal
	actionNode struct{ pipe *pipeline }
	branchNode struct {
		pipe        *pipeline
		then, other []node
		with        bool
	}
	rangeNode struct {
		pipe        *pipeline
		each, other []node
	}
	callNode struct {
		name string
		pipe *pipeline
	}
)

func (n textNode) run(_ *Run, _ any, out *output) signal {
	out.write(string(n))
	return goesOn
}

func (n signalNode) run(*Run, any, *output) signal { return signal(n) }

func (n *actionNode) run(r *Run, dot any, out *output) signal {
	r.step()
	value := n.pipe.eval(r, dot)
	if len(n.pipe.declared) == 0 {
		out.print(value)
	}
	return goesOn
}

func (n *branchNode) run(r *Run, dot any, out *output) signal {
	mark := len(r.vars)
	value := n.pipe.eval(r, dot)
	list := n.other
	if truth(value) {
		list = n.then
		if n.with {
			dot = value
		}
	}
	s := r.nodes(list, dot, out)
	r.vars = r.vars[:mark]
	return s
}

func (n *callNode) run(r *Run, dot any, out *output) signal {
	b := r.find(n.name)
	if b == nil {
		panic(unsure("no template %q", n.name))
	}
	var data any
	if n.pipe != nil {
		data = n.pipe.eval(r, dot)
	}
	r.call(b, data, out)
	return goesOn
}

func (n *rangeNode) run(r *Run, dot any, out *output) signal {
	outer := len(r.vars)
	value := n.pipe.eval(r, dot)
	if n.iterate(r, value, out) == 0 {
		r.nodes(n.other, dot, out)
	}
	r.vars = r.vars[:outer]
	return goesOn
}

// iterate returns how many entries there were.
func (n *rangeNode) iterate(r *Run, value any, out *output) int {
	mark := len(r.vars)
	switch list := value.(type) {
	case nil:
		return 0
	case []any:
		for i, entry := range list {
			if !n.one(r, mark, i, orNull(entry), out) {
				break
			}
		}
		return len(list)
	case map[string]any:
		return n.mapping(r, mark, list, out)
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		if len(n.pipe.declared) > 1 {
			break
		}
		for i := range v.Int() {
			if !n.one(r, mark, nil, reflect.ValueOf(i).Convert(v.Type()).Interface(), out) {
				break
			}
		}
		return int(max(v.Int(), 0))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !n.one(r, mark, i, plain(v.Index(i)), out) {
				break
			}
		}
		return v.Len()
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			panic(unsure("a range over %s", v.Type()))
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compareStrings(a.String(), b.String()) })
		entries := make([]any, len(keys))
		for i, key := range keys {
			entries[i] = plain(v.MapIndex(key))
		}
		for i, key := range keys {
			if !n.one(r, mark, key.Interface(), entries[i], out) {
				break
			}
		}
		return len(keys)
	}
	panic(unsure("a range over %T", value))
}

// mapping iterates over what the mapping held when it began.
func (n *rangeNode) mapping(r *Run, mark int, m map[string]any, out *output) int {
	entries := make([]variable, 0, len(m))
	for key, value := range m {
		entries = append(entries, variable{key, value})
	}
	if len(entries) > 1 {
		slices.SortFunc(entries, func(a, b variable) int { return compareStrings(a.name, b.name) })
	}
	for _, e := range entries {
		if !n.one(r, mark, e.name, orNull(e.value), out) {
			break
		}
	}
	return len(entries)
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// one runs the body for one entry, and tells whether to go on.
func (n *rangeNode) one(r *Run, mark int, index, entry any, out *output) bool {
	r.step()
	declared := n.pipe.declared
	switch {
	case n.pipe.assigns && len(declared) == 1:
		r.assign(declared[0], entry)
	case n.pipe.assigns && len(declared) > 1:
		r.assign(declared[0], index)
		r.assign(declared[1], entry)
	case len(declared) == 1:
		r.vars[mark-1].value = entry
	case len(declared) > 1:
		r.vars[mark-1].value, r.vars[mark-2].value = entry, index
	}
	s := r.nodes(n.each, entry, out)
	r.vars = r.vars[:mark]
	return s != breaks
}

func (r *Run) assign(name string, value any) {
	for i := len(r.vars) - 1; i >= r.base; i-- {
		if r.vars[i].name == name {
			r.vars[i].value = value
			return
		}
	}
	panic(unsure("no variable %s", name))
}

// print writes a value as the language prints it.
func (o *output) print(value any) {
	switch v := value.(type) {
	case nil:
		o.write("<no value>")
	case string:
		o.write(v)
	default:
		mustBeBounded(value)
		o.text = fmt.Append(o.text, printed(value))
		o.write("")
	}
}

var (
	stringer = reflect.TypeFor[fmt.Stringer]()
	failure  = reflect.TypeFor[error]()
)

// printed is what is printed for a value: what a pointer leads to, or the
// pointer to a struct that knows how to print itself by one.
func printed(value any) any {
	v, ok := value.(addressed)
	if !ok {
		if v.Value = reflect.ValueOf(value); v.Kind() != reflect.Pointer {
			if v.Kind() == reflect.Chan || v.Kind() == reflect.Func {
				panic(unsure("a %T is printed", value))
			}
			return value
		}
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			panic(unsure("a nil %s is printed", v.Type()))
		}
		v.Value = v.Elem()
	}
	pointer := reflect.PointerTo(v.Type())
	if !v.Type().Implements(stringer) && !v.Type().Implements(failure) && (pointer.Implements(stringer) || pointer.Implements(failure)) {
		return v.Addr().Interface()
	}
	return v.Interface()
}

func truth(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	case int:
		return v != 0
	case addressed:
		return true
	}
	if value == null {
		return false
	}
	t, ok := template.IsTrue(value)
	if !ok {
		panic(unsure("%T as a condition", value))
	}
	return t
}
