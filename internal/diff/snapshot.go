package diff

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render"
	"hearth/internal/render/desired"
	"hearth/internal/render/kept"
)

// Snapshot is what a tree would have a cluster hold, told for comparing: what
// Secrets hold is left out of it, so that it may be kept on disk.
type Snapshot struct {
	// Revision names the tree.
	Revision string
	Units    []*Unit
}

// Unit is what one Kustomization, or one release, brings.
type Unit struct {
	Of  domain.Ref
	App domain.Ref // the Kustomization that it belongs to
	// Chart is that of a release, and Inputs name all that its rendering depends
	// on; both are empty for a Kustomization.
	Chart, Inputs string
	Place         domain.Place
	// Problem tells why it brings nothing: it cannot be built, or its chart is
	// not at hand.
	Problem string
	Items   []*Item
	Images  []Image

	// otherMissing says that the other snapshot has the unit, but cannot tell
	// what it brings.
	otherMissing bool
}

// Item is one object.
type Item struct {
	Key     render.Key
	Version string // of its API
	Place   domain.Place
	// Sum tells one content from another.
	Sum     string
	Content json.RawMessage
	// Stays says that the object stays in the cluster when it leaves Git, and
	// Loses that data goes with it; Recreated that an apply that is refused
	// deletes it and makes it anew.
	Stays, Loses, Recreated bool
	// Hook says that Helm makes it anew at each upgrade.
	Hook bool

	object *desired.Object // nil where it was read from disk
}

// Taken is the snapshot of a state. Releases that the state skipped are taken
// from the base, which has the same.
func Taken(s *desired.State, base *Snapshot) (*Snapshot, error) {
	taking := taking{state: s, kept: desired.NewRetention(s), units: map[domain.Ref]*Unit{}, imagesOf: imagesByOwner(s)}
	taken := &Snapshot{}
	if !s.Repository.Revision.Dirty {
		taken.Revision = s.Repository.Revision.SHA
	}
	taken.Units = append(taken.Units, &Unit{Of: bootstrap, App: bootstrap})
	taking.units[bootstrap] = taken.Units[0]
	for _, k := range s.Kustomizations {
		u := &Unit{Of: k.Object.Ref, App: k.Object.Ref, Place: k.Object.Place()}
		if k.Err != nil {
			u.Problem = k.Err.Error()
		}
		taken.Units = append(taken.Units, u)
		taking.units[u.Of] = u
	}
	rendered := base.byInputs()
	for _, r := range s.Releases {
		u := &Unit{
			Of: r.Object.Ref, App: appOf(r.Object), Place: r.Object.Place(),
			Chart: fmt.Sprintf("%s %s", r.ChartName, r.ChartVersion), Inputs: r.Inputs, Problem: r.NotAtHand,
		}
		if r.Err != nil {
			u.Problem = r.Err.Error()
		}
		if same := rendered[u.id()]; same != nil && len(r.Objects) == 0 {
			u.Items, u.Images, u.Problem = same.Items, same.Images, same.Problem
		}
		taken.Units = append(taken.Units, u)
		taking.units[u.Of] = u
	}
	for o := range s.All() {
		if err := taking.add(o); err != nil {
			return nil, err
		}
	}
	taking.images()
	slices.SortStableFunc(taken.Units, func(a, b *Unit) int { return cmp.Or(a.App.Compare(b.App), a.Of.Compare(b.Of)) })
	return taken, nil
}

// bootstrap stands for what is there before Flux runs.
var bootstrap = domain.Ref{Kind: "Bootstrap"}

// Skip returns what [desired.Options.Skip] wants: releases that the snapshot has
// already are not rendered once more. It is nil for a nil snapshot.
func (s *Snapshot) Skip() func(*desired.Release) bool {
	if s == nil {
		return nil
	}
	rendered := s.byInputs()
	return func(r *desired.Release) bool {
		u := &Unit{Of: r.Object.Ref, Inputs: r.Inputs}
		return rendered[u.id()] != nil
	}
}

// id names a release and all that it is made of; "" where that is not known.
func (u *Unit) id() string {
	if u.Inputs == "" {
		return ""
	}
	return u.Of.String() + " " + u.Inputs
}

func (s *Snapshot) byInputs() map[string]*Unit {
	units := map[string]*Unit{}
	if s == nil {
		return units
	}
	for _, u := range s.Units {
		if id := u.id(); id != "" {
			units[id] = u
		}
	}
	return units
}

func appOf(o *desired.Object) domain.Ref {
	if o.Kustomization == nil {
		return bootstrap
	}
	return o.Kustomization.Object.Ref
}

// taking is a snapshot being taken.
type taking struct {
	state    *desired.State
	kept     *desired.Retention
	units    map[domain.Ref]*Unit
	imagesOf map[domain.Ref][]namedImage
}

func (t *taking) add(o *desired.Object) error {
	of := appOf(o)
	if o.Release != nil {
		of = o.Release.Object.Ref
	}
	u := t.units[of]
	content, err := json.Marshal(withoutSecrets(t.state.Named(o).Object))
	if err != nil {
		return fmt.Errorf("%s: %w", o.Ref, err)
	}
	key := render.KeyOf(o.Unstructured)
	u.Items = append(u.Items, &Item{
		Key: key, Version: o.GroupVersionKind().Version, Place: o.Place(), Sum: kept.Digest(string(content)), Content: content,
		Stays: !t.removes(o), Loses: t.kept.Loses(o), Recreated: recreated(o), Hook: o.GetAnnotations()["helm.sh/hook"] != "",
		object: o,
	})
	for _, p := range graph.PodSpecs(o) {
		u.Images = append(u.Images, t.podImages(u, o, p)...)
	}
	return nil
}

// removes reports whether an object is deleted when it leaves Git.
func (t *taking) removes(o *desired.Object) bool {
	switch {
	case o.Release != nil:
		if o.GetAnnotations()["helm.sh/resource-policy"] == "keep" || o.GetAnnotations()["helm.sh/hook"] != "" {
			return false
		}
		return o.GetKind() != crdKind || !bringsDefinition(o.Release, o.GetName())
	case o.Kustomization == nil:
		return false
	}
	return o.Pruned()
}

const crdKind = "CustomResourceDefinition"

// bringsDefinition reports whether a definition stands in the chart's folder of
// definitions, which Helm never removes.
func bringsDefinition(r *desired.Release, name string) bool {
	if r.Chart == nil {
		return true
	}
	for _, crd := range r.Chart.Copy("").CRDObjects() {
		if nameLine(name).Match(crd.File.Data) {
			return true
		}
	}
	return false
}

// recreated reports whether Flux deletes and makes an object anew where an apply
// of it is refused.
func recreated(o *desired.Object) bool {
	if o.Release != nil || o.Kustomization == nil {
		return false
	}
	force := o.GetAnnotations()["kustomize.toolkit.fluxcd.io/force"]
	return o.Kustomization.Spec.Force || force == "enabled" || force == "Enabled"
}

// Ref names the item as people do.
func (i *Item) Ref() domain.Ref {
	return domain.Ref{Kind: i.Key.Kind, Namespace: i.Key.Namespace, Name: i.Key.Name}
}
