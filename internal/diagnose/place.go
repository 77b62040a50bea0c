package diagnose

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/manifest"
	"hearth/internal/render"
	"hearth/internal/render/desired"
)

// Places looks up where in Git something stands.
type Places interface {
	// Place returns where an object stands, or one of its fields: the line of
	// the last part of its path that the file has.
	Place(key Key, field ...string) domain.Place
	// Mention returns the first line of an object that holds a text; unknown
	// where none does.
	Mention(key Key, text string) domain.Place
	// Bringer returns the Kustomization or HelmRelease that applies an object.
	Bringer(key Key) (Key, bool)
	// Definers returns who brings the definition of a kind.
	Definers(group, kind string) []Key
}

// Find looks a locus up: the line of the text, else of the field, else the
// object's own.
func find(p Places, at Locus) domain.Place {
	if at.Text != "" {
		if place := p.Mention(at.Key, at.Text); place.Known() {
			return place
		}
	}
	return p.Place(at.Key, at.Field...)
}

// locate fills in where findings stand, and makes all texts fit to be told.
func (r *Report) locate(ctx context.Context, w *World, o Options) {
	for _, f := range r.Findings {
		if f.At.Key == (Key{}) {
			f.At.Key = f.Subject
		}
		if w.Places != nil {
			f.Place = find(w.Places, f.At)
			if !f.Place.Known() {
				f.Place = w.placeAbove(f.At)
			}
		}
		if o.History != nil {
			f.Commit = o.History.Commit(ctx, f.Place)
		}
		f.Sentence, f.Fix = Clean(f.Sentence), Clean(f.Fix)
		f.Evidence = f.Evidence[:min(len(f.Evidence), maxEvidence)]
		for i := range f.Evidence {
			f.Evidence[i].Text, f.Evidence[i].Field = Clean(f.Evidence[i].Text), name(f.Evidence[i].Field)
		}
		f.Commands = ready(f.Commands, o.Context)
	}
	for _, u := range r.Unexplained {
		k := Key{Kind: u.Object.Kind, Namespace: u.Object.Namespace, Name: u.Object.Name}
		for _, kind := range Kinds {
			if kind.Name == k.Kind {
				k.Group = kind.Group
				break
			}
		}
		if w.Places != nil {
			if u.Place = w.Places.Place(k); !u.Place.Known() {
				u.Place = w.placeAbove(Locus{Key: k})
			}
		}
		u.Commands = ready(u.Commands, o.Context)
	}
}

// placeAbove returns where what brought an object stands, for objects that
// stand in no file themselves.
func (w *World) placeAbove(at Locus) domain.Place {
	o := w.Get(at.Key)
	if o == nil {
		return domain.Place{}
	}
	git := w.InGit(o)
	if place := find(w.Places, Locus{Key: git.Key, Text: at.Text}); place.Known() {
		return place
	}
	if by := w.Bringer(git); by != nil {
		return w.Places.Place(by.Key)
	}
	return domain.Place{}
}

func ready(commands []string, context string) []string {
	list := []string{}
	for _, c := range commands {
		if c = quote(Clean(c), context); !slices.Contains(list, c) && len(list) < maxCommands {
			list = append(list, c)
		}
	}
	return list
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

// Index looks places up in the index that the reconcilers keep beside what
// they apply.
type Index struct{ *render.Index }

// Place implements [Places].
func (x Index) Place(key Key, field ...string) domain.Place { return x.Index.Place(key, field...) }

// Mention implements [Places].
func (x Index) Mention(key Key, text string) domain.Place {
	origin, ok := x.Origin(key)
	if !ok {
		return domain.Place{}
	}
	root, err := os.OpenRoot(origin.Root)
	if err != nil {
		return domain.Place{}
	}
	defer root.Close()
	data, err := manifest.Read(root, origin.File)
	if err != nil {
		return domain.Place{}
	}
	docs, _ := manifest.Parse(origin.File, data) // what is broken was reported when it was built
	doc, _ := origin.In(docs, key)
	return mention(doc, text)
}

// Bringer implements [Places]; the index does not tell.
func (x Index) Bringer(Key) (Key, bool) { return Key{}, false }

// Definers implements [Places]; the index does not tell.
func (x Index) Definers(string, string) []Key { return nil }
