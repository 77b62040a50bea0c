package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/kube/gitops"
	"hearth/internal/render/desired"
	"hearth/internal/render/kept"
	"hearth/internal/repo"
)

// buildFlags say what to build.
type buildFlags struct {
	cluster   string
	namespace string
	output    string
	noHelm    bool
	offline   bool
	fetch     bool
	noCache   bool
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
as ${NAME}. Releases are rendered whose chart is at hand: mapped to a folder in
.hearth.yaml, or fetched before. Without PATH it is the current folder, or the
example homelab where that holds none. Of a repository with several clusters all
are built by "all", one after the other, unless --cluster or PATH names one; the
comments, and each List of JSON, then say which. Exit code 0: fine; 1: something cannot be
built; 2: misuse, or a repository that cannot be read.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), p, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "the cluster, where the repository holds several")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "the namespace of what is built")
	flags.StringVarP(&f.output, "output", "o", "yaml", "the form of the output: yaml, or json (one List)")
	flags.BoolVar(&f.noHelm, "no-helm", false, "with all: leave out what releases bring")
	flags.BoolVar(&f.fetch, "fetch", false, "fetch charts that are not at hand")
	flags.BoolVar(&f.offline, "offline", false, "keep off the network, which is so without --fetch, too")
	flags.BoolVar(&f.noCache, "no-cache", false, "compute everything anew")
	cmd.MarkFlagsMutuallyExclusive("fetch", "offline")
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
	collectSeldom()
	built, done, err := onHomelab(p, path, "building", func(path string) (*built, error) { return f.build(ctx, path, target) })
	defer done()
	if err != nil {
		return err
	}
	return built.print(p.Stdout, p.Stderr)
}

// build builds what is wanted of a homelab, or finds it as it was built before.
func (f *buildFlags) build(ctx context.Context, path string, target *gitops.Target) (*built, error) {
	known := f.lookUp(ctx, path, target)
	if b := known.get(); b != nil {
		return b, nil
	}
	r, err := repo.Open(ctx, path, repo.Options{})
	if err != nil {
		return nil, err
	}
	clusters, err := f.clusters(r, target)
	if err != nil {
		return nil, err
	}
	charts, err := chartsAtHand(f.fetch)(r)
	if err != nil {
		return nil, err
	}
	builds := &kept.Builds{Store: keptBuildStore(f.noCache)}
	defer builds.Store.Trim()
	whole := &built{}
	var states []*desired.State
	for _, c := range clusters {
		state, err := desired.Build(ctx, r, c, desired.Options{Charts: charts, Builds: builds})
		if err != nil {
			return nil, err
		}
		chosen, err := f.choose(state, target)
		if err != nil {
			return nil, err
		}
		if len(clusters) > 1 {
			for i := range chosen {
				chosen[i].cluster = c.Name
			}
		}
		b, err := f.written(state, chosen)
		if err != nil {
			return nil, failure{exitFailed, fmt.Errorf("write what was built: %w", err)}
		}
		whole.Text, whole.Notes, whole.Bad = whole.Text+b.Text, whole.Notes+b.Notes, whole.Bad || b.Bad
		states = append(states, state)
	}
	known.put(ctx, path, states, whole)
	return whole, nil
}

// clusters are those to build for: the one that is chosen, or, for all there is,
// every one where nothing chooses, by their names.
func (f *buildFlags) clusters(r *repo.Repository, target *gitops.Target) ([]*repo.Cluster, error) {
	c, err := r.Cluster(f.cluster)
	if err == nil {
		return []*repo.Cluster{c}, nil
	}
	if target != nil || f.cluster != "" || len(r.Clusters) == 0 {
		return nil, err
	}
	return slices.SortedFunc(slices.Values(r.Clusters), func(a, b *repo.Cluster) int { return strings.Compare(a.Name, b.Name) }), nil
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

// built is the output of a build.
type built struct {
	Text, Notes string
	// Bad says that something cannot be built.
	Bad bool
	// Charts tells what was in the folders that charts are taken from.
	Charts map[string]string
}

// written writes builds in the form that is wanted, and tells what cannot be
// built.
func (f *buildFlags) written(state *desired.State, builds []build) (*built, error) {
	var text, notes strings.Builder
	write := buildsYAML
	if f.output == "json" {
		write = buildsJSON
	}
	if err := write(&text, state, builds); err != nil {
		return nil, err
	}
	bad := tellBuilds(&notes, builds)
	return &built{Text: text.String(), Notes: notes.String(), Bad: bad}, nil
}

func (b *built) print(stdout, stderr io.Writer) error {
	if _, err := io.WriteString(stdout, b.Text); err != nil {
		return failure{exitFailed, fmt.Errorf("write what was built: %w", err)}
	}
	if _, err := io.WriteString(stderr, b.Notes); err != nil {
		return failure{exitFailed, fmt.Errorf("write what was built: %w", err)}
	}
	if b.Bad {
		return failed
	}
	return nil
}
