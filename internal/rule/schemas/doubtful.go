package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/schema"
)

// doubtful are fields and values that the definition of an operator which
// Hearth carries does not know. The cluster may have a later release, which
// does.
type doubtful map[string]bool

// certain returns the problems that hardly depend on the release of an
// operator, and keeps the others in mind.
func (d doubtful) certain(o *desired.Object, problems []schema.Problem) []schema.Problem {
	// A mapping that has a field of a later release may do without one that
	// this release demands.
	extended := map[string]bool{}
	for _, problem := range problems {
		if problem.Release == "" || !problem.Novel {
			continue
		}
		d[fmt.Sprintf("`%s` of %s (%s)", schema.FieldPath(problem.Path), o.Ref, problem.Release)] = true
		if last := len(problem.Path) - 1; last >= 0 {
			extended[schema.FieldPath(problem.Path[:last])] = true
		}
	}
	if len(extended) == 0 {
		return problems
	}
	return slices.DeleteFunc(problems, func(problem schema.Problem) bool {
		return problem.Release != "" && (problem.Novel || extended[schema.FieldPath(problem.Path)])
	})
}

// note tells all of them at once.
func (d doubtful) note(p *rule.Pass) {
	if len(d) == 0 {
		return
	}
	const shown = 5
	names := slices.Sorted(maps.Keys(d))
	rest := ""
	if len(names) > shown {
		rest = fmt.Sprintf(", and %d more", len(names)-shown)
		names = names[:shown]
	}
	p.Note(fmt.Sprintf("the definitions that Hearth carries do not know %s, which a later release may know: %s%s",
		counted(len(d), "field or value"), strings.Join(names, ", "), rest))
}
