// Package diff compares what two trees of a homelab would have a cluster hold:
// object by object and field by field, as Kubernetes understands them and not
// line by line.
//
// It promises that entries of lists are matched by what names them, that what
// only repeats a chart's version is left out, that changes are told with the
// application that they belong to and the file they come from, and that no
// value of a Secret is shown. It says what an apply would refuse, and what it
// would destroy.
//
// Computing what a tree holds is left to render/desired.
package diff

import (
	"hearth/internal/domain"
	"hearth/internal/render"
)

// Kind says what becomes of an object, or of a field.
type Kind string

// The kinds of changes.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
	// Reordered is a list whose entries are the same in another order.
	Reordered Kind = "reordered"
)

// Report is what differs between two trees.
type Report struct {
	// Base and Revision name the trees; "" is one that is not committed.
	Base, Revision string
	// Applications are those with differences, by namespace and name.
	Applications []*Application
	// Hidden counts objects that differ only in what repeats a chart's version.
	Hidden int
	// Notes tell what is not known of the one tree or the other.
	Notes []string
}

// Application is what differs of one Kustomization and its releases.
type Application struct {
	Of domain.Ref
	// Charts are the charts of its releases that change.
	Charts []ChartChange
	// Objects are ordered by kind, namespace and name.
	Objects []*Object
	// Problems tell what cannot be built, or no longer.
	Problems []string
}

// ChartChange is a release whose chart changes; Before or After is "" for one
// that comes or goes.
type ChartChange struct {
	Release       domain.Ref
	Before, After string
}

// Object is one object that differs.
type Object struct {
	Kind  Kind
	Key   render.Key
	Place domain.Place
	// From is the application that it belonged to, where that is another.
	From *domain.Ref
	// Fields are those that differ, in their order; none for an object that
	// comes or goes.
	Fields []Field
	// Verdicts tell what an apply refuses or destroys.
	Verdicts []Verdict
	// Before and After are its whole content, without what a Secret holds.
	Before, After map[string]any
}

// Ref names the object as people do.
func (o *Object) Ref() domain.Ref {
	return domain.Ref{Kind: o.Key.Kind, Namespace: o.Key.Namespace, Name: o.Key.Name}
}

// Field is one field that differs.
type Field struct {
	Kind Kind
	// Path leads to it; entries of lists are named by what they are matched by.
	Path string
	// Before and After are nil where the field is not there.
	Before, After any
	// Place is where the value that counts stands.
	Place domain.Place

	steps []step
}

// Effect is what an apply would do.
type Effect string

// The effects that are worth a warning.
const (
	// Refused is an apply that the API server does not take.
	Refused Effect = "refused"
	// Recreates is an object that is deleted and made anew.
	Recreates Effect = "recreates"
	// Destroys is data that is lost, or objects beyond the one that goes.
	Destroys Effect = "destroys"
	// Abandons is an object that stays in the cluster with nobody to follow it.
	Abandons Effect = "abandons"
)

// Verdict says what an apply would do to an object beyond changing it.
type Verdict struct {
	Effect  Effect
	Message string
}

// Differs reports whether there is any difference.
func (r *Report) Differs() bool { return len(r.Applications) > 0 }

// Count returns how many objects come, go or change.
func (r *Report) Count(k Kind) (n int) {
	for _, app := range r.Applications {
		for _, o := range app.Objects {
			if o.Kind == k {
				n++
			}
		}
	}
	return n
}
