package draw

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hearth/internal/graph"
)

// Text writes a network as a tree: the Kustomizations in an order in which Flux
// can apply them, below each what it applies and what its releases render, and
// below that what each needs. What surely is missing is marked, and so is what
// nobody knows.
func Text(w io.Writer, g *graph.Graph, n *graph.Network) error {
	t := tree{network: n, children: map[*graph.Node][]*graph.Node{}}
	heading := summary(n)
	if c := g.State.Cluster; c != nil {
		heading = "cluster " + c.Name + ": " + heading
	}
	t.b.WriteString(heading + "\n")
	placed := map[*graph.Node]bool{}
	for _, node := range n.Nodes {
		if up := t.above(node); up != nil {
			t.children[up] = append(t.children[up], node)
			placed[node] = true
		}
	}
	for _, k := range g.Sequence() {
		if node := n.Node("Kustomization/" + k.Namespace + "/" + k.Name); node != nil && !placed[node] {
			t.b.WriteString("\n")
			t.root(node)
			placed[node] = true
		}
	}
	first := true
	for _, node := range n.Nodes {
		if placed[node] || node.Object == nil && len(n.NeededBy(node)) > 0 {
			continue
		}
		if first {
			t.b.WriteString("\n")
		}
		first = false
		t.root(node)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// tree writes nodes below each other.
type tree struct {
	network  *graph.Network
	children map[*graph.Node][]*graph.Node
	b        strings.Builder
}

// above returns the node below which another one is shown: the release that
// renders it, or the Kustomization that applies it. Kustomizations stand alone.
func (t *tree) above(n *graph.Node) *graph.Node {
	if n.Class == graph.ClassKustomization || n.Object == nil {
		return nil
	}
	for _, e := range t.network.Needs(n) {
		if e.Kind == graph.EdgeApplies || e.Kind == graph.EdgeRenders && e.To.Class == graph.ClassRelease {
			return e.To
		}
	}
	return nil
}

func (t *tree) root(n *graph.Node) {
	t.b.WriteString(t.line(n) + "\n")
	t.below(n, "")
}

// below writes what a node needs, and then what it applies or renders.
func (t *tree) below(n *graph.Node, indent string) {
	var lines []func(indent string)
	for _, line := range t.needs(n) {
		lines = append(lines, func(string) { t.b.WriteString(line + "\n") })
	}
	for _, child := range t.children[n] {
		lines = append(lines, func(indent string) {
			t.b.WriteString(t.line(child) + "\n")
			t.below(child, indent)
		})
	}
	for i, line := range lines {
		branch, next := "├─ ", "│  "
		if i == len(lines)-1 {
			branch, next = "└─ ", "   "
		}
		t.b.WriteString(indent + branch)
		line(indent + next)
	}
}

// line shows a node, and where it stands.
func (t *tree) line(n *graph.Node) string {
	text := plain(n.Ref.String())
	if place := n.Place(); place.Known() && n.Class == graph.ClassKustomization {
		text += "  (" + plain(place.String()) + ")"
	}
	return text + mark(n)
}

// needs tells what a node needs, one line each; what it waits for in one.
func (t *tree) needs(n *graph.Node) []string {
	var waits, lines []string
	for _, e := range t.network.Needs(n) {
		switch e.Kind {
		case graph.EdgeApplies, graph.EdgeHealth:
			continue
		case graph.EdgeRenders:
			if t.above(n) == e.To {
				continue
			}
		case graph.EdgeDependsOn:
			waits = append(waits, shortRef(e.To)+mark(e.To))
			continue
		}
		line := e.Why + " " + plain(short(e.To.Ref.String())) + mark(e.To)
		if maker := t.maker(e.To); maker != nil {
			line += ", from " + plain(maker.Ref.String())
		}
		if !e.Hard {
			line += " (optional)"
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(waits) > 0 {
		lines = append([]string{"waits for " + strings.Join(waits, ", ")}, lines...)
	}
	return lines
}

// maker returns what makes a node that stands nowhere.
func (t *tree) maker(n *graph.Node) *graph.Node {
	if n.Object != nil {
		return nil
	}
	for _, e := range t.network.Needs(n) {
		return e.To
	}
	return nil
}

func shortRef(n *graph.Node) string {
	if n.Ref.Namespace == "" {
		return plain(n.Ref.Name)
	}
	return plain(n.Ref.Namespace + "/" + n.Ref.Name)
}

func mark(n *graph.Node) string {
	switch {
	case n.Missing:
		return "  MISSING: nothing makes it"
	case n.Doubt != "":
		return "  (unknown: " + plain(n.Doubt) + ")"
	}
	return ""
}

// plain keeps control characters out of a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// ImpactText writes what the failure of an object does, and why.
func ImpactText(w io.Writer, failed *graph.Node, hits []graph.Hit) error {
	var b strings.Builder
	name := plain(failed.Ref.String())
	if len(hits) == 0 {
		fmt.Fprintf(&b, "If %s failed, nothing else would.\n", name)
	} else {
		fmt.Fprintf(&b, "If %s failed:\n", name)
	}
	for _, group := range []struct {
		effect graph.Effect
		says   string
	}{
		{graph.Stopped, "would stop working"},
		{graph.Blocked, "would not be applied or changed any more"},
		{graph.Degraded, "would do without"},
	} {
		var lines []string
		for _, h := range hits {
			if h.Effect == group.effect {
				lines = append(lines, fmt.Sprintf("  %s: %s", plain(h.Node.Ref.String()), plain(h.Sentence())))
			}
		}
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n%d %s:\n%s\n", len(lines), group.says, strings.Join(lines, "\n"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
