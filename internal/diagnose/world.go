package diagnose

import (
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// World is what is known of a cluster at one moment. It is filled by Add and
// AddEvent, and read-only from the first Explain on.
type World struct {
	// Now is the moment.
	Now time.Time
	// Settled says that nothing will change by itself any more, as after a
	// rehearsal: what is under way is then stuck however young it is.
	Settled bool
	// Places looks places in Git up; nil where there is no repository.
	Places Places
	// Items are the titles of the vault's items, where they are known.
	Items []string
	// Logs reports whether the end of the log of a container's last run holds
	// one of some signs; nil where there are no logs.
	Logs func(pod *Object, container string, signs []*regexp.Regexp) bool
	// Resolves reports whether a host name resolves; nil where nobody asks.
	Resolves func(host string) (resolves, known bool)

	objects  map[Key]*Object
	byKind   map[Kind][]*Object
	events   map[domain.Ref][]observe.Happening
	children map[string][]*Object // by the UID of their controller
	unseen   map[Kind]string
	troubles map[Key]*Trouble
	looked   *index
	sorted   bool
}

// Object is one object of a world.
type Object struct {
	Fields
	Key
	// Edits are what people changed by hand.
	Edits []Edit

	labels, annotations map[string]any
}

// NewWorld returns an empty world.
func NewWorld(now time.Time) *World {
	return &World{
		Now: now, objects: map[Key]*Object{}, byKind: map[Kind][]*Object{}, events: map[domain.Ref][]observe.Happening{},
		children: map[string][]*Object{}, unseen: map[Kind]string{}, troubles: map[Key]*Trouble{},
	}
}

// Add takes an object in, which must not change afterwards. Of kinds of which
// only marks count the rest is not kept.
func (w *World) Add(obj *unstructured.Unstructured) {
	gvk := obj.GroupVersionKind()
	kind := Kind{gvk.Group, gvk.Kind}
	content := obj.Object
	if kind.MarksOnly() {
		content = map[string]any{"metadata": content["metadata"]}
	}
	o := &Object{Fields: content, Key: kind.Key(obj.GetNamespace(), obj.GetName())}
	o.labels, o.annotations = o.In("metadata", "labels"), o.In("metadata", "annotations")
	o.Edits = editsOf(o.Fields)
	if _, known := w.objects[o.Key]; known {
		return
	}
	w.objects[o.Key] = o
	w.byKind[kind] = append(w.byKind[kind], o)
	if uid := o.controller().Text("uid"); uid != "" {
		w.children[uid] = append(w.children[uid], o)
	}
	w.sorted, w.looked = false, nil
}

// AddEvent takes an event in.
func (w *World) AddEvent(h observe.Happening) { w.events[h.Object] = append(w.events[h.Object], h) }

// CannotSee notes that a kind could not be read.
func (w *World) CannotSee(kind Kind, why string) { w.unseen[kind] = why }

// Sees reports whether an object of the kind that is not in the world does not
// exist.
func (w *World) Sees(kind Kind) bool { _, hidden := w.unseen[kind]; return !hidden }

// Get returns an object, or nil.
func (w *World) Get(k Key) *Object { return w.objects[k] }

// Missing reports whether an object surely does not exist.
func (w *World) Missing(k Key) bool { return w.objects[k] == nil && w.Sees(Kind{k.Group, k.Kind}) }

// All returns the objects of some kinds, in the order of their names.
func (w *World) All(kinds ...Kind) []*Object {
	w.order()
	var all []*Object
	for _, kind := range kinds {
		all = append(all, w.byKind[kind]...)
	}
	return all
}

// Children returns what has an object for its controller.
func (w *World) Children(o *Object) []*Object { return w.children[o.Text("metadata", "uid")] }

// Events returns what happened to an object, the latest first. What happened
// before it was made happened to another one of its name.
func (w *World) Events(k Key) []observe.Happening {
	w.order()
	list, o := w.events[RefOf(k)], w.objects[k]
	if o == nil {
		return list
	}
	created := o.Created()
	if i := slices.IndexFunc(list, func(h observe.Happening) bool { return h.Time.Before(created) }); i >= 0 {
		return list[:i]
	}
	return list
}

func (w *World) order() {
	if w.sorted {
		return
	}
	for _, list := range w.byKind {
		slices.SortFunc(list, func(a, b *Object) int { return RefOf(a.Key).Compare(RefOf(b.Key)) })
	}
	for _, list := range w.events {
		slices.SortStableFunc(list, func(a, b observe.Happening) int { return b.Time.Compare(a.Time) })
	}
	for _, list := range w.children {
		slices.SortFunc(list, func(a, b *Object) int { return RefOf(a.Key).Compare(RefOf(b.Key)) })
	}
	w.sorted = true
}

// Kind returns the object's kind.
func (o *Object) Kind() Kind { return Kind{o.Key.Group, o.Key.Kind} }

// Ref returns the object as the domain names it.
func (o *Object) Ref() domain.Ref { return RefOf(o.Key) }

// Label returns a label.
func (o *Object) Label(name string) string { s, _ := o.labels[name].(string); return s }

// Annotation returns an annotation.
func (o *Object) Annotation(name string) string { s, _ := o.annotations[name].(string); return s }

// Deleting returns since when the object is to be deleted.
func (o *Object) Deleting() (since time.Time, deleting bool) {
	since = o.Time("metadata", "deletionTimestamp")
	return since, o.Has("metadata", "deletionTimestamp")
}

// Created returns when the object was made.
func (o *Object) Created() time.Time { return o.Time("metadata", "creationTimestamp") }

func (o *Object) controller() Fields {
	for _, owner := range o.List("metadata", "ownerReferences") {
		if owner.True("controller") {
			return owner
		}
	}
	return nil
}

// Names reads a reference to an object of a kind: name, and a namespace that
// may be left out.
func (o *Object) Names(kind Kind, ref Fields) Key {
	namespace := ref.Text("namespace")
	switch {
	case clusterScoped[kind]:
		namespace = ""
	case namespace == "":
		namespace = o.Namespace
	}
	return kind.Key(namespace, ref.Text("name"))
}
