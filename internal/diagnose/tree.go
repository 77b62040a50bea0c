package diagnose

import (
	"strings"
	"sync"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/manifest"
	"hearth/internal/render"
	"hearth/internal/render/desired"
)

// Tree looks places up in what a cluster of a repository should hold.
type Tree struct {
	graph   func() *graph.Graph
	objects map[Key]*desired.Object
}

// NewTree returns the places of a state.
func NewTree(s *desired.State) *Tree {
	t := &Tree{graph: sync.OnceValue(func() *graph.Graph { return graph.Build(s) }), objects: map[Key]*desired.Object{}}
	for _, o := range s.Objects {
		t.add(o)
	}
	for _, r := range s.Releases {
		for _, o := range r.Objects {
			t.add(o)
		}
	}
	return t
}

func (t *Tree) add(o *desired.Object) {
	k := render.KeyOf(o.Unstructured)
	if _, known := t.objects[k]; !known {
		t.objects[k] = o
	}
}

// Place implements [Places].
func (t *Tree) Place(key Key, field ...string) domain.Place {
	if o := t.objects[key]; o != nil {
		return o.Place(field...)
	}
	return domain.Place{}
}

// Mention implements [Places].
func (t *Tree) Mention(key Key, text string) domain.Place {
	o := t.objects[key]
	if o == nil {
		return domain.Place{}
	}
	doc, _ := o.Document()
	return mention(doc, text)
}

// Bringer implements [Places].
func (t *Tree) Bringer(key Key) (Key, bool) {
	o := t.objects[key]
	switch {
	case o == nil:
		return Key{}, false
	case o.Release != nil && o.Release.Object != nil:
		return render.KeyOf(o.Release.Object.Unstructured), true
	case o.Kustomization != nil && o.Kustomization.Object != nil:
		return render.KeyOf(o.Kustomization.Object.Unstructured), true
	}
	return Key{}, false
}

// Definers implements [Places].
func (t *Tree) Definers(group, kind string) []Key {
	var keys []Key
	for _, b := range t.graph().Brings(group, kind) {
		switch {
		case b.Release != nil && b.Release.Object != nil:
			keys = append(keys, render.KeyOf(b.Release.Object.Unstructured))
		case b.Kustomization != nil && b.Kustomization.Object != nil:
			keys = append(keys, render.KeyOf(b.Kustomization.Object.Unstructured))
		}
	}
	return keys
}

// mention finds the first line of a document that holds a text.
func mention(doc *manifest.Document, text string) domain.Place {
	if doc == nil {
		return domain.Place{}
	}
	line := doc.MentionLine(func(line string) bool { return strings.Contains(line, text) })
	if line == 0 {
		return domain.Place{}
	}
	return domain.Place{File: doc.File, Line: line}
}
