package desired

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/render"
)

// All yields what bootstrap and Kustomizations apply, and then what releases
// render.
func (s *State) All() iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		for _, o := range s.Objects {
			if !yield(o) {
				return
			}
		}
		for _, o := range s.rendered {
			if !yield(o) {
				return
			}
		}
	}
}

// Find returns an object, or nil where the cluster should not hold it. One that
// a Kustomization applies goes before what bootstrap supplies. The namespace
// of cluster-scoped objects is "".
func (s *State) Find(group, kind, namespace, name string) *Object {
	found := s.byKey[render.Key{Group: group, Kind: kind, Namespace: namespace, Name: name}]
	for _, o := range found {
		if !o.Bootstrap {
			return o
		}
	}
	if len(found) > 0 {
		return found[0]
	}
	return nil
}

// Same returns all objects of one name: more than one where several
// Kustomizations apply it, or bootstrap supplies it first.
func (s *State) Same(o *Object) []*Object {
	return slices.Clone(s.byKey[render.KeyOf(o.Unstructured)])
}

// OfKind returns the objects of a kind, in the order of All.
func (s *State) OfKind(group, kind string) []*Object {
	return slices.Clone(s.byKind[schema.GroupKind{Group: group, Kind: kind}])
}

// sortKinds notes the kind of every object, which rules ask for again and again.
func (s *State) sortKinds() {
	s.byKind = map[schema.GroupKind][]*Object{}
	for o := range s.All() {
		o.gvk = o.Unstructured.GroupVersionKind()
		s.byKind[o.gvk.GroupKind()] = append(s.byKind[o.gvk.GroupKind()], o)
	}
}

// GroupVersionKind returns the object's kind with its API.
func (o *Object) GroupVersionKind() schema.GroupVersionKind {
	if o.gvk.Kind == "" {
		return o.Unstructured.GroupVersionKind()
	}
	return o.gvk
}

// Of returns the Kustomization of a name, or nil.
func (s *State) Of(namespace, name string) *Kustomization {
	for _, k := range s.Kustomizations {
		if k.Namespace == namespace && k.Name == name {
			return k
		}
	}
	return nil
}

// Release returns the release that a HelmRelease stands for, or nil.
func (s *State) Release(namespace, name string) *Release {
	for _, r := range s.Releases {
		if r.Namespace == namespace && r.Name == name {
			return r
		}
	}
	return nil
}

// Reached reports whether a file of the repository is read by the build of a
// Kustomization, or by the cluster's bootstrap or entry.
func (s *State) Reached(file string) bool { return s.reachedFiles()[file] }

func (s *State) readFiles() map[string]bool {
	read := map[string]bool{}
	note := func(files ...string) {
		for _, f := range files {
			read[f] = true
		}
	}
	for _, k := range s.Kustomizations {
		note(k.Read...)
	}
	note(s.bootstrapRead...)
	note(s.Cluster.Entry.Place.File)
	for _, o := range s.Cluster.Bootstrap.Objects {
		note(o.Place.File)
	}
	for _, r := range s.Cluster.Bootstrap.Releases {
		note(r.Place.File)
		note(r.ValueFiles...)
	}
	for _, k := range s.Cluster.Bootstrap.Kustomizations {
		note(k.Place.File)
	}
	return read
}
