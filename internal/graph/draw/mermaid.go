package draw

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hearth/internal/graph"
)

// Mermaid writes a flowchart in which arrows lead from what needs something to
// what it needs; dotted ones are optional. Namespaces are boxes.
func Mermaid(w io.Writer, n *graph.Network) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[*graph.Node]string{}
	for i, node := range n.Nodes {
		ids[node] = fmt.Sprintf("n%d", i)
	}
	for i, namespace := range namespacesOf(n) {
		indent := "    "
		if namespace != "" {
			fmt.Fprintf(&b, "    subgraph s%d[\"%s\"]\n", i, mermaidText(namespace))
			indent += "    "
		}
		for _, node := range n.Nodes {
			if node.Ref.Namespace != namespace {
				continue
			}
			kind, name := label(node)
			fmt.Fprintf(&b, "%s%s[\"%s<br/>%s\"]:::%s\n", indent, ids[node], mermaidText(kind), mermaidText(name), mermaidClass(node))
		}
		if namespace != "" {
			b.WriteString("    end\n")
		}
	}
	for _, e := range n.Edges {
		arrow := "-->"
		if !e.Hard {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "    %s %s|\"%s\"| %s\n", ids[e.From], arrow, e.Kind, ids[e.To])
	}
	for _, c := range usedClasses(n) {
		fmt.Fprintf(&b, "    classDef %s fill:%s,stroke:%s,color:#1f2328\n", c, colourOf(c).fill, colourOf(c).stroke)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidText replaces what has a meaning in a quoted label by its code.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case strings.ContainsRune("\"#<>&`;{}[]()|\\", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func mermaidClass(n *graph.Node) string {
	if n.Missing {
		return missing
	}
	return string(n.Class)
}

// namespacesOf lists the namespaces of a network, "" first.
func namespacesOf(n *graph.Network) []string {
	var list []string
	for _, node := range n.Nodes {
		list = append(list, node.Ref.Namespace)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// usedClasses lists the classes that nodes are painted in, ordered.
func usedClasses(n *graph.Network) []string {
	var list []string
	for _, node := range n.Nodes {
		list = append(list, mermaidClass(node))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
