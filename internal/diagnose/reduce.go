package diagnose

import "slices"

// hunt is a reduction of findings to root causes.
type hunt struct {
	world   *World
	all     []*Finding
	by      map[string]*Cause
	reached []map[Key]bool
}

// reduce keeps root causes: a finding goes where another tells the same object
// better, and one that yields goes where another stands upstream of it, which
// then explains what the one did.
func reduce(w *World, v *web, all []*Finding, causes []*Cause) []*Finding {
	h := &hunt{world: w, by: map[string]*Cause{}}
	for _, c := range causes {
		h.by[c.Name] = c
	}
	for _, f := range all {
		if !slices.ContainsFunc(all, func(better *Finding) bool {
			return slices.Contains(h.by[f.Cause].Unless, better.Cause) && share(f, better)
		}) {
			h.all = append(h.all, f)
		}
	}
	for _, f := range h.all {
		if h.label(f) {
			continue
		}
		for _, k := range f.Explains {
			v.blocks[f.Subject] = append(v.blocks[f.Subject], k)
		}
	}
	for _, f := range h.all {
		h.reached = append(h.reached, reach(v.blocks, h.roots(f)...))
	}
	var kept []*Finding
	for i, f := range h.all {
		if h.by[f.Cause].Yields && slices.ContainsFunc(indices(len(h.all)), func(j int) bool { return j != i && h.upstream(j, i) }) {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// roots are what a finding spreads from.
func (h *hunt) roots(f *Finding) []Key {
	if h.label(f) {
		return f.Explains
	}
	return f.roots()
}

// share reports whether two findings are about one object.
func share(a, b *Finding) bool {
	mine := map[Key]bool{}
	for _, k := range a.roots() {
		mine[k] = true
	}
	return slices.ContainsFunc(b.roots(), func(k Key) bool { return mine[k] })
}

// upstream reports whether finding j explains what finding i is about. Of two
// that yield and explain each other the first one stays.
func (h *hunt) upstream(j, i int) bool {
	if !h.covers(j, i) || !h.by[h.all[j].Cause].Yields {
		return h.covers(j, i)
	}
	return !h.covers(i, j) || j < i
}

// covers reports whether what finding i is about waits for what finding j is
// about. The subject of a finding may be well itself, as a release is whose
// pods crash: then all that the finding explains counts.
func (h *hunt) covers(j, i int) bool {
	f := h.all[i]
	if !h.label(f) {
		return h.reached[j][f.Subject]
	}
	return len(f.Explains) > 0 && !slices.ContainsFunc(f.Explains, func(k Key) bool { return !h.reached[j][k] })
}

// label reports whether the subject of a finding is well, and only names it.
func (h *hunt) label(f *Finding) bool {
	o := h.world.Get(f.Subject)
	return o != nil && h.world.Trouble(o) == nil && len(f.Explains) > 0
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
