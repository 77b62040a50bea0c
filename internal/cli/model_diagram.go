package cli

import (
	"fmt"
	"io"
	"strings"

	"hearth/internal/domain"
)

// modelMermaid prints one state diagram. Several machines become composite
// states of it, with state names that do not meet.
func modelMermaid(w io.Writer, machines []*domain.Machine) {
	fmt.Fprintln(w, "stateDiagram-v2")
	if len(machines) == 1 {
		mermaidEdges(w, machines[0], "    ", func(s domain.State) string { return string(s) })
		return
	}
	for _, m := range machines {
		id := func(s domain.State) string {
			if s == domain.Absent {
				return string(s)
			}
			return m.Kind + "_" + string(s)
		}
		fmt.Fprintf(w, "    state %s {\n", m.Kind)
		for _, s := range m.States {
			fmt.Fprintf(w, "        state %q as %s\n", s.State, id(s.State))
		}
		mermaidEdges(w, m, "        ", id)
		fmt.Fprintln(w, "    }")
	}
}

func mermaidEdges(w io.Writer, m *domain.Machine, indent string, id func(domain.State) string) {
	for _, t := range m.Transitions {
		// A colon or semicolon would end a label.
		label := strings.NewReplacer(":", ",", ";", ",").Replace(edgeLabel(t))
		fmt.Fprintf(w, "%s%s --> %s: %s\n", indent, id(t.From), id(t.To), label)
	}
}

func edgeLabel(t domain.Transition) string {
	label := t.Trigger
	if d := t.Duration.String(); d != "" {
		label += " (" + d + ")"
	}
	if t.Extra {
		label += " (added by Hearth)"
	}
	return label
}

// modelDOT prints a graph in the language of Graphviz, one cluster a machine.
func modelDOT(w io.Writer, machines []*domain.Machine) {
	fmt.Fprintln(w, "digraph model {\n  rankdir=LR;\n  node [shape=box, style=rounded];")
	for _, m := range machines {
		fmt.Fprintf(w, "  subgraph cluster_%s {\n    label=%q;\n", m.Name, m.Kind)
		fmt.Fprintf(w, "    %q [shape=point];\n    %q [shape=doublecircle, label=\"\", width=0.15];\n", m.Name+"/start", m.Name+"/end")
		for _, s := range m.States {
			fmt.Fprintf(w, "    %q [label=%q, tooltip=%q];\n", dotNode(m, s.State), s.State, s.Meaning)
		}
		for _, t := range m.Transitions {
			from, to := dotNode(m, t.From), dotNode(m, t.To)
			if t.From == domain.Absent {
				from = m.Name + "/start"
			}
			if t.To == domain.Absent {
				to = m.Name + "/end"
			}
			fmt.Fprintf(w, "    %q -> %q [label=%q];\n", from, to, edgeLabel(t))
		}
		fmt.Fprintln(w, "  }")
	}
	fmt.Fprintln(w, "}")
}

func dotNode(m *domain.Machine, s domain.State) string { return m.Name + "/" + string(s) }
