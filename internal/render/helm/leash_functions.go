package helm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"text/template"

	"hearth/internal/render/helm/gotemplate"
	"hearth/internal/render/helm/yamltext"
)

// languages are functions of the template language that make text of anything.
var languages = template.FuncMap{
	"print":    fmt.Sprint,
	"println":  fmt.Sprintln,
	"html":     template.HTMLEscaper,
	"js":       template.JSEscaper,
	"urlquery": template.URLQueryEscaper,
}

// onLeash returns what a template that is on the leash calls: the functions
// that put it there, and all others within the bounds that a press has, as one
// rendering may use them until ctx ends. refused is told why it is to end.
func onLeash(ctx context.Context, own template.FuncMap, refused func(error)) template.FuncMap {
	l := &leashedRun{ctx: ctx, refused: refused}
	bounded := ofSprig()
	// Helm's engine has its own.
	delete(bounded, "fail")
	delete(bounded, "getHostByName")
	maps.Copy(bounded, languages)
	maps.Copy(bounded, template.FuncMap{
		"toJson": toJSON, "mustToJson": mustToJSON, "fromJson": fromJSON, "fromJsonArray": fromJSONArray,
	})
	for _, name := range []string{"toToml", "mustToToml", "toYamlPretty"} {
		bounded[name] = func(value any) (any, error) { return askHelm(name, []any{value}) }
	}
	maps.Copy(bounded, own)
	for name, fn := range bounded {
		if name != "lookup" {
			bounded[name] = l.bound(name, fn)
		}
	}
	bounded[stepFunction] = l.step
	bounded[enterFunction] = l.enter
	bounded[leaveFunction] = l.leave
	bounded[textFunction] = leashedText
	bounded[writeFunction] = l.write
	return bounded
}

// leashedRun is one rendering of Helm's engine.
type leashedRun struct {
	ctx     context.Context
	budget  gotemplate.Budget
	depth   int
	refused func(error)
}

func (l *leashedRun) fail(err error) error {
	if err != nil {
		l.refused(err)
	}
	return err
}

// step goes on for as long as there is time, and room for the text that follows.
func (l *leashedRun) step(texts int) (string, error) {
	if err := l.ctx.Err(); err != nil {
		return "", l.fail(err)
	}
	return "", l.fail(l.budget.Take(texts))
}

// enter is the first step of what leave ends.
func (l *leashedRun) enter(texts int) (string, error) {
	l.depth++
	if err := gotemplate.CheckDepth(l.depth); err != nil {
		return "", l.fail(err)
	}
	return l.step(texts)
}

func (l *leashedRun) leave() string {
	l.depth--
	return ""
}

// write counts a value that is written next. What a value can tell of itself
// may depend on where it stands, so that it is given back from there.
func (l *leashedRun) write(value reflect.Value) (reflect.Value, error) {
	for value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	switch {
	case value.Kind() == reflect.String:
		return value, l.fail(l.budget.Take(value.Len()))
	case value.IsValid() && value.CanInterface():
		if !yamltext.Bounded(value.Interface()) {
			return value, l.fail(tooMuch("printing"))
		}
		return value, l.fail(l.budget.Take(len(fmt.Sprint(value.Interface()))))
	}
	return value, nil
}

// bound returns a function of the same kind that keeps to the bounds.
func (l *leashedRun) bound(name string, fn any) any {
	f := reflect.ValueOf(fn)
	return reflect.MakeFunc(f.Type(), func(in []reflect.Value) []reflect.Value {
		if err := l.ctx.Err(); err != nil {
			panic(l.fail(err))
		}
		if err := gotemplate.CheckArguments(name, values(in)); err != nil {
			panic(l.fail(err))
		}
		var out []reflect.Value
		if f.Type().IsVariadic() {
			out = f.CallSlice(in)
		} else {
			out = f.Call(in)
		}
		if err := l.made(name, out); err != nil {
			panic(l.fail(err))
		}
		if err, ok := out[len(out)-1].Interface().(error); ok && errors.Is(err, gotemplate.ErrRefused) {
			l.refused(err)
		}
		return out
	}).Interface()
}

// made counts what a function has made.
func (l *leashedRun) made(name string, out []reflect.Value) error {
	if len(out) == 0 || !out[0].CanInterface() {
		return nil
	}
	result := out[0].Interface()
	if text, ok := result.(string); ok {
		if err := l.budget.Take(len(text)); err != nil {
			return err
		}
	}
	return gotemplate.CheckResult(name, result)
}

func values(in []reflect.Value) []any {
	list := make([]any, 0, len(in))
	for _, value := range in {
		if value.CanInterface() {
			list = append(list, value.Interface())
		}
	}
	return list
}
