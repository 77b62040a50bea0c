package gotemplate

import (
	"reflect"
	"strings"
	"text/template/parse"
)

// compiler turns what the language's own parser made into what is executed.
type compiler struct {
	set *Set
	err error
}

func (c *compiler) list(list *parse.ListNode) []node {
	if list == nil {
		return nil
	}
	nodes := make([]node, 0, len(list.Nodes))
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			nodes = append(nodes, textNode(n.Text))
		case *parse.ActionNode:
			nodes = append(nodes, &actionNode{c.pipeline(n.Pipe)})
		case *parse.IfNode:
			nodes = append(nodes, &branchNode{pipe: c.pipeline(n.Pipe), then: c.list(n.List), other: c.list(n.ElseList)})
		case *parse.WithNode:
			nodes = append(nodes, &branchNode{pipe: c.pipeline(n.Pipe), then: c.list(n.List), other: c.list(n.ElseList), with: true})
		case *parse.RangeNode:
			nodes = append(nodes, &rangeNode{pipe: c.pipeline(n.Pipe), each: c.list(n.List), other: c.list(n.ElseList)})
		case *parse.TemplateNode:
			call := &callNode{name: n.Name}
			if n.Pipe != nil {
				call.pipe = c.pipeline(n.Pipe)
			}
			nodes = append(nodes, call)
		case *parse.BreakNode:
			nodes = append(nodes, signalNode(breaks))
		case *parse.ContinueNode:
			nodes = append(nodes, signalNode(continues))
		case *parse.CommentNode:
		default:
			c.err = unsure("%s", n)
		}
	}
	return nodes
}

func (c *compiler) pipeline(p *parse.PipeNode) *pipeline {
	compiled := &pipeline{assigns: p.IsAssign}
	for _, v := range p.Decl {
		compiled.declared = append(compiled.declared, v.Ident[0])
	}
	for i, cmd := range p.Cmds {
		e := c.command(cmd, i > 0)
		if i == 0 {
			compiled.first = e
			continue
		}
		then, ok := e.(piped)
		if !ok {
			then = failing{unsure("%s takes no argument", cmd)}
		}
		compiled.then = append(compiled.then, then)
	}
	if compiled.first == nil {
		compiled.first = failing{unsure("an empty pipeline")}
	}
	return compiled
}

func (f failing) pipe(*Run, any, any) any { panic(f.err) }

// command compiles a function or a method with its arguments, or a value; final
// says that another argument will be piped in.
func (c *compiler) command(cmd *parse.CommandNode, final bool) expression {
	head, args := cmd.Args[0], cmd.Args[1:]
	if name, ok := head.(*parse.IdentifierNode); ok {
		return c.call(name.Ident, args, final)
	}
	if len(args) == 0 && !final {
		if head.Type() == parse.NodeNil {
			return failing{unsure("nil as a command")}
		}
		return c.value(head)
	}
	of, names := c.chain(head)
	if len(names) == 0 {
		return failing{unsure("arguments of %s", head)}
	}
	m := &method{of: of, name: names[len(names)-1]}
	if len(names) > 1 {
		m.of = &fields{of, names[:len(names)-1]}
	}
	for _, arg := range args {
		m.args = append(m.args, c.value(arg))
	}
	return m
}

// chain splits an operand into a value and the fields of it.
func (c *compiler) chain(n parse.Node) (expression, []string) {
	switch n := n.(type) {
	case *parse.FieldNode:
		return dotValue{}, n.Ident
	case *parse.VariableNode:
		return variableValue(n.Ident[0]), n.Ident[1:]
	case *parse.ChainNode:
		return c.value(n.Node), n.Field
	}
	return nil, nil
}

// value compiles an operand.
func (c *compiler) value(n parse.Node) expression {
	switch n := n.(type) {
	case *parse.DotNode:
		return dotValue{}
	case *parse.BoolNode:
		return constant{n.True}
	case *parse.StringNode:
		return constant{n.Text}
	case *parse.NumberNode:
		return number(n)
	case *parse.NilNode:
		return constant{nil}
	case *parse.PipeNode:
		return c.pipeline(n)
	case *parse.IdentifierNode:
		return c.call(n.Ident, nil, false)
	}
	of, names := c.chain(n)
	switch {
	case of == nil:
		return failing{unsure("%s", n)}
	case len(names) == 0:
		return of
	}
	return &fields{of, names}
}

// number is a constant whose type nothing but its spelling tells.
func number(n *parse.NumberNode) expression {
	hexadecimal := len(n.Text) > 2 && n.Text[0] == '0' && (n.Text[1] == 'x' || n.Text[1] == 'X') && !strings.ContainsAny(n.Text, "pP")
	switch {
	case n.IsComplex:
		return constant{n.Complex128}
	case n.IsFloat && !hexadecimal && n.Text[0] != '\'' && strings.ContainsAny(n.Text, ".eEpP"):
		return constant{n.Float64}
	case n.IsInt && int64(int(n.Int64)) == n.Int64:
		return constant{int(n.Int64)}
	}
	return failing{unsure("the number %s", n.Text)}
}

// typed compiles an argument for a parameter: constants take its type.
func (c *compiler) typed(n parse.Node, parameter reflect.Type) expression {
	number, ok := n.(*parse.NumberNode)
	if !ok {
		return c.value(n)
	}
	v := reflect.New(parameter).Elem()
	switch {
	case v.CanInt() && number.IsInt:
		v.SetInt(number.Int64)
	case v.CanUint() && number.IsUint:
		v.SetUint(number.Uint64)
	case v.CanFloat() && number.IsFloat:
		v.SetFloat(number.Float64)
	default:
		return c.value(n)
	}
	return constant{v.Interface()}
}

func (c *compiler) call(name string, args []parse.Node, final bool) expression {
	f := c.set.functions[name]
	switch {
	case f == nil:
		return failing{unsure("no function %s", name)}
	case f.logic:
		l := &logic{or: name == "or"}
		for _, arg := range args {
			l.args = append(l.args, c.value(arg))
		}
		if len(args) == 0 {
			return failing{unsure("%s without arguments", name)}
		}
		return l
	}
	given := len(args)
	if final {
		given++
	}
	if given < f.least() || given > f.most() {
		return failing{unsure("%d arguments of %s", given, name)}
	}
	e := &call{f: f}
	for i, arg := range args {
		e.args = append(e.args, c.typed(arg, f.parameter(i)))
	}
	return e
}
