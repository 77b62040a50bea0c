package template

import (
	"cmp"
	"slices"
	"text/template/parse"
)

// Field is a field that a template needs.
type Field struct {
	Name string
	// Through lists the functions that its value passes, in their order: a
	// value that goes through b64dec had better be base64.
	Through []string
	// Keys lists the keys that the template takes from the value after it
	// parsed it as JSON or YAML.
	Keys []string
}

// Fields returns the fields that a template uses, by name. It finds them in
// the parsed template, also in branches that an execution may not take; a
// field that is only asked for by hasKey is not needed.
func Fields(src Source) ([]Field, error) {
	t := parse.New(name)
	t.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := t.Parse(src.Text, "", "", trees); err != nil {
		return nil, parseError(src, err)
	}
	s := &scan{trees: trees, found: map[string]*Field{}}
	if tree := trees[name]; tree != nil {
		s.tree(tree, value{root: true}, 0)
	}
	fields := make([]Field, 0, len(s.found))
	for _, f := range s.found {
		slices.Sort(f.Keys)
		f.Keys = slices.Compact(f.Keys)
		fields = append(fields, *f)
	}
	slices.SortFunc(fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	return fields, nil
}

// value is what a walk knows of an expression's value: it is the root mapping
// of all fields, or comes from one field, or is of no interest.
type value struct {
	root   bool
	field  *Field
	parsed bool // the field's value, parsed
}

// scan walks the trees of a template.
type scan struct {
	trees map[string]*parse.Tree
	found map[string]*Field
}

// scope is what dot and the variables mean at one place.
type scope struct {
	dot   value
	vars  map[string]value
	depth int
}

// maxDepth bounds how deep templates may call each other.
const maxDepth = 16

func (s *scan) tree(tree *parse.Tree, dot value, depth int) {
	if tree.Root == nil || depth > maxDepth {
		return
	}
	s.list(tree.Root, &scope{dot: dot, vars: map[string]value{"$": dot}, depth: depth})
}

func (s *scan) list(list *parse.ListNode, in *scope) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		s.node(node, in)
	}
}

func (s *scan) node(node parse.Node, in *scope) {
	switch n := node.(type) {
	case *parse.ActionNode:
		s.pipe(n.Pipe, in)
	case *parse.IfNode:
		s.pipe(n.Pipe, in)
		s.list(n.List, in)
		s.list(n.ElseList, in)
	case *parse.WithNode:
		dot := s.pipe(n.Pipe, in)
		s.list(n.List, &scope{dot: dot, vars: in.vars, depth: in.depth})
		s.list(n.ElseList, in)
	case *parse.RangeNode:
		s.pipe(n.Pipe, in)
		s.list(n.List, &scope{vars: in.vars, depth: in.depth})
		s.list(n.ElseList, in)
	case *parse.TemplateNode:
		dot := s.pipe(n.Pipe, in)
		if tree := s.trees[n.Name]; tree != nil {
			s.tree(tree, dot, in.depth+1)
		}
	}
}

// pipe walks a pipeline and returns what is known of its value.
func (s *scan) pipe(pipe *parse.PipeNode, in *scope) value {
	if pipe == nil {
		return value{}
	}
	var last value
	for i, cmd := range pipe.Cmds {
		last = s.command(cmd, in, last, i > 0)
	}
	for _, decl := range pipe.Decl {
		v := value{}
		if len(pipe.Decl) == 1 {
			v = last
		}
		in.vars[decl.Ident[0]] = v
	}
	return last
}

// command walks one command; piped says that last is its final argument.
func (s *scan) command(cmd *parse.CommandNode, in *scope, last value, piped bool) value {
	function, isCall := cmd.Args[0].(*parse.IdentifierNode)
	if !isCall {
		var v value
		for i, arg := range cmd.Args {
			if w := s.operand(arg, in); i == 0 {
				v = w
			}
		}
		return v
	}
	args := make([]value, 0, len(cmd.Args))
	for _, arg := range cmd.Args[1:] {
		args = append(args, s.operand(arg, in))
	}
	if piped {
		args = append(args, last)
	}
	if len(args) == 0 {
		return value{}
	}
	switch function.Ident {
	case "index", "get":
		return s.access(args[0], literals(cmd.Args[2:])...)
	case "hasKey":
		return value{}
	}
	for _, arg := range args[:len(args)-1] {
		arg.passes(function.Ident)
	}
	return args[len(args)-1].passes(function.Ident)
}

// operand walks an argument.
func (s *scan) operand(node parse.Node, in *scope) value {
	switch n := node.(type) {
	case *parse.DotNode:
		return in.dot
	case *parse.FieldNode:
		return s.access(in.dot, n.Ident...)
	case *parse.VariableNode:
		return s.access(in.vars[n.Ident[0]], n.Ident[1:]...)
	case *parse.ChainNode:
		return s.access(s.operand(n.Node, in), n.Field...)
	case *parse.PipeNode:
		return s.pipe(n, in)
	}
	return value{}
}

// access takes names out of a value, one after the other.
func (s *scan) access(v value, names ...string) value {
	for _, name := range names {
		switch {
		case v.root:
			f := s.found[name]
			if f == nil {
				f = &Field{Name: name}
				s.found[name] = f
			}
			v = value{field: f}
		case v.field != nil && v.parsed:
			v.field.Keys = append(v.field.Keys, name)
			return value{}
		default:
			return value{}
		}
	}
	return v
}

// passes notes that a field's value goes through a function, and returns what
// is known of the result.
func (v value) passes(function string) value {
	if v.field == nil {
		return value{}
	}
	if !v.parsed && !slices.Contains(v.field.Through, function) {
		v.field.Through = append(v.field.Through, function)
	}
	switch function {
	case "fromJson", "mustFromJson", "fromYaml", "mustFromYaml":
		return value{field: v.field, parsed: true}
	}
	return v
}

// literals returns the text constants at the start of a list of arguments.
func literals(args []parse.Node) []string {
	var out []string
	for _, arg := range args {
		text, ok := arg.(*parse.StringNode)
		if !ok {
			break
		}
		out = append(out, text.Text)
	}
	return out
}
