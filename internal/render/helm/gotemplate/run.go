package gotemplate

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Bounds of one rendering.
const (
	maxText     = 64 << 20
	maxElements = 1 << 20
	// maxDepth is how deep templates may call each other.
	maxDepth = 2000
	// maxIncludes is Helm's own bound of one template's calls of itself.
	maxIncludes = 1000
	// stepsBetween is how many steps are taken between looks at the time.
	stepsBetween = 1 << 12
)

var (
	// ErrUnsure says that Helm's engine has to render this.
	ErrUnsure = errors.New("not certain to render as Helm does")
	// ErrRefused says that nobody should render this.
	ErrRefused = errors.New("the template exceeds its bounds")
)

func unsure(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsure, fmt.Sprintf(format, args...))
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Lookup answers the template function of that name.
type Lookup = func(apiVersion, kind, namespace, name string) (map[string]any, error)

// Run is one rendering of a set: it is not for concurrent use.
type Run struct {
	// Varies is set once a template has called what may answer differently
	// the next time.
	Varies bool

	ctx      context.Context
	set      *Set
	lookup   Lookup
	scopes   []map[string]*body // definitions of the texts being executed
	included map[string]int
	vars     []variable
	base     int // where the running template's variables begin
	depth    int
	steps    int
	budget   Budget
	free     []*output
	args     []any
}

type variable struct {
	name  string
	value any
}

// output is what a template has written.
type output struct{ text []byte }

// Start begins a rendering. Without a lookup nothing is found.
func (s *Set) Start(ctx context.Context, lookup Lookup) *Run {
	return &Run{ctx: ctx, set: s, lookup: lookup, included: map[string]int{}, Varies: lookup != nil}
}

// Execute renders one template. The error wraps ErrUnsure, ErrRefused, or the
// context's.
func (r *Run) Execute(name string, data any) (text string, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
			if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnsure) && (r.ctx.Err() == nil || !errors.Is(err, r.ctx.Err())) {
				err = unsure("%v", err)
			}
		default:
			err = unsure("%v", p)
		}
	}()
	b := r.find(name)
	if b == nil {
		return "", unsure("no template %q", name)
	}
	return withoutNoValue(r.render(b, data)), nil
}

// withoutNoValue drops what the language prints for what is missing, as Helm
// does.
func withoutNoValue(text string) string { return strings.ReplaceAll(text, "<no value>", "") }

func (r *Run) find(name string) *body {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if b := r.scopes[i][name]; b != nil && !(b.empty && (i > 0 || r.set.templates[name] != nil)) {
			return b
		}
	}
	return r.set.templates[name]
}

// render executes a template on data of its own, and returns what it writes.
func (r *Run) render(b *body, data any) string {
	var out *output
	if n := len(r.free); n > 0 {
		out, r.free = r.free[n-1], r.free[:n-1]
	} else {
		out = &output{text: make([]byte, 0, 1024)}
	}
	r.call(b, data, out)
	text := string(out.text)
	if cap(out.text) < 1<<20 {
		out.text = out.text[:0]
		r.free = append(r.free, out)
	}
	return text
}

func (r *Run) call(b *body, data any, out *output) {
	r.depth++
	if err := CheckDepth(r.depth); err != nil {
		panic(err)
	}
	base, length := r.base, len(r.vars)
	r.base = length
	r.vars = append(r.vars, variable{"$", data})
	r.nodes(b.nodes, data, out)
	clear(r.vars[length:])
	r.base, r.vars = base, r.vars[:length]
	r.depth--
}

// step counts one step, and ends the rendering when its time is up.
func (r *Run) step() {
	if r.steps++; r.steps%stepsBetween == 0 {
		if err := r.ctx.Err(); err != nil {
			panic(err)
		}
	}
}

// take counts text that was made, and ends the rendering when it is too much.
func (r *Run) take(bytes int) {
	if err := r.budget.Take(bytes); err != nil {
		panic(err)
	}
}

func (o *output) write(text string) {
	if len(o.text)+len(text) > maxText {
		panic(refused("it writes more than %d MiB", maxText>>20))
	}
	o.text = append(o.text, text...)
}

func (r *Run) include(name string, data any) string {
	if r.included[name] > maxIncludes {
		panic(refused("the template %q includes itself without end", name))
	}
	b := r.find(name)
	if b == nil {
		panic(unsure("no template %q", name))
	}
	r.included[name]++
	text := r.render(b, data)
	r.included[name]--
	return text
}

// tpl executes a text that is a template. Definitions in it hold while it runs.
func (r *Run) tpl(text string, data any) string {
	if !strings.Contains(text, "{{") {
		return withoutNoValue(text)
	}
	parsed, err := r.set.text(text)
	if err != nil {
		panic(err)
	}
	if len(parsed) > 1 {
		r.scopes = append(r.scopes, parsed)
		defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	}
	return withoutNoValue(r.render(parsed[nameOfTheSet], data))
}
