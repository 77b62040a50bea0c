package gotemplate

import (
	"reflect"

	"helm.sh/helm/v4/pkg/chart/common"
)

// The language tells a value that is missing (nil here) from an entry that
// holds nothing (null): a field of the former is missing too, a field of the
// latter an error.
type nothing struct{ _ int }

var null any = &nothing{}

func orNull(value any) any {
	if value == nil {
		return null
	}
	return value
}

func orNil(value any) any {
	if value == null {
		return nil
	}
	return value
}

// addressed is a struct within another, whose methods on pointers may be called.
type addressed struct{ reflect.Value }

// plain is the value that reflection has found.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
		if !v.IsValid() {
			return null
		}
	}
	switch {
	case !v.IsValid():
		return nil
	case v.Kind() == reflect.Struct && v.CanAddr():
		return addressed{v}
	case !v.CanInterface():
		panic(unsure("a value that is not exported"))
	}
	return v.Interface()
}

// valuesMethods are names that fields of Helm's own type for values cannot have.
var valuesMethods = func() map[string]bool {
	names := map[string]bool{}
	for method := range reflect.TypeFor[common.Values]().Methods() {
		names[method.Name] = true
	}
	return names
}()

// field returns a field, an entry, or what a method without arguments returns.
func (r *Run) field(receiver any, name string) any {
	switch v := receiver.(type) {
	case nil:
		return nil
	case map[string]any:
		return orNull(v[name])
	case common.Values:
		if !valuesMethods[name] {
			return orNull(v[name])
		}
	}
	return r.member(receiver, name, nil)
}

// member finds by reflection; arguments are those of a method.
func (r *Run) member(receiver any, name string, args []any) any {
	if receiver == null {
		panic(unsure("%s of nothing", name))
	}
	v, ok := receiver.(addressed)
	if !ok {
		v.Value = reflect.ValueOf(receiver)
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			panic(unsure("%s of a nil pointer", name))
		}
		v.Value = v.Elem()
	}
	methods := v.Value
	if v.CanAddr() {
		methods = v.Addr()
	}
	if method := methods.MethodByName(name); method.IsValid() {
		f := newFunction(name, method.Interface())
		return f.apply(r, args)
	}
	if len(args) > 0 {
		panic(unsure("arguments of %s", name))
	}
	switch v.Kind() {
	case reflect.Struct:
		field, ok := v.Type().FieldByName(name)
		if ok && field.IsExported() && len(field.Index) == 1 {
			return plain(v.Field(field.Index[0]))
		}
	case reflect.Map:
		if v.Type().Key() == reflect.TypeFor[string]() {
			found := v.MapIndex(reflect.ValueOf(name))
			if !found.IsValid() {
				found = reflect.Zero(v.Type().Elem())
			}
			return plain(found)
		}
	}
	panic(unsure("%s of %s", name, v.Type()))
}
