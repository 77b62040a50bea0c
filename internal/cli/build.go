package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/kube/gitops"
	"hearth/internal/render/desired"
)

// buildFlags say what to build.
type buildFlags struct {
	cluster   string
	namespace string
	output    string
	noHelm    bool
}

func newBuildCommand(p Process) *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build all [PATH] | KIND/NAME [PATH] | KIND NAME [PATH]",
		Short: "Print what a Kustomization or release would apply, or all of them, without a cluster",
		Long: `Print what a Kustomization (ks) would apply, or a HelmRelease (hr), or all of
them, computed from the tree alone: patches and variables are laid over as Flux
does. The order is always the same, and a comment before each object says whose
it is and where it stands. A variable that the tree does not tell stays visible
as ${NAME}. Without PATH it is the current folder, or the example homelab where
that holds none. Exit code 0: fine; 1: something cannot be built; 2: misuse, or
a repository that cannot be read.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), p, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "the cluster, where the repository holds several")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "the namespace of what is built")
	flags.StringVarP(&f.output, "output", "o", "yaml", "the form of the output: yaml, or json (one List)")
	flags.BoolVar(&f.noHelm, "no-helm", false, "with all: leave out what releases bring")
	return cmd
}

func (f *buildFlags) run(ctx context.Context, p Process, args []string) error {
	if err := checkForm(f.output, "yaml", "json"); err != nil {
		return err
	}
	target, path, err := buildArgs(args)
	if err != nil {
		return err
	}
	state, done, err := onHomelab(p, path, "building", func(path string) (*desired.State, error) {
		return desiredState(ctx, path, f.cluster)
	})
	defer done()
	if err != nil {
		return err
	}
	builds, err := f.choose(state, target)
	if err != nil {
		return err
	}
	return printBuilds(p.Stdout, p.Stderr, f.output, state, builds)
}

// buildArgs reads what to build (nil is all), and the path.
func buildArgs(args []string) (target *gitops.Target, path string, err error) {
	named := 1
	if args[0] != "all" && !strings.Contains(args[0], "/") {
		named = 2
	}
	if len(args) < named || len(args) > named+1 {
		return nil, "", errors.New("name what to build, and the path behind it: all, KIND/NAME or KIND NAME, for example ks/apps")
	}
	if len(args) > named {
		path = args[named]
	}
	if args[0] == "all" {
		return nil, path, nil
	}
	targets, err := gitops.ParseTargets(args[:named])
	if err != nil {
		return nil, "", err
	}
	return &targets[0], path, nil
}

// choose returns what a target means.
func (f *buildFlags) choose(state *desired.State, target *gitops.Target) ([]build, error) {
	if target == nil {
		return f.allBuilds(state), nil
	}
	kind, _ := gitops.ParseKind(target.Kind)
	if target.Namespace != "" {
		f.namespace = target.Namespace
	}
	var found []build
	switch kind.Kind {
	case "Kustomization":
		for _, k := range state.Kustomizations {
			found = append(found, kustomizationBuild(k))
		}
	case "HelmRelease":
		for _, r := range state.Releases {
			found = append(found, releaseBuild(r))
		}
	default:
		return nil, fmt.Errorf("%q cannot be built: Kustomizations (ks) and HelmReleases (hr) can", target.Kind)
	}
	return f.named(found, kind.Kind, target.Name)
}

// named picks the one of a name.
func (f *buildFlags) named(all []build, kind, name string) ([]build, error) {
	missing := &gitops.NotFoundError{Kind: kind, Namespace: f.namespace, Name: name}
	var found []build
	for _, b := range all {
		if b.of.Name == name && (f.namespace == "" || b.of.Namespace == f.namespace) {
			found = append(found, b)
			missing.Namespaces = append(missing.Namespaces, b.of.Namespace)
		}
	}
	if len(found) != 1 {
		return nil, failure{exitFailed, missing}
	}
	return found, nil
}

// allBuilds lists the Kustomizations, parents before children, and behind each
// the releases that it brings.
func (f *buildFlags) allBuilds(state *desired.State) []build {
	releases := map[*desired.Kustomization][]build{}
	for _, r := range state.Releases {
		releases[r.Object.Kustomization] = append(releases[r.Object.Kustomization], releaseBuild(r))
	}
	var all []build
	for _, k := range state.Kustomizations {
		if f.namespace != "" && k.Namespace != f.namespace {
			continue
		}
		all = append(all, kustomizationBuild(k))
		if !f.noHelm {
			all = append(all, releases[k]...)
		}
	}
	return all
}

// printBuilds prints builds, and tells on stderr what cannot be built.
func printBuilds(stdout, stderr io.Writer, form string, state *desired.State, builds []build) error {
	var text strings.Builder
	var err error
	if form == "json" {
		err = buildsJSON(&text, state, builds)
	} else {
		err = buildsYAML(&text, state, builds)
	}
	if err == nil {
		_, err = io.WriteString(stdout, text.String())
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write what was built: %w", err)}
	}
	if tellBuilds(stderr, builds) {
		return failed
	}
	return nil
}
