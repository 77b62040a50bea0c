package draw

import (
	"fmt"
	"io"
	"strings"

	"hearth/internal/graph"
)

// DOT writes a graph in the language of Graphviz, in which arrows lead from
// what needs something to what it needs; dashed ones are optional. Namespaces
// are boxes.
func DOT(w io.Writer, n *graph.Network) error {
	var b strings.Builder
	b.WriteString("digraph homelab {\n  rankdir=LR;\n  newrank=true;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n  edge [fontname=\"sans-serif\", fontsize=9];\n")
	for i, namespace := range namespacesOf(n) {
		indent := "  "
		if namespace != "" {
			fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n    color=\"#d0d7de\";\n", i, dotText(namespace))
			indent += "  "
		}
		for _, node := range n.Nodes {
			if node.Ref.Namespace != namespace {
				continue
			}
			kind, name := label(node)
			c := colourOf(mermaidClass(node))
			fmt.Fprintf(&b, "%s%s [label=%s, tooltip=%s, fillcolor=%q, color=%q];\n",
				indent, dotText(node.ID), dotText(kind+"\n"+name), dotText(tooltip(node)), c.fill, c.stroke)
		}
		if namespace != "" {
			b.WriteString("  }\n")
		}
	}
	for _, e := range n.Edges {
		style := ""
		if !e.Hard {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s -> %s [label=%s, tooltip=%s%s];\n", dotText(e.From.ID), dotText(e.To.ID), dotText(string(e.Kind)), dotText(e.Why), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText quotes a text for Graphviz, where a backslash begins an escape and
// \n is a new line.
func dotText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
