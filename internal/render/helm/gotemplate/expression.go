package gotemplate

// expression is a part of a template that has a value; null is the value of an
// entry that holds nothing.
type expression interface {
	eval(r *Run, dot any) any
}

type (
	constant struct{ value any }
	dotValue struct{}
	fields   struct {
		of    expression
		names []string
	}
	variableValue string
	// failing is what only fails once it is executed.
	failing struct{ err error }
)

func (c constant) eval(*Run, any) any          { return c.value }
func (dotValue) eval(_ *Run, dot any) any      { return dot }
func (f failing) eval(*Run, any) any           { panic(f.err) }
func (v variableValue) eval(r *Run, _ any) any { return r.variable(string(v)) }

func (f *fields) eval(r *Run, dot any) any {
	value := f.of.eval(r, dot)
	for _, name := range f.names {
		value = r.field(value, name)
	}
	return value
}

func (r *Run) variable(name string) any {
	for i := len(r.vars) - 1; i >= r.base; i-- {
		if r.vars[i].name == name {
			return r.vars[i].value
		}
	}
	panic(unsure("no variable %s", name))
}

// pipeline is a chain of commands. Its value is never null.
type pipeline struct {
	first    expression
	then     []piped
	declared []string
	assigns  bool
}

// piped takes the value of the command before as its last argument.
type piped interface {
	pipe(r *Run, dot, final any) any
}

func (p *pipeline) eval(r *Run, dot any) any {
	value := orNil(p.first.eval(r, dot))
	for _, command := range p.then {
		value = orNil(command.pipe(r, dot, value))
	}
	for _, name := range p.declared {
		if p.assigns {
			r.assign(name, value)
		} else {
			r.vars = append(r.vars, variable{name, value})
		}
	}
	return value
}

// method is a field with arguments.
type method struct {
	of   expression
	name string
	args []expression
}

func (m *method) eval(r *Run, dot any) any {
	receiver := m.of.eval(r, dot)
	args := make([]any, 0, len(m.args)+1)
	for _, arg := range m.args {
		args = append(args, arg.eval(r, dot))
	}
	return r.methodOf(receiver, m.name, args)
}

func (m *method) pipe(r *Run, dot, final any) any {
	receiver := m.of.eval(r, dot)
	args := make([]any, 0, len(m.args)+1)
	for _, arg := range m.args {
		args = append(args, arg.eval(r, dot))
	}
	return r.methodOf(receiver, m.name, append(args, final))
}

func (r *Run) methodOf(receiver any, name string, args []any) any {
	if receiver == nil {
		return nil
	}
	return r.member(receiver, name, args)
}

// logic is "and" and "or", which stop at the first argument that decides.
type logic struct {
	args []expression
	or   bool
}

func (l *logic) eval(r *Run, dot any) (value any) {
	for _, arg := range l.args {
		if value = arg.eval(r, dot); truth(value) == l.or {
			return value
		}
	}
	return value
}

func (l *logic) pipe(r *Run, dot, final any) any {
	for _, arg := range l.args {
		if value := arg.eval(r, dot); truth(value) == l.or {
			return value
		}
	}
	return final
}
