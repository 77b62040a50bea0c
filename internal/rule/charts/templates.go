package charts

import (
	"slices"
	"strings"
	"text/template/parse"
)

// template notes what one template reads of the values. Whatever cannot be
// followed opens everything. A file is executed at the chart's root; a text may
// be read in any place.
func (c *chartReads) template(text string, file bool) {
	if c.open || !strings.Contains(text, "{{") {
		return
	}
	tree := parse.New("chart")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	parsed, err := tree.Parse(text, "", "", trees)
	if err != nil {
		// A file that does not parse renders nothing; a text may be for somebody
		// else, or be filled in before.
		c.open = c.open || file || strings.Contains(text, "Values")
		return
	}
	f := follower{reads: c}
	f.node(parsed.Root, file)
	for _, t := range trees {
		if t != parsed {
			f.node(t.Root, true)
		}
	}
}

// follower walks through templates. Values are only ever reached through a
// field named Values, so that it need not know what a dot stands for.
type follower struct{ reads *chartReads }

// node walks through a part of a template. The root says that its dot may be
// that of a chart.
func (f follower) node(n parse.Node, root bool) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, item := range n.Nodes {
				f.node(item, root)
			}
		}
	case *parse.ActionNode:
		f.pipe(n.Pipe, root, false)
	case *parse.IfNode:
		f.pipe(n.Pipe, root, len(n.Pipe.Decl) == 0)
		f.node(n.List, root)
		f.node(n.ElseList, root)
	case *parse.RangeNode:
		f.branch(&n.BranchNode, root)
		if isRoot(n.Pipe) {
			f.reads.open = true
		}
	case *parse.WithNode:
		f.branch(&n.BranchNode, root)
	case *parse.TemplateNode:
		f.pipe(n.Pipe, false, false)
	}
}

func (f follower) branch(n *parse.BranchNode, root bool) {
	f.pipe(n.Pipe, root, false)
	f.node(n.List, false)
	f.node(n.ElseList, root)
}

// isRoot reports whether a pipeline is nothing but a chart's root.
func isRoot(p *parse.PipeNode) bool {
	return len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 && isRootNode(p.Cmds[0].Args[0])
}

func isRootNode(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.DotNode:
		return true
	case *parse.VariableNode:
		return len(n.Ident) == 1 && n.Ident[0] == "$"
	}
	return false
}

// judging are the functions that only tell whether a value is there, or equal
// to another.
var judging = []string{"and", "or", "not", "empty", "eq", "ne", "kindIs", "typeIs"}

// whole are the functions that may read all of what they are given.
var whole = []string{
	"toYaml", "toYamlPretty", "mustToYaml", "toJson", "mustToJson", "toPrettyJson", "mustToPrettyJson", "toRawJson", "mustToRawJson", "toToml", "mustToToml",
	"values", "keys", "pick", "omit", "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite", "deepCopy", "mustDeepCopy", "pluck", "unset", "dig", "index", "get",
}

// pipe walks through a pipeline. A judged one only tells whether values are
// there.
func (f follower) pipe(p *parse.PipeNode, root, judged bool) {
	if p == nil {
		return
	}
	for i, command := range p.Cmds {
		name := ""
		if id, ok := command.Args[0].(*parse.IdentifierNode); ok {
			name = id.Ident
		}
		inner := judged && len(p.Cmds) == 1 && (name == "" || slices.Contains(judging, name))
		for _, arg := range command.Args {
			if slices.Contains(whole, name) && isRootNode(arg) && (root || arg.Type() == parse.NodeVariable) {
				f.reads.open = true
			}
			f.argument(arg, root, inner)
		}
		// What is piped on is an argument of the next.
		if i+1 < len(p.Cmds) && len(command.Args) == 1 && isRootNode(command.Args[0]) {
			f.reads.open = f.reads.open || root || command.Args[0].Type() == parse.NodeVariable
		}
	}
}

func (f follower) argument(n parse.Node, root, judged bool) {
	switch n := n.(type) {
	case *parse.FieldNode:
		f.chain(n.Ident, judged)
	case *parse.VariableNode:
		f.chain(n.Ident[1:], judged)
	case *parse.ChainNode:
		f.argument(n.Node, root, false)
		f.chain(n.Field, judged)
	case *parse.PipeNode:
		f.pipe(n, root, judged)
	case *parse.StringNode:
		// Somebody asks for the values by their name, or has a template in a text.
		f.reads.open = f.reads.open || n.Text == "Values"
		f.reads.text(n.Text)
	}
}

// chain notes what a chain of fields reads: all that follows Values.
func (f follower) chain(fields []string, judged bool) {
	i := slices.Index(fields, "Values")
	if i < 0 {
		return
	}
	if i == len(fields)-1 {
		f.reads.open = true // the values as a whole
		return
	}
	f.reads.top.follow(fields[i+1:], !judged)
}
