package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/schema"
)

const (
	definitionGroup = "apiextensions.k8s.io"
	definitionKind  = "CustomResourceDefinition"
)

// definitions returns the custom resource definitions at hand: those that the
// cluster should hold, and else those that stand anywhere in the repository.
func definitions(p *rule.Pass, s *desired.State) []*schema.Definition {
	var found []*schema.Definition
	have := map[string]bool{}
	add := func(obj *unstructured.Unstructured) {
		// What is wrong with a definition is found when it is judged itself.
		if d, err := schema.CustomResourceDefinition(obj); err == nil {
			found = append(found, d)
			have[obj.GetName()] = true
		}
	}
	for _, o := range s.OfKind(definitionGroup, definitionKind) {
		if o.Release == nil || !o.Release.StandIn {
			add(o.Unstructured)
		}
	}
	for _, d := range p.Repository.Documents() {
		if d.Kind() == definitionKind && d.Group() == definitionGroup && !have[d.Name()] {
			add(&unstructured.Unstructured{Object: d.Object()})
		}
	}
	return found
}

// unjudged counts the objects of kinds whose definition is not at hand, by API
// group and kind.
type unjudged map[string]map[string]int

func (u unjudged) add(o *desired.Object) {
	gvk := o.GroupVersionKind()
	if u[gvk.Group] == nil {
		u[gvk.Group] = map[string]int{}
	}
	u[gvk.Group][gvk.Kind]++
}

// note tells all of them at once.
func (u unjudged) note(p *rule.Pass) {
	var groups []string
	kinds, objects := 0, 0
	for _, group := range slices.Sorted(maps.Keys(u)) {
		names := slices.Sorted(maps.Keys(u[group]))
		groups = append(groups, strings.TrimSpace(group+" "+strings.Join(names, ", ")))
		for _, name := range names {
			kinds, objects = kinds+1, objects+u[group][name]
		}
	}
	verb := "are"
	switch objects {
	case 0:
		return
	case 1:
		verb = "is"
	}
	p.Note(fmt.Sprintf("no definition is at hand for %s of %s, which %s not judged: %s",
		counted(kinds, "kind"), counted(objects, "object"), verb, strings.Join(groups, "; ")))
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, strings.ReplaceAll(noun, " or", "s or"))
}
