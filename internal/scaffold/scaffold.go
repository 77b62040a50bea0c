// Package scaffold writes new applications into a homelab repository: the
// Flux Kustomization, the HelmRelease, the ExternalSecret, and a database where
// one is wanted, by the domain model's decision tables.
//
// It writes as the repository itself writes: where applications stand, what
// their files are called, which fields their objects have and what these say is
// what most of the applications do that are there already. Only where they do
// not agree, or do not say, it is the domain model's standard. What it writes
// passes the rules of package rule, and files that are there keep every byte
// but those of the new entry.
//
// Reading the repository is left to packages repo and desired, judging what was
// written to package rule.
package scaffold

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/manifest/edit"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
)

// Plan is what is to be written.
type Plan struct {
	// Created are new files, ordered by path.
	Created []File
	// Changed are files that get an entry more.
	Changed []File
	// Notes are sentences for the user: what is left to do outside the tree.
	Notes []string
}

// File is a file below the repository's root, and what it is to hold.
type File struct {
	Path string
	// Before is empty for a new file.
	Before, After []byte
}

// builder is one run of New.
type builder struct {
	Request
	state  *desired.State
	graph  *graph.Graph
	config repo.Config
	layout layout
	// secret is the Secret that the application reads; "" where it reads none.
	secret string
	// folder is the application's, below the repository's root.
	folder string
	plan   Plan
	edits  map[string][]edit.Edit
}

// New plans a new application in a cluster. The error is one sentence and says
// what the request, or the repository, lacks. Nothing is written.
func New(state *desired.State, g *graph.Graph, r Request) (*Plan, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	b := &builder{Request: r, state: state, graph: g, config: state.Repository.Config.WithDefaults(), edits: map[string][]edit.Edit{}}
	var err error
	if b.layout, err = learnLayout(state); err != nil {
		return nil, err
	}
	b.folder = path.Join(b.layout.apps, b.Namespace, b.Name)
	for _, step := range []func() error{b.refuseExisting, b.application, b.database, b.install, b.namespace} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// refuseExisting refuses what is there already.
func (b *builder) refuseExisting() error {
	taken := func(what, where string) error {
		return fmt.Errorf("%s/%s exists in cluster %s already: %s (%s)", b.Namespace, b.Name, b.state.Cluster.Name, what, where)
	}
	for _, f := range b.state.Repository.Files() {
		if within(b.folder, f.Path) {
			return taken("its folder is there", f.Path)
		}
	}
	for _, k := range b.state.Kustomizations {
		if k.Name == b.Name && b.namespaceOf(k) == b.Namespace {
			return taken("a Kustomization bears the name", k.Object.Place().String())
		}
	}
	if r := b.state.Release(b.Namespace, b.Name); r != nil {
		return taken("a HelmRelease bears the name", r.Object.Place().String())
	}
	return nil
}

// namespaceOf is the namespace that a Kustomization applies to.
func (b *builder) namespaceOf(k *desired.Kustomization) string {
	return cmp.Or(k.Spec.TargetNamespace, k.Namespace)
}

// create adds a new file to the plan.
func (b *builder) create(name, text string) {
	b.plan.Created = append(b.plan.Created, File{Path: name, After: []byte(text)})
}

// note tells the user something, once.
func (b *builder) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(b.plan.Notes, text) {
		b.plan.Notes = append(b.plan.Notes, text)
	}
}

// add plans an entry more for a list of a file.
func (b *builder) add(file string, field string, entry string) {
	b.edits[file] = append(b.edits[file], edit.Insert(file, 0, []string{field}, "- "+entry))
}

// exposed reports whether a gateway is to serve the application.
func (b *builder) exposed() bool {
	return b.Expose == domain.PublicExposure || b.Expose == domain.LANExposure
}

// databaseName is what the database's Kustomization and Secret are called.
func (b *builder) databaseName() string { return b.Name + b.layout.databaseSuffix }
