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
type unjudged map[string]int

func (u unjudged) add(o *desired.Object) {
	gvk := o.GroupVersionKind()
	u[strings.TrimPrefix(gvk.Group+" "+gvk.Kind, " ")]++
}

func (u unjudged) note(p *rule.Pass) {
	for _, kind := range slices.Sorted(maps.Keys(u)) {
		objects := "1 object is"
		if n := u[kind]; n > 1 {
			objects = fmt.Sprintf("%d objects are", n)
		}
		p.Note(fmt.Sprintf("no definition of %s is at hand: %s not held against one", kind, objects))
	}
}
