package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"hearth/internal/observe"
)

// getTimeout bounds how long a look at a cluster may take.
const getTimeout = 30 * time.Second

// getFlags say which cluster to look at, and what to show of it.
type getFlags struct {
	clusterFlags
	output        string
	allNamespaces bool
	overdue       bool
}

func newGetCommand() *cobra.Command {
	var f getFlags
	cmd := &cobra.Command{
		Use:   "get [all|everything|KIND] [NAME...]",
		Short: "Show the homelab that is up, in the language of its states",
		Long: `Show the states of the homelab that is up, or of any cluster that a kubeconfig
names. Ready of a HelmRelease says that Helm succeeded, so its pods stand
beside it. Without a kind, and as "all", it is Kustomizations (ks), HelmReleases
(hr), ExternalSecrets (es), Pods (po) and HTTPRoutes (route); further kinds are
Gateways (gw), PersistentVolumeClaims (pvc), Certificates (cert), Databases
(db), Nodes (no) and Sources (src), and "everything" is them all. --overdue
shows what should have happened by now, what is not tried again, and what waits
for its next try. Exit code 1: there is no such cluster or object; 2: misuse.`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "objects of all namespaces, as without -n")
	flags.BoolVar(&f.overdue, "overdue", false, "only what a temporal rule speaks of: overdue, out of retries, in back-off")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json")
	return cmd
}

func (f *getFlags) run(cmd *cobra.Command, args []string) error {
	kinds, names, err := f.what(args)
	if err != nil {
		return err
	}
	config, err := f.connect()
	if err != nil {
		return failure{exitFailed, err}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), getTimeout)
	defer cancel()
	sight, err := f.look(ctx, config, kinds)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	tellClosed(cmd.ErrOrStderr(), sight.Closed, kinds)
	if f.overdue {
		return f.printLate(cmd.OutOrStdout(), sight.Late, kinds, names)
	}
	v, err := newView(sight.Objects, kinds, f.namespace, names)
	if err != nil {
		return failure{exitFailed, err}
	}
	if err := f.print(cmd.OutOrStdout(), v); err != nil {
		return failure{exitFailed, fmt.Errorf("write the objects: %w", err)}
	}
	return nil
}

// look looks no wider than the kinds need.
func (f *getFlags) look(ctx context.Context, config *rest.Config, kinds []kindOfView) (*observe.Sight, error) {
	if f.overdue || slices.ContainsFunc(kinds, furtherView) {
		return observe.ReadAll(ctx, config)
	}
	return observe.Read(ctx, config)
}

// tellClosed says which of the kinds asked for may not be read.
func tellClosed(w io.Writer, closed []string, kinds []kindOfView) {
	for _, kind := range closed {
		if kindShown(kinds, kind) {
			fmt.Fprintf(w, "hearth: objects of kind %s may not be read, and are not shown\n", kind)
		}
	}
}

// what checks the flags and arguments, before anything is contacted.
func (f *getFlags) what(args []string) (kinds []kindOfView, names []string, err error) {
	if err := checkForm(f.output, "text", "json"); err != nil {
		return nil, nil, err
	}
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	if f.allNamespaces {
		f.namespace = ""
	}
	if len(args) == 0 && f.overdue {
		return allViewKinds, nil, nil
	}
	if len(args) == 0 {
		return viewKinds, nil, nil
	}
	kinds, err = parseKinds(args[0])
	if err == nil && len(args) > 1 && len(kinds) > 1 {
		err = fmt.Errorf("names (%s) need a single kind, not %s", strings.Join(args[1:], " "), args[0])
	}
	return kinds, args[1:], err
}

func (f *getFlags) print(w io.Writer, v *view) error {
	if f.output == "json" {
		return printJSON(w, v.json())
	}
	width, _ := terminalSize(w)
	return v.text(w, width, painter(colours(w)), time.Now())
}
