package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// treeFlags say what of a tree to show.
type treeFlags struct {
	clusterFlags
	observe.TreeOptions
	output string
}

func newTreeCommand() *cobra.Command {
	var f treeFlags
	cmd := &cobra.Command{
		Use:   "tree KIND/NAME",
		Short: "Show what an object brought about, down to its pods",
		Long: `Show what an object brought about, with the state of each: the inventory of a
Kustomization, the objects of a release, the Secret of an ExternalSecret, the
pods of a workload. Any kind of object may be the root. Exit code 1: there is no
such cluster or object; 2: misuse.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.IntVar(&f.Depth, "depth", 0, "how many levels below it to show (0: all)")
	flags.BoolVar(&f.Compact, "compact", false, "only the kinds by which a cluster follows Git")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json")
	return cmd
}

func (f *treeFlags) run(ctx context.Context, w io.Writer, args []string) error {
	targets, err := gitops.ParseTargets(args)
	if err != nil {
		return err
	}
	if len(targets) != 1 {
		return errors.New("a tree has one root: name one object")
	}
	if err := errors.Join(f.check(), checkForm(f.output, "text", "json")); err != nil {
		return err
	}
	if f.Depth < 0 {
		return fmt.Errorf("--depth %d is none: 0 shows all levels", f.Depth)
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	found, err := f.find(ctx, c, config, targets)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	root, err := observe.Tree(ctx, c, found[0].Unstructured, f.TreeOptions)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	if f.output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		err = enc.Encode(root)
	} else {
		err = treeText(w, root, time.Now())
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write the tree: %w", err)}
	}
	return nil
}

// treeText writes a tree in lines, each with the state of its object. Why it
// is so is told of what has not arrived.
func treeText(w io.Writer, root *observe.Node, now time.Time) error {
	width, _ := terminalSize(w)
	t := &table{header: []string{"OBJECT", "STATE", "SINCE", "MESSAGE"}, width: width, painter: painter(colours(w))}
	treeRows(t, root, "", "", now)
	return t.write(w)
}

// treeRows adds a node and all below it; lead is drawn before the node, below
// before its children.
func treeRows(t *table, n *observe.Node, lead, below string, now time.Time) {
	state := cell{text: string(n.State), colour: stateColour(n.Kind, n.State, n.Ready)}
	if n.Suspended {
		state.text, state.colour = state.text+" (suspended)", faint
	}
	message := n.Message
	if n.Ready {
		message = ""
	}
	t.add(cell{text: lead + printable(n.Ref.String())}, state, cell{text: age(now, n.Since)}, cell{text: printable(message)})
	for i, child := range n.Children {
		branch, trunk := "├── ", "│   "
		if i == len(n.Children)-1 {
			branch, trunk = "└── ", "    "
		}
		treeRows(t, child, below+branch, below+trunk, now)
	}
}
