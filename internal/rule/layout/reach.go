package layout

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	"hearth/internal/rule"
)

const kustomizeGroup = "kustomize.toolkit.fluxcd.io"

// reach is what of a repository is applied.
type reach struct {
	*tree
	clusters []*rule.Cluster
	// named are files that a build which fails, or one of a source that is not
	// this repository for sure, would read.
	named map[string]bool
	// holds are the folders with a file that is reached.
	holds map[string]bool
}

func newReach(t *tree, clusters []*rule.Cluster) *reach {
	r := &reach{tree: t, clusters: clusters, named: map[string]bool{}, holds: map[string]bool{}}
	for _, c := range clusters {
		for _, k := range c.State.Kustomizations {
			if k.Err == nil && !k.Foreign {
				continue
			}
			if c.State.Unknown(k.Spec.Path) {
				known, _, _ := strings.Cut(k.Spec.Path, "unknown-")
				r.readAll(clean(known))
				continue
			}
			r.follow(k.Spec.Path)
		}
	}
	for _, f := range t.files {
		for folder := path.Dir(f); r.reached(f) && !r.holds[folder]; folder = path.Dir(folder) {
			r.holds[folder] = true
		}
	}
	return r
}

// reached reports whether something applies a file, or may.
func (r *reach) reached(file string) bool {
	if r.named[file] {
		return true
	}
	for _, c := range r.clusters {
		if c.State.Reached(file) {
			return true
		}
	}
	return false
}

// follow notes what the Kustomization of a path would read.
func (r *reach) follow(spec string) {
	if known, _, unknown := strings.Cut(spec, "${"); unknown {
		r.readAll(clean(known))
		return
	}
	folder := clean(spec)
	if r.kustomizations[folder] != nil {
		r.read(folder)
		return
	}
	r.readAll(folder)
}

func (r *reach) readAll(folder string) {
	for _, f := range r.files {
		if within(folder, f) {
			r.read(f)
		}
	}
}

// read notes a file or a folder's kustomization, and what that names.
func (r *reach) read(name string) {
	if doc := r.kustomizations[name]; doc != nil {
		name = doc.File
	}
	if r.named[name] {
		return
	}
	r.named[name] = true
	for _, d := range r.in[name] {
		switch {
		case isKustomization(name):
			for _, ref := range references(d) {
				r.read(ref.target)
			}
		case d.Group() == kustomizeGroup:
			r.follow(d.Text("spec", "path"))
			for i := range items(d, "spec", "components") {
				if target, ok := local(clean(d.Text("spec", "path")), d.Text("spec", "components", strconv.Itoa(i))); ok {
					r.read(target)
				}
			}
		}
	}
}

// clean returns the path below the repository's root that a spec.path means.
func clean(spec string) string {
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+spec), "/"), ".")
}
