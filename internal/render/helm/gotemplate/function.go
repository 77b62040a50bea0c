package gotemplate

import (
	"math"
	"reflect"

	"helm.sh/helm/v4/pkg/chart/common"
)

// function is what a template may call.
type function struct {
	name     string
	fn       any
	value    reflect.Value
	in       []reflect.Type
	variadic bool
	// varies says that it may answer differently the next time.
	varies bool
	// walks says that it goes through all that its arguments hold.
	walks bool
	logic bool
	// special functions need the rendering itself.
	special func(r *Run, args []any) any
}

// walking are the functions that go through all that they are given.
var walking = map[string]bool{
	"print": true, "printf": true, "println": true, "html": true, "js": true, "urlquery": true,
	"toString": true, "toStrings": true, "quote": true, "squote": true, "cat": true, "join": true, "sortAlpha": true,
	"toJson": true, "mustToJson": true, "toPrettyJson": true, "mustToPrettyJson": true, "toRawJson": true, "mustToRawJson": true,
	"deepCopy": true, "mustDeepCopy": true, "deepEqual": true, "merge": true, "mergeOverwrite": true, "mustMerge": true, "mustMergeOverwrite": true,
	"uniq": true, "mustUniq": true, "has": true, "mustHas": true, "without": true, "mustWithout": true,
}

func newFunction(name string, fn any) *function {
	f := &function{name: name, fn: fn, value: reflect.ValueOf(fn), walks: walking[name]}
	t := f.value.Type()
	for in := range t.Ins() {
		f.in = append(f.in, in)
	}
	f.variadic = t.IsVariadic()
	return f
}

// least and most say how many arguments it takes.
func (f *function) least() int {
	switch {
	case f.special != nil:
		return f.most()
	case f.variadic:
		return len(f.in) - 1
	}
	return len(f.in)
}

func (f *function) most() int {
	switch {
	case f.special != nil && f.name == "lookup":
		return 4
	case f.special != nil:
		return 2
	case f.variadic:
		return math.MaxInt
	}
	return len(f.in)
}

var (
	anyType    = reflect.TypeFor[any]()
	stringType = reflect.TypeFor[string]()
	mapType    = reflect.TypeFor[map[string]any]()
)

// parameter is the type of an argument.
func (f *function) parameter(i int) reflect.Type {
	switch {
	case f.special != nil && (i == 0 || f.name == "lookup"):
		return stringType
	case f.special != nil:
		return anyType
	case f.variadic && i >= len(f.in)-1:
		return f.in[len(f.in)-1].Elem()
	}
	return f.in[i]
}

// call is a function with its arguments.
type call struct {
	f    *function
	args []expression
}

func (c *call) eval(r *Run, dot any) any {
	mark := len(r.args)
	for i, arg := range c.args {
		value := convert(arg.eval(r, dot), c.f.parameter(i))
		r.args = append(r.args, value)
	}
	return r.finish(c.f, mark)
}

func (c *call) pipe(r *Run, dot, final any) any {
	mark := len(r.args)
	for i, arg := range c.args {
		value := convert(arg.eval(r, dot), c.f.parameter(i))
		r.args = append(r.args, value)
	}
	r.args = append(r.args, convert(final, c.f.parameter(len(c.args))))
	return r.finish(c.f, mark)
}

// finish calls a function with the arguments above the mark, and drops them.
func (r *Run) finish(f *function, mark int) any {
	args := r.args[mark:len(r.args):len(r.args)]
	value := f.do(r, args)
	clear(r.args[mark:])
	r.args = r.args[:mark]
	return value
}

// apply converts arguments and calls.
func (f *function) apply(r *Run, args []any) any {
	if len(args) < f.least() || len(args) > f.most() {
		panic(unsure("%d arguments of %s", len(args), f.name))
	}
	for i := range args {
		args[i] = convert(args[i], f.parameter(i))
	}
	return f.do(r, args)
}

func (f *function) do(r *Run, args []any) any {
	r.step()
	if f.varies {
		r.Varies = true
	}
	if f.walks {
		for _, arg := range args {
			mustBeBounded(arg)
		}
	}
	var result any
	if f.special != nil {
		result = f.special(r, args)
	} else {
		result = f.dispatch(args)
	}
	if err := CheckResult(f.name, result); err != nil {
		panic(err)
	}
	if text, ok := result.(string); ok {
		r.take(len(text))
	}
	return result
}

// convert makes an argument what the parameter wants, if the language would.
func convert(value any, parameter reflect.Type) any {
	switch parameter {
	case anyType:
		if v, ok := value.(addressed); ok {
			return v.Interface()
		}
		return orNil(value)
	case stringType:
		if _, ok := value.(string); ok {
			return value
		}
		panic(unsure("%T instead of a text", value))
	case mapType:
		switch v := value.(type) {
		case map[string]any:
			return v
		case common.Values:
			return map[string]any(v)
		case nil:
			return map[string]any(nil)
		}
		panic(unsure("%T instead of a mapping", value))
	}
	if value == nil {
		switch parameter.Kind() {
		case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Func, reflect.Chan, reflect.Interface:
			return reflect.Zero(parameter).Interface()
		}
	}
	if value == nil || !reflect.TypeOf(value).AssignableTo(parameter) {
		panic(unsure("%T instead of %s", value, parameter))
	}
	if _, ok := value.(addressed); ok {
		panic(unsure("a struct that has an address as an argument"))
	}
	return value
}

func (f *function) dispatch(args []any) any {
	if result, ok := f.direct(args); ok {
		return result
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		if in[i] = reflect.ValueOf(arg); !in[i].IsValid() {
			in[i] = reflect.Zero(f.parameter(i))
		}
	}
	out := f.value.Call(in)
	switch len(out) {
	case 1:
	case 2:
		if err, _ := out[1].Interface().(error); err != nil {
			panic(err)
		}
	default:
		panic(unsure("%s returns %d values", f.name, len(out)))
	}
	return plain(out[0])
}
