package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/render/helm/yamltext"
)

// build is what a Kustomization or HelmRelease would apply.
type build struct {
	// cluster is named where several are built.
	cluster string
	of      domain.Ref
	objects []*desired.Object
	// chart is that of a release, and missing why it is not at hand; played says
	// that one of Hearth's plays it.
	chart, missing string
	played         bool
	// notes tell what else is not as in life; err why it cannot be built.
	notes []string
	err   error
}

func kustomizationBuild(k *desired.Kustomization) build {
	b := build{of: domain.Ref{Kind: "Kustomization", Namespace: k.Namespace, Name: k.Name}, objects: k.Objects, err: k.Err}
	if k.Foreign {
		b.notes = append(b.notes, "its source is not this repository: what it applies is not known")
	}
	var undefined []string
	for _, u := range k.Undefined {
		undefined = append(undefined, u.Name)
	}
	slices.Sort(undefined)
	for _, name := range slices.Compact(undefined) {
		b.notes = append(b.notes, fmt.Sprintf("nothing defines the variable %s", name))
	}
	return b
}

func releaseBuild(r *desired.Release) build {
	b := build{of: domain.Ref{Kind: "HelmRelease", Namespace: r.Namespace, Name: r.Name}, objects: r.Objects, err: r.Err}
	b.chart = fmt.Sprintf("chart %s %s", r.ChartName, r.ChartVersion)
	b.missing, b.played = r.NotAtHand, r.StandIn
	return b
}

// tellBuilds says what is not as in life, and what cannot be built.
func tellBuilds(w io.Writer, builds []build) (bad bool) {
	var missing, played []string
	for _, b := range builds {
		id := b.in() + b.of.Namespace + "/" + b.of.Name
		if b.missing != "" {
			missing = append(missing, fmt.Sprintf("%s: %s", id, b.missing))
		}
		if b.played {
			played = append(played, id)
		}
		for _, note := range b.notes {
			fmt.Fprintf(w, "hearth: %s%s: %s\n", b.in(), b.of, printable(note))
		}
		if b.err != nil {
			fmt.Fprintf(w, "hearth: %s%s cannot be built: %s\n", b.in(), b.of, printable(b.err.Error()))
			bad = true
		}
	}
	tellReleases(w, "left out, since their charts are not at hand", missing)
	tellReleases(w, "rendered by a chart of Hearth's that plays theirs", played)
	return bad
}

// tellReleases lists releases, a line each: a homelab has many.
func tellReleases(w io.Writer, what string, releases []string) {
	if len(releases) == 0 {
		return
	}
	fmt.Fprintf(w, "hearth: releases that are %s:\n", what)
	for _, r := range releases {
		fmt.Fprintf(w, "  %s\n", printable(r))
	}
}

// in names the cluster, where several are built.
func (b build) in() string {
	if b.cluster == "" {
		return ""
	}
	return b.cluster + ": "
}

// origin says whose an object is, and where it stands.
func (b build) origin(o *desired.Object) string {
	whose := b.in() + b.of.String()
	if b.chart != "" {
		return whose + ", " + b.chart
	}
	if place := o.Place(); place.Known() {
		return whose + ", " + place.String()
	}
	return whose
}

// buildsYAML writes builds as documents, each behind a comment.
func buildsYAML(w io.Writer, state *desired.State, builds []build) error {
	texts := make([]strings.Builder, len(builds))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, b := range builds {
		group.Go(func() error { return b.yaml(&texts[i], state) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range texts {
		if _, err := io.WriteString(w, texts[i].String()); err != nil {
			return err
		}
	}
	return nil
}

func (b build) yaml(w io.Writer, state *desired.State) error {
	for _, o := range b.objects {
		content, err := yamltext.Must(state.Named(o).Object)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Ref, err)
		}
		if _, err := fmt.Fprintf(w, "---\n# %s\n%s\n", printable(b.origin(o)), content); err != nil {
			return err
		}
	}
	return nil
}

// buildsJSON writes builds as one List, which kubectl takes. Where several
// clusters are built it says whose it is.
func buildsJSON(w io.Writer, state *desired.State, builds []build) error {
	items := []map[string]any{}
	for _, b := range builds {
		for _, o := range b.objects {
			items = append(items, state.Named(o).Object)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	list := map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
	if len(builds) > 0 && builds[0].cluster != "" {
		list["cluster"] = builds[0].cluster
	}
	return enc.Encode(list)
}
