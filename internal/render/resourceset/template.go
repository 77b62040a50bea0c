package resourceset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"text/template"
	"text/template/parse"

	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// maxText bounds a template, what it yields once, and every text that it
	// computes on the way, in bytes.
	maxText = 2 << 20
	// maxSteps bounds the turns of loops and the calls of templates.
	maxSteps = 250_000
	// maxDepth bounds how deep templates call each other.
	maxDepth = 200
)

// compiled is a template that has been checked and had its bounds built in.
type compiled struct {
	template *template.Template
	run      *run
}

// engine executes templates, one at a time. Its functions are made once.
type engine struct {
	run       *run
	functions template.FuncMap
}

func newEngine(ctx context.Context) *engine {
	r := &run{ctx: ctx}
	return &engine{r, r.functions()}
}

// compile reads a template.
func (e *engine) compile(text string) (*compiled, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the template is larger than %d bytes", maxText)
	}
	t, err := template.New("template").Delims("<<", ">>").Option("missingkey=error").Funcs(e.functions).Parse(text)
	if err != nil {
		return nil, err
	}
	for _, each := range t.Templates() {
		if each.Tree != nil && each.Root != nil {
			bind(each.Root)
			each.Root.Nodes = append(append([]parse.Node{marker("_enter")}, each.Root.Nodes...), marker("_leave"))
		}
	}
	return &compiled{t, e.run}, nil
}

// execute runs a template over one set of inputs, which it cannot change.
func (c *compiled) execute(inputs map[string]any) (string, error) {
	c.run.reset(inputs)
	var out strings.Builder
	if err := c.template.Execute(&writer{run: c.run, out: &out}, nil); err != nil {
		return "", cmp.Or(c.run.ctx.Err(), err)
	}
	return out.String(), nil
}

// run is one execution.
type run struct {
	ctx    context.Context
	inputs map[string]any
	random *rand.Rand
	steps  int
	depth  int
}

// reset begins another execution. Its random numbers are always the same:
// objects must not change by themselves.
func (r *run) reset(inputs map[string]any) {
	r.inputs, r.steps, r.depth, r.random = nil, 0, 0, rand.New(rand.NewPCG(1, 1))
	if inputs != nil {
		r.inputs = runtime.DeepCopyJSON(inputs)
	}
}

func (r *run) randInt(low, high int) (int, error) {
	if high <= low {
		return 0, errors.New("randInt needs a range that is not empty")
	}
	return low + r.random.IntN(high-low), nil
}

// step counts a turn of a loop.
func (r *run) step() (string, error) {
	if r.steps++; r.steps > maxSteps {
		return "", fmt.Errorf("the template takes more than %d steps", maxSteps)
	}
	return "", r.ctx.Err()
}

func (r *run) enter() (string, error) {
	if r.depth++; r.depth > maxDepth {
		return "", fmt.Errorf("templates call each other more than %d deep", maxDepth)
	}
	return r.step()
}

func (r *run) leave() string {
	r.depth--
	return ""
}

// writer bounds what a template yields.
type writer struct {
	run *run
	out *strings.Builder
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.run.ctx.Err(); err != nil {
		return 0, err
	}
	if w.out.Len()+len(p) > maxText {
		return 0, errTooLarge
	}
	return w.out.Write(p)
}

var errTooLarge = errors.New("the template makes more text or data than is allowed")

// bind builds the bounds into a template: each turn of a loop is counted, and
// each value measured before it is printed.
func bind(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, marker("_measured").Pipe.Cmds[0])
			}
		case *parse.IfNode:
			bindBranch(&n.BranchNode)
		case *parse.WithNode:
			bindBranch(&n.BranchNode)
		case *parse.RangeNode:
			bindBranch(&n.BranchNode)
			n.List.Nodes = append([]parse.Node{marker("_step")}, n.List.Nodes...)
		}
	}
}

func bindBranch(n *parse.BranchNode) {
	bind(n.List)
	bind(n.ElseList)
}

// marker returns an action that calls one of the functions that bound a run.
func marker(name string) *parse.ActionNode {
	trees, err := parse.Parse("bounds", "<<"+name+">>", "<<", ">>", map[string]any{name: marker})
	if err != nil {
		panic(err) // the text is ours
	}
	return trees["bounds"].Root.Nodes[0].(*parse.ActionNode)
}
