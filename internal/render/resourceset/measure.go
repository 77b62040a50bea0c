package resourceset

import (
	"fmt"
	"reflect"
)

const (
	// maxNodes bounds the values in a list or map, nested ones included.
	maxNodes = 100_000
	// maxNesting bounds how deep lists and maps nest; one that holds itself
	// nests without end.
	maxNesting = 100
	// maxCount bounds numbers that say how much a function makes.
	maxCount = 1 << 16
)

// counted are functions whose numbers say how much they make.
var counted = map[string]bool{"repeat": true, "indent": true, "nindent": true, "until": true, "untilStep": true, "seq": true, "round": true}

// multiplied are functions that may yield the product of their texts' lengths.
var multiplied = map[string]bool{
	"repeat": true, "indent": true, "nindent": true, "replace": true, "join": true,
	"regexReplaceAll": true, "mustRegexReplaceAll": true, "regexReplaceAllLiteral": true, "mustRegexReplaceAllLiteral": true,
}

// bounded returns a function that refuses arguments, and results, that are too
// large to work on.
func (r *run) bounded(name string, f any) any {
	v := reflect.ValueOf(f)
	t := v.Type()
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = t.In(i)
	}
	out := []reflect.Type{t.Out(0), reflect.TypeFor[error]()}
	failed := func(err error) []reflect.Value {
		return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		if err := r.admit(name, args); err != nil {
			return failed(err)
		}
		var results []reflect.Value
		if t.IsVariadic() {
			results = v.CallSlice(args)
		} else {
			results = v.Call(args)
		}
		if len(results) == 2 && !results[1].IsNil() {
			return failed(results[1].Interface().(error))
		}
		m := &meter{}
		if err := m.add(results[0], 0); err != nil {
			return failed(fmt.Errorf("%s: %w", name, err))
		}
		return []reflect.Value{results[0], reflect.Zero(out[1])}
	}).Interface()
}

// admit measures the arguments of a call.
func (r *run) admit(name string, args []reflect.Value) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	m := &meter{counted: counted[name], product: 1}
	for _, arg := range args {
		if err := m.add(arg, 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if multiplied[name] && m.product > 16*maxText {
		return fmt.Errorf("%s: %w", name, errTooLarge)
	}
	return nil
}

func (r *run) measure(v any) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return (&meter{}).add(reflect.ValueOf(v), 0)
}

// meter adds up the size of values.
type meter struct {
	counted      bool
	nodes, bytes int
	product      int
}

func (m *meter) add(v reflect.Value, depth int) error {
	if m.nodes++; m.nodes > maxNodes || depth > maxNesting {
		return errTooLarge
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return m.add(v.Elem(), depth+1)
	case reflect.String:
		return m.text(v.Len())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return m.number(v.Int())
	case reflect.Float32, reflect.Float64:
		return m.number(int64(v.Float()))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := m.add(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if err := m.add(entries.Key(), depth+1); err != nil {
				return err
			}
			if err := m.add(entries.Value(), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *meter) text(length int) error {
	if m.bytes += length; m.bytes > maxText {
		return errTooLarge
	}
	m.grow(int64(length))
	return nil
}

func (m *meter) number(n int64) error {
	if m.counted && (n > maxCount || n < -maxCount) {
		return fmt.Errorf("it may make at most %d: %w", maxCount, errTooLarge)
	}
	if m.counted {
		m.grow(n)
	}
	return nil
}

// grow keeps the product within bounds itself.
func (m *meter) grow(factor int64) {
	if factor > 1 && m.product <= 1<<40 {
		m.product *= int(factor)
	}
}
