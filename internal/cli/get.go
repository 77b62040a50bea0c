package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/observe"
)

// getTimeout bounds how long a look at a cluster may take.
const getTimeout = 30 * time.Second

// getFlags say which cluster to look at, and what to show of it.
type getFlags struct {
	clusterFlags
	output        string
	allNamespaces bool
}

func newGetCommand() *cobra.Command {
	var f getFlags
	cmd := &cobra.Command{
		Use:   "get [all|kustomizations|helmreleases|externalsecrets|pods|httproutes] [NAME...]",
		Short: "Show the homelab that is up, in the language of its states",
		Long: `Show the states of the homelab that is up, or of any cluster that a kubeconfig
names. Ready of a HelmRelease says that Helm succeeded, so its pods stand
beside it. Without a kind it is all of them. Short names: ks, hr, es, po, route.
Exit code 1: there is no such cluster or object; 2: misuse.`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "objects of all namespaces, as without -n")
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
	objects, err := observe.Read(ctx, config)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	v, err := newView(objects, kinds, f.namespace, names)
	if err != nil {
		return failure{exitFailed, err}
	}
	if err := f.print(cmd.OutOrStdout(), v); err != nil {
		return failure{exitFailed, fmt.Errorf("write the objects: %w", err)}
	}
	return nil
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
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v.json())
	}
	width, _ := terminalSize(w)
	return v.text(w, width, painter(colours(w)), time.Now())
}

// kindOfView is a kind that is shown: its section's title, and the names that
// it goes by.
type kindOfView struct {
	kind, title string
	names       []string
}

// viewKinds are the kinds in the order in which they are shown: from Git to
// the container.
var viewKinds = []kindOfView{
	{"Kustomization", "Kustomizations", []string{"kustomizations", "kustomization", "ks"}},
	{"HelmRelease", "HelmReleases", []string{"helmreleases", "helmrelease", "hr"}},
	{"ExternalSecret", "ExternalSecrets", []string{"externalsecrets", "externalsecret", "es"}},
	{"Pod", "Pods", []string{"pods", "pod", "po"}},
	{"HTTPRoute", "HTTPRoutes", []string{"httproutes", "httproute", "routes", "route"}},
}

// parseKinds reads "all", a kind, or several joined by commas.
func parseKinds(s string) ([]kindOfView, error) {
	var kinds []kindOfView
	for _, name := range strings.Split(strings.ToLower(s), ",") {
		if name == "all" {
			return viewKinds, nil
		}
		i := slices.IndexFunc(viewKinds, func(k kindOfView) bool { return slices.Contains(k.names, name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no kind %q to show: name all, kustomizations (ks), helmreleases (hr), externalsecrets (es), pods (po) or httproutes (route)", name)
		}
		kinds = append(kinds, viewKinds[i])
	}
	return kinds, nil
}
