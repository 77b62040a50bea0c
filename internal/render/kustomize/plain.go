package kustomize

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/konfig"

	"hearth/internal/render"
)

// The plain way. Most kustomizations of a homelab list files and folders, and
// perhaps components and a namespace, and no more; kustomize takes a dozen
// passes through YAML for each. Where the tree was parsed already, such a
// build is made of the parsed documents instead.
//
// It promises what kustomize would have made of the same files: objects,
// order, origins and the list of files read. Whatever it does not know for
// certain (see newPlainObject and plainValue for what it does) it leaves to
// kustomize, errors included, so that it never fails itself.

// maxPlainDepth bounds how deeply folders lead to folders.
const maxPlainDepth = 32

// plainBuild is a build that may turn out to be plain.
type plainBuild struct {
	*build
	objects []*plainObject
	read    []string
	within  []string // the folders that led here
}

// plain makes the build the plain way; ok is false where kustomize has to.
func (b *build) plain(ctx context.Context) (result *Result, ok bool) {
	if b.request.Parsed == nil || b.request.Decrypter != nil {
		return nil, false
	}
	overlay, ok := readPlainOverlay(b.request.Kustomization)
	if !ok {
		return nil, false
	}
	p := &plainBuild{build: b}
	if !p.folder(b.rel, overlay.namespace) || !p.distinct() || !overlay.patchesNone(p.objects) {
		return nil, false
	}
	return p.finish(ctx)
}

// folder adds what a folder's kustomization lists. The namespace replaces its
// own where it is not nil.
func (p *plainBuild) folder(dir string, namespace *string) bool {
	k, ok := p.kustomization(dir, "Kustomization")
	if !ok || len(k.resources) == 0 {
		return false
	}
	first := len(p.objects)
	if !p.each(dir, k.resources, p.resource) || !p.each(dir, k.components, p.component) {
		return false
	}
	for _, o := range p.objects[first:] {
		if !o.setNamespace(*cmp.Or(namespace, &k.namespace)) {
			return false
		}
	}
	return true
}

// each adds what lies at the targets that the kustomization of a folder names.
func (p *plainBuild) each(dir string, targets []string, add func(name string) bool) bool {
	if len(p.within) == maxPlainDepth {
		return false
	}
	p.within = append(p.within, dir)
	defer func() { p.within = p.within[:len(p.within)-1] }()
	for _, target := range targets {
		name := path.Join(dir, target)
		if path.IsAbs(target) || strings.HasSuffix(target, "/") || isRemote(target) || name == ".." || strings.HasPrefix(name, "../") || slices.Contains(p.within, name) {
			return false
		}
		if !add(name) {
			return false
		}
	}
	return true
}

// resource adds a file's objects, or what a folder lists.
func (p *plainBuild) resource(name string) bool {
	docs, whole := p.request.Parsed(name)
	if !whole {
		return p.folder(name, nil)
	}
	if isKustomizationFile(name) {
		return false
	}
	p.note(name)
	for _, doc := range docs {
		o, ok := newPlainObject(name, doc)
		if !ok {
			return false
		}
		p.objects = append(p.objects, o)
	}
	return true
}

// component adds the resources of a component, which does nothing else.
func (p *plainBuild) component(name string) bool {
	k, ok := p.kustomization(name, "Component")
	return ok && k.namespace == "" && len(k.resources) > 0 && len(k.components) == 0 && p.each(name, k.resources, p.resource)
}

// kustomization reads the one kustomization of a folder.
func (p *plainBuild) kustomization(dir, kind string) (plainKustomization, bool) {
	file := ""
	for _, base := range konfig.RecognizedKustomizationFileNames() {
		if _, err := os.Lstat(filepath.Join(p.root, filepath.FromSlash(dir), base)); err != nil {
			continue
		}
		if file != "" {
			return plainKustomization{}, false
		}
		file = path.Join(dir, base)
	}
	if file == "" {
		return plainKustomization{}, false
	}
	docs, whole := p.request.Parsed(file)
	if !whole || len(docs) != 1 {
		return plainKustomization{}, false
	}
	p.note(file)
	return readPlainKustomization(docs[0], kind)
}

func (p *plainBuild) note(file string) {
	if !slices.Contains(p.read, file) {
		p.read = append(p.read, file)
	}
}

// distinct reports whether no two objects may get in each other's way.
func (p *plainBuild) distinct() bool {
	seen := make(map[[3]string]bool, len(p.objects))
	for _, o := range p.objects {
		key := [3]string{o.group, o.kind, o.name}
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

// finish substitutes variables and turns what was found into objects; ok is
// false where that fails, so that kustomize's build tells of it.
func (p *plainBuild) finish(ctx context.Context) (result *Result, ok bool) {
	vars, err := p.variables()
	if err != nil {
		return nil, false
	}
	result = &Result{Read: p.read}
	for _, o := range p.objects {
		if ctx.Err() != nil {
			return nil, false
		}
		objects := []*unstructured.Unstructured{{Object: o.content}}
		if vars != nil && !vars.substitutePlainly(o.content) {
			if objects, ok = vars.substituteContent(result, o.content); !ok {
				return nil, false
			}
		}
		for _, obj := range objects {
			result.Objects = append(result.Objects, obj)
			result.Origins = append(result.Origins, render.Origin{Root: p.root, File: o.file})
		}
	}
	p.addCommonMetadata(result.Objects)
	return result, true
}

// substituteContent replaces the variables of one object as those of a resource
// that kustomize made.
func (s *substitution) substituteContent(result *Result, content map[string]any) ([]*unstructured.Unstructured, bool) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, false
	}
	unknown, data, err := s.substitute(data)
	if err != nil {
		return nil, false
	}
	for _, name := range unknown {
		result.Unknown = append(result.Unknown, Unknown{Name: name, Object: len(result.Objects)})
	}
	objects, err := decode(data)
	return objects, err == nil
}
