package diff

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// verdicts tells what an apply would do beyond the change itself.
func verdicts(o *Object, old, now placed) []Verdict {
	switch o.Kind {
	case Removed:
		return removal(old)
	case Added:
		return nil
	}
	var list []Verdict
	if v, ok := update(o, now); ok {
		list = append(list, v)
	}
	if o.From != nil && !old.Stays && now.Loses {
		list = append(list, Verdict{Destroys, fmt.Sprintf("it moves from %s, which may prune it before %s has taken it over: its data would go with it", o.From, now.unit.App)})
	}
	return list
}

// removal tells what goes with an object that leaves Git.
func removal(old placed) []Verdict {
	switch {
	case old.unit.App == bootstrap:
		return nil
	case old.Stays && (old.Loses || old.Key.Kind == crdKind):
		return []Verdict{{Abandons, "it stays in the cluster, and nothing follows it any more"}}
	case old.Stays || old.Hook:
		return nil
	case old.Loses:
		return []Verdict{{Destroys, "its data is deleted with it"}}
	case old.Key.Kind == crdKind:
		return []Verdict{{Destroys, "all objects of this kind are deleted with it"}}
	case old.Key.Kind == "Namespace" && old.Key.Group == "":
		return []Verdict{{Destroys, "all that is in it is deleted with it"}}
	}
	return nil
}

// update tells what a change does that the API server does not take.
func update(o *Object, now placed) (Verdict, bool) {
	if now.Hook {
		return Verdict{}, false // it is made anew anyway
	}
	fields, why := refusals(o)
	if len(fields) == 0 {
		return Verdict{}, false
	}
	slices.Sort(fields)
	fields = slices.Compact(fields)
	named := strings.Join(fields[:min(len(fields), 3)], ", ")
	if more := len(fields) - 3; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	if !now.Recreated {
		return Verdict{Refused, named + " " + why}, true
	}
	if now.Loses {
		return Verdict{Destroys, named + " " + why + ": the object is deleted and made anew, and its data is lost"}, true
	}
	return Verdict{Recreates, named + " " + why + ": the object is deleted and made anew"}, true
}

// nameLine finds the name of a definition in its document.
func nameLine(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\s+name:\s*["']?` + regexp.QuoteMeta(name) + `["']?\s*$`)
}
