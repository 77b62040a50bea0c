package diagnose

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"

	"hearth/internal/domain"
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
			if told, ok := f.toldPlace(); ok && f.Place.Known() && f.At.Text == "" {
				f.Place = told
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

// namedPlace is how Hearth's reconcilers end a message with its place in Git,
// and how they say which line they cannot read.
var namedPlace = regexp.MustCompile(`\(([A-Za-z0-9_./-]+\.(?:ya?ml|json|j2)):(\d{1,7})\)$|(?:^|[ :])([A-Za-z0-9_./-]+\.(?:ya?ml|json|j2)):(\d{1,7}): not valid `)

// toldPlace returns the place that the first message names.
func (f *Finding) toldPlace() (domain.Place, bool) {
	if len(f.Evidence) == 0 {
		return domain.Place{}, false
	}
	m := namedPlace.FindStringSubmatch(f.Evidence[0].Text)
	if m == nil {
		return domain.Place{}, false
	}
	line, err := strconv.Atoi(cmp.Or(m[2], m[4]))
	return domain.Place{File: cmp.Or(m[1], m[3]), Line: line}, err == nil
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
	by := w.Bringer(git)
	if by == nil {
		return domain.Place{}
	}
	if o.Namespace == "" {
		if place := w.placeWithin(by, at); place.Known() {
			return place
		}
	}
	return w.Places.Place(by.Key)
}

// placeWithin looks up an object without a namespace as a build knows it:
// kustomize gives one to whatever kind it does not know.
func (w *World) placeWithin(by *Object, at Locus) domain.Place {
	for _, namespace := range []string{by.Text("spec", "targetNamespace"), by.Namespace} {
		at.Key.Namespace = namespace
		if place := find(w.Places, at); place.Known() {
			return place
		}
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
