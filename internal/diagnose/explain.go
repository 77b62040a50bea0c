package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// The bounds of a report.
const (
	maxFindings = 500
	maxEvidence = 12
	maxCommands = 6
)

// Options say what to explain.
type Options struct {
	// Causes are those that are looked for.
	Causes []*Cause
	// Of limits the report to what these objects are in trouble for; all where
	// it is empty. See [World.Target].
	Of []Key
	// Namespace limits it to what is in trouble in a namespace.
	Namespace string
	// History tells which commit brought a line; nil where there is none.
	History *History
	// Context is the kubeconfig context that commands are told with.
	Context string
}

// Explain tells why objects of a world are in trouble: every cause once, with
// all that it blocks, and what no cause was found for. A healthy world yields
// neither.
func Explain(ctx context.Context, w *World, o Options) *Report {
	v := weave(w)
	found := reduce(w, v, search(w, o.Causes), o.Causes)
	r := &Report{Findings: []*Finding{}, Unexplained: []*Unexplained{}, Objects: len(w.objects)}
	explained := map[Key]bool{}
	for _, f := range found {
		reached := reach(v.blocks, f.roots()...)
		for k := range reached {
			explained[k] = true
		}
		f.Blocked = w.affected(reached, f.Subject)
	}
	r.Down = w.Down()
	scope := scopeOf(w, v, o)
	for _, f := range found {
		if scope.concerns(f.roots(), f.Blocked) && len(r.Findings) < maxFindings {
			r.Findings = append(r.Findings, f)
		}
	}
	for _, u := range unexplained(w, v, explained) {
		if scope.concerns([]Key{u.key}, u.Blocked) && len(r.Unexplained) < maxFindings {
			r.Unexplained = append(r.Unexplained, u.Unexplained)
		}
	}
	for _, kind := range Kinds {
		if why, hidden := w.unseen[kind]; hidden {
			r.Unseen = append(r.Unseen, kind.Name+": "+Clean(why))
		}
	}
	r.locate(ctx, w, o)
	slices.SortStableFunc(r.Findings, func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(len(b.Blocked), len(a.Blocked)), strings.Compare(a.Cause, b.Cause), RefOf(a.Subject).Compare(RefOf(b.Subject)))
	})
	return r
}

// Down returns all objects in trouble, in order, but for those that somebody
// suspended or scaled down.
func (w *World) Down() []Affected {
	var down []Affected
	for _, o := range w.everything() {
		if w.Acute(o) {
			down = append(down, w.affectedBy(o, w.Trouble(o)))
		}
	}
	return down
}

// roots are what a finding explains at once.
func (f *Finding) roots() []Key { return append([]Key{f.Subject}, f.Explains...) }

// search asks every cause, and makes one finding of those that say the same of
// the same object.
func search(w *World, causes []*Cause) []*Finding {
	type same struct {
		cause   string
		subject Key
	}
	at := map[same]*Finding{}
	var all []*Finding
	for _, c := range causes {
		s := &Search{World: w, cause: c}
		c.Find(s)
		for _, f := range s.found {
			key := same{f.Cause, f.Subject}
			if first := at[key]; first != nil {
				first.Explains = append(first.Explains, f.Explains...)
				first.Evidence = append(first.Evidence, f.Evidence...)
				continue
			}
			at[key] = f
			all = append(all, f)
		}
	}
	return all
}

// affected returns the objects of a set that somebody misses, but for one.
func (w *World) affected(set map[Key]bool, but Key) []Affected {
	list := []Affected{}
	for _, k := range sortedKeys(set) {
		o := w.Get(k)
		if o == nil || k == but {
			continue
		}
		if t := w.Trouble(o); t != nil && !t.Quiet {
			list = append(list, w.affectedBy(o, t))
		}
	}
	return list
}

func (w *World) affectedBy(o *Object, t *Trouble) Affected {
	return Affected{Object: o.Ref(), State: t.State, Message: t.Message, Since: t.Since}
}

// open is an object without a cause.
type open struct {
	*Unexplained
	key Key
}

// unexplained returns the symptoms that nothing explains, those that wait for
// another one with it.
func unexplained(w *World, v *web, explained map[Key]bool) []open {
	var list []open
	left := map[Key]bool{}
	for _, o := range w.everything() {
		if !explained[o.Key] && w.Acute(o) {
			left[o.Key] = true
		}
	}
	told := map[Key]bool{}
	for _, k := range sortedKeys(left) {
		waits := false
		for up := range reach(v.needs, k) {
			waits = waits || up != k && left[up] && (!reach(v.needs, up)[k] || told[up])
		}
		if waits {
			continue
		}
		told[k] = true
		o := w.Get(k)
		list = append(list, open{key: k, Unexplained: &Unexplained{
			Affected: w.affectedBy(o, w.Trouble(o)),
			LookedAt: w.lookedAt(v, o), Blocked: w.affected(reach(v.blocks, k), k), Commands: See(o),
		}})
	}
	return list
}

// lookedAt says what an answer would have been found in.
func (w *World) lookedAt(v *web, o *Object) []string {
	list := []string{"its status"}
	if n := len(w.Events(o.Key)); n > 0 {
		list = append(list, fmt.Sprintf("its events (%d)", n))
	} else {
		list = append(list, "its events (none on record)")
	}
	for _, k := range v.needs[o.Key] {
		list = append(list, RefOf(k).String())
	}
	if by := w.Bringer(o); by != nil {
		list = append(list, by.Ref().String())
	}
	return list[:min(len(list), maxEvidence)]
}
