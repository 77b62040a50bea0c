package repo

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Bootstrap is what a repository puts into a cluster before Flux runs. The
// zero value is a repository that brings nothing.
type Bootstrap struct {
	// Objects are those of manifests and templates, ordered by file and line.
	Objects []Object
	// Releases are those of helmfiles, in the order of their files.
	Releases []Release
	// Kustomizations are folders that are built and applied.
	Kustomizations []Kustomization
	// Problems tell what could not be read.
	Problems []*Problem
}

// Object is an object that is applied before Flux runs.
type Object struct {
	Ref   domain.Ref
	Place domain.Place // in the template, where the object comes from one
	// Object is what to apply. The values of a Secret are placeholders, and
	// stand in stringData. Treat it as read-only.
	Object *unstructured.Unstructured
}

// Kustomization is a folder that is built with kustomize and applied.
type Kustomization struct {
	Path string // below the repository's root
	// Namespace is that of the command which applies it; "" without one.
	Namespace string
	// After is the release whose hook applies it, "namespace/name"; "" without one.
	After string
	Place domain.Place
}

// bootstrapReader gathers the bootstrap of one cluster.
type bootstrapReader struct {
	ctx       context.Context
	root      *os.Root
	tree      *tree
	templates templateSyntax
	result    Bootstrap
}

// readBootstrap reads the bootstrap folders of a cluster.
func (r *Repository) readBootstrap(ctx context.Context, root *os.Root, c *Cluster) (Bootstrap, error) {
	b := bootstrapReader{ctx: ctx, root: root, tree: r.tree}
	var err error
	if b.templates, err = readTemplateSyntax(root); err != nil {
		b.problem(err)
	}
	others := r.otherPaths(c)
	var helmfiles, kustomized []string
	var manifests []string
	for _, folder := range r.bootstrapFolders(c) {
		for _, f := range r.tree.files {
			if !within(folder, f.Path) || slices.ContainsFunc(others, func(p string) bool { return within(p, f.Path) }) {
				continue
			}
			switch {
			case isHelmfile(f.Path):
				helmfiles = append(helmfiles, f.Path)
			case isKustomizationFile(f.Path):
				kustomized = append(kustomized, path.Dir(f.Path))
			case isManifestTemplate(f.Path):
				manifests = append(manifests, f.Path)
			}
		}
	}
	for _, name := range helmfiles {
		b.helmfile(name)
	}
	b.kustomizations(kustomized)
	for _, name := range manifests {
		if !slices.ContainsFunc(kustomized, func(dir string) bool { return within(dir, name) }) {
			b.manifests(name)
		}
	}
	sortProblems(b.result.Problems)
	return b.result, ctx.Err()
}

func (b *bootstrapReader) problem(err error) {
	b.result.Problems = append(b.result.Problems, manifest.Problems(err)...)
}

// bootstrapFolders returns the folders that hold a cluster's bootstrap: the
// declared one, the cluster's own, or those that clusters share.
func (r *Repository) bootstrapFolders(c *Cluster) []string {
	if c.Config.Bootstrap != "" {
		return []string{clean(c.Config.Bootstrap)}
	}
	own := path.Join(c.Path, "bootstrap")
	if r.tree.has(own) {
		return []string{own}
	}
	for _, shared := range []string{path.Join(path.Dir(c.Path), "bootstrap"), "bootstrap", "kubernetes/bootstrap"} {
		if !r.tree.has(shared) {
			continue
		}
		if named := path.Join(shared, c.Name); r.tree.has(named) {
			return []string{named}
		}
		return []string{shared}
	}
	return nil
}

// otherPaths returns the folders of a shared bootstrap that are named after
// other clusters.
func (r *Repository) otherPaths(c *Cluster) []string {
	var paths []string
	for _, folder := range r.bootstrapFolders(c) {
		for _, other := range r.Clusters {
			if p := path.Join(folder, other.Name); other != c && r.tree.has(p) {
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// isManifestTemplate reports whether a file may hold objects to apply, as it
// is or once it is rendered.
func isManifestTemplate(name string) bool {
	return isYAML(strings.TrimSuffix(name, ".j2"))
}

// kustomizations records the folders that nothing above them builds.
func (b *bootstrapReader) kustomizations(folders []string) {
	for _, dir := range folders {
		nested := slices.ContainsFunc(folders, func(other string) bool { return other != dir && within(other, dir) })
		known := slices.ContainsFunc(b.result.Kustomizations, func(k Kustomization) bool { return within(k.Path, dir) })
		if !nested && !known {
			b.result.Kustomizations = append(b.result.Kustomizations, Kustomization{Path: dir, Place: domain.Place{File: dir}})
		}
	}
}

// manifests records the objects of a file, or of what its template renders to.
func (b *bootstrapReader) manifests(name string) {
	source, err := manifest.Read(b.root, name)
	if err != nil {
		b.problem(err)
		return
	}
	text := source
	if strings.HasSuffix(name, ".j2") {
		if !strings.Contains(string(source), "kind:") {
			return // a template of something else
		}
		if text, err = b.templates.render(b.ctx, name, source); err != nil {
			b.problem(err)
			return
		}
	}
	docs, err := manifest.Parse(name, text)
	if err != nil && objectLine.Match(text) {
		b.problem(err)
	}
	lines := newLineIndex(source, text)
	for _, d := range docs {
		if !d.IsObject() || isFlux(d.Group()) {
			continue
		}
		at := domain.Place{File: name, Line: lines.of(d)}
		b.result.Objects = append(b.result.Objects, Object{Ref: d.Ref(), Place: at, Object: withPlaceholders(unstructuredOf(d))})
	}
}

// isFlux reports whether a group is one that the entry stands for already, or
// that needs Flux to mean anything.
func isFlux(group string) bool {
	return strings.HasSuffix(group, ".toolkit.fluxcd.io") || group == operatorGroup || group == "kustomize.config.k8s.io"
}

// relative returns the path that a file of a folder names, or a problem if it
// leads out of the repository.
func relative(at domain.Place, folder, name string) (string, error) {
	if p := path.Join(folder, name); !path.IsAbs(name) && local(p) {
		return p, nil
	}
	return "", &Problem{Place: at, Message: fmt.Sprintf("the path %q leads out of the repository", name)}
}
