package gotemplate

import (
	"fmt"
	"reflect"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"
)

// builtins are the language's own functions.
var builtins = map[string]*function{
	"and": {name: "and", logic: true},
	"or":  {name: "or", logic: true},

	"not":   newFunction("not", func(value any) bool { return !truth(value) }),
	"len":   newFunction("len", length),
	"index": newFunction("index", index),

	"eq": newFunction("eq", equal),
	"ne": newFunction("ne", func(a, b any) bool { return !equal(a, b) }),
	"lt": newFunction("lt", func(a, b any) bool { return less(a, b) }),
	"le": newFunction("le", func(a, b any) bool { return less(a, b) || equal(a, b) }),
	"gt": newFunction("gt", func(a, b any) bool { return !less(a, b) && !equal(a, b) }),
	"ge": newFunction("ge", func(a, b any) bool { return !less(a, b) }),

	"print":    newFunction("print", func(values ...any) string { return fmt.Sprint(values...) }),
	"println":  newFunction("println", func(values ...any) string { return fmt.Sprintln(values...) }),
	"printf":   newFunction("printf", func(format string, values ...any) string { return fmt.Sprintf(format, values...) }),
	"html":     newFunction("html", func(values ...any) string { return template.HTMLEscaper(printable(values)...) }),
	"js":       newFunction("js", func(values ...any) string { return template.JSEscaper(printable(values)...) }),
	"urlquery": newFunction("urlquery", func(values ...any) string { return template.URLQueryEscaper(printable(values)...) }),
	// What they do here is left to Helm's engine.
	"call":  newFunction("call", func(...any) any { panic(unsure("call")) }),
	"slice": newFunction("slice", func(...any) any { panic(unsure("slice")) }),
}

// printable leaves the rules for what has an address to others.
func printable(values []any) []any {
	for _, value := range values {
		if value != nil && reflect.TypeOf(value).Kind() == reflect.Pointer {
			panic(unsure("a %T is printed", value))
		}
	}
	return values
}

func length(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return v.Len()
	}
	panic(unsure("len of %T", value))
}

func index(value any, keys ...any) any {
	for _, key := range keys {
		value = indexOne(value, key)
	}
	if value == nil && len(keys) == 0 {
		panic(unsure("index of nothing"))
	}
	return value
}

func indexOne(value, key any) any {
	switch v := value.(type) {
	case common.Values:
		value = map[string]any(v)
	case nil:
		panic(unsure("index of nothing"))
	}
	switch key := key.(type) {
	case string:
		if m, ok := value.(map[string]any); ok {
			return m[key]
		}
		if m, ok := value.(map[string]string); ok {
			return m[key]
		}
	case int:
		v := reflect.ValueOf(value)
		if (v.Kind() == reflect.Slice || v.Kind() == reflect.String) && key >= 0 && key < v.Len() {
			return orNil(plain(v.Index(key)))
		}
	}
	panic(unsure("index of %T with %T", value, key))
}

// basic is a value that can be compared, by its kind.
type basic struct {
	kind reflect.Kind
	b    bool
	i    int64
	f    float64
	s    string
}

func basicOf(value any) basic {
	switch v := value.(type) {
	case nil:
		return basic{}
	case string:
		return basic{kind: reflect.String, s: v}
	case bool:
		return basic{kind: reflect.Bool, b: v}
	case int:
		return basic{kind: reflect.Int, i: int64(v)}
	case int64:
		return basic{kind: reflect.Int, i: v}
	case float64:
		return basic{kind: reflect.Float64, f: v}
	}
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.String:
		return basic{kind: reflect.String, s: v.String()}
	case v.Kind() == reflect.Bool:
		return basic{kind: reflect.Bool, b: v.Bool()}
	case v.CanInt():
		return basic{kind: reflect.Int, i: v.Int()}
	case v.CanFloat():
		return basic{kind: reflect.Float64, f: v.Float()}
	}
	return basic{kind: reflect.Map}
}

func equal(first any, others ...any) bool {
	a := basicOf(first)
	if len(others) == 0 {
		panic(unsure("eq of one value"))
	}
	for _, other := range others {
		if equalOne(first, other, a, basicOf(other)) {
			return true
		}
	}
	return false
}

func equalOne(first, other any, a, b basic) bool {
	switch {
	case a.kind == reflect.Invalid && b.kind == reflect.Invalid:
		return true
	case a.kind == reflect.Invalid || b.kind == reflect.Invalid:
		// Nothing equals nothing but what is nil itself.
		if a.kind == reflect.Map && isNil(first) || b.kind == reflect.Map && isNil(other) {
			return true
		}
		return false
	case a.kind == reflect.Map && b.kind == reflect.Map && comparableStructs(first, other):
		return first == other
	case a.kind != b.kind || a.kind == reflect.Map:
		panic(unsure("%T compared with %T", first, other))
	}
	return a == b || a.kind == reflect.Float64 && a.f == b.f
}

// comparableStructs tells whether both are structs, such as times, that Go compares.
func comparableStructs(first, other any) bool {
	a, b := reflect.TypeOf(first), reflect.TypeOf(other)
	return a.Kind() == reflect.Struct && b.Kind() == reflect.Struct && a.Comparable() && b.Comparable()
}

func isNil(value any) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Func, reflect.Chan:
		return v.IsNil()
	}
	panic(unsure("%T compared with nothing", value))
}

func less(first, other any) bool {
	a, b := basicOf(first), basicOf(other)
	if a.kind == b.kind {
		switch a.kind {
		case reflect.String:
			return a.s < b.s
		case reflect.Int:
			return a.i < b.i
		case reflect.Float64:
			return a.f < b.f
		}
	}
	panic(unsure("%T compared with %T", first, other))
}
