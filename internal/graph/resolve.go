package graph

import (
	"fmt"
	"strings"

	"hearth/internal/render/desired"
)

// Resolution is what a reference leads to.
type Resolution struct {
	// By makes the object; nil where something at run time does, or nothing.
	By *desired.Object
	// Missing says that surely nothing makes it.
	Missing bool
	// Doubt says why it may exist although nothing is known to make it.
	Doubt string

	// likely is the release that a doubt is about.
	likely *desired.Object
}

// Resolve tells what a reference of an object leads to. It is [Graph.Provider]
// and [Graph.DoubtAbout] in one, and knows besides that the hooks and the
// controller of a chart may make what only its own templates name.
func (g *Graph) Resolve(o *desired.Object, r Reference) Resolution {
	by, known := g.Provider(r.Group, r.Kind, r.Namespace, r.Name)
	if known {
		return Resolution{By: by}
	}
	if d, doubt := g.doubtAbout(r.Kind, r.Namespace, r.Name); doubt {
		found := Resolution{Doubt: d.why}
		if d.release != nil && d.isAbout(r.Name) {
			found.likely = d.release.Object
		}
		return found
	}
	if isCustom(r.Group) && len(g.Brings(r.Group, r.Kind)) == 0 {
		return Resolution{Doubt: fmt.Sprintf("nothing in the tree tells about kinds of %s", r.Group)}
	}
	if release := releaseOf(o); release != nil && chartName(release) != appTemplate && !mentionsWithin(field{value: map[string]any(release.Values)}, r.Name, maxDepth) {
		return Resolution{Doubt: fmt.Sprintf("the chart %s names it itself, and may make it at run time", chartName(release))}
	}
	return Resolution{Missing: true}
}

// releaseOf returns the release that renders an object; nil also for no object.
func releaseOf(o *desired.Object) *desired.Release {
	if o == nil {
		return nil
	}
	return o.Release
}

// mentionsWithin reports whether a text of a field holds another text.
func mentionsWithin(f field, text string, depth int) bool {
	if depth == 0 {
		return false
	}
	if s, ok := f.value.(string); ok && strings.Contains(s, text) {
		return true
	}
	for item := range f.items() {
		if mentionsWithin(item, text, depth-1) {
			return true
		}
	}
	for _, value := range f.entries() {
		if mentionsWithin(value, text, depth-1) {
			return true
		}
	}
	return false
}
