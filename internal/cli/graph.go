package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/graph"
	"hearth/internal/graph/draw"
)

// graphForms are the forms in which a graph is printed.
var graphForms = []string{"text", "mermaid", "dot", "json", "svg"}

// focusDepth is how many steps around an object are shown.
const focusDepth = 2

// graphFlags are those of graph.
type graphFlags struct {
	cluster string
	focus   string
	impact  string
	output  string
}

func newGraphCommand(p Process) *cobra.Command {
	var f graphFlags
	cmd := &cobra.Command{
		Use:   "graph [PATH]",
		Short: "Show what depends on what, and what would stop working if something failed",
		Long: `Show what depends on what in a cluster of a homelab: Kustomizations, releases,
sources, charts, images, ExternalSecrets, Secrets, databases, routes, gateways
and storage, computed from the tree alone. Without PATH it is the current
folder, or the example homelab where that holds none.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), p, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "the cluster, where the repository holds several")
	flags.StringVar(&f.focus, "focus", "", "show only what is near NAMESPACE/NAME, or KIND/NAMESPACE/NAME")
	flags.StringVar(&f.impact, "impact", "", "show what the failure of KIND/NAMESPACE/NAME would reach")
	flags.StringVarP(&f.output, "output", "o", graphForms[0], "the form: "+strings.Join(graphForms, ", "))
	cmd.MarkFlagsMutuallyExclusive("focus", "impact")
	return cmd
}

func (f graphFlags) run(ctx context.Context, p Process, args []string) error {
	if !slices.Contains(graphForms, f.output) {
		return fmt.Errorf("-o %q is none of %s", f.output, strings.Join(graphForms, ", "))
	}
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	g, done, err := onHomelab(p, path, "showing", func(path string) (*graph.Graph, error) { return f.open(ctx, path) })
	defer done()
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := f.draw(&text, g); err != nil {
		return err
	}
	if _, err := io.WriteString(p.Stdout, text.String()); err != nil {
		return failure{exitFailed, fmt.Errorf("write the graph: %w", err)}
	}
	return nil
}

// open computes the graph of a cluster from the tree and the charts at hand.
func (f graphFlags) open(ctx context.Context, path string) (*graph.Graph, error) {
	state, err := desiredState(ctx, path, f.cluster)
	if err != nil {
		return nil, err
	}
	return graph.Build(state), nil
}

// draw writes what was asked for.
func (f graphFlags) draw(w io.Writer, g *graph.Graph) error {
	cluster := g.State.Cluster.Name
	if f.impact != "" {
		return f.drawImpact(w, g, cluster)
	}
	n := g.Network().Overview()
	title := "cluster " + cluster
	if f.focus != "" {
		found, err := g.FindNamed(f.focus)
		if err != nil {
			return err
		}
		n = n.Part(graph.Majors(found), focusDepth)
		title = f.focus + " in " + title
	}
	switch f.output {
	case "json":
		return draw.JSON(w, cluster, n)
	case "text":
		return draw.Text(w, g, n)
	}
	return picture(w, f.output, title, n)
}

func (f graphFlags) drawImpact(w io.Writer, g *graph.Graph, cluster string) error {
	target, err := graph.ParseTarget(f.impact)
	if err != nil {
		return err
	}
	failed, err := g.Find(target)
	if err != nil {
		return err
	}
	hits := g.Network().Impact(failed)
	switch f.output {
	case "json":
		return draw.ImpactJSON(w, cluster, failed, hits)
	case "text":
		return draw.ImpactText(w, failed, hits)
	}
	return picture(w, f.output, "what needs "+failed.Ref.String(), g.Network().Along(failed, hits))
}

// picture writes a network as a diagram.
func picture(w io.Writer, form, title string, n *graph.Network) error {
	switch form {
	case "mermaid":
		return draw.Mermaid(w, n)
	case "dot":
		return draw.DOT(w, n)
	}
	return draw.SVG(w, title, n)
}
