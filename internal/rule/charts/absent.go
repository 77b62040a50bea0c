package charts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hearth/internal/render/desired"
)

// notAtHand gathers the charts that could not be looked at.
type notAtHand struct {
	releases int
	charts   []string
}

func (n *notAtHand) add(r *desired.Release) {
	n.releases++
	n.charts = append(n.charts, cmp.Or(r.ChartName, r.Namespace+"/"+r.Name+"'s"))
}

// note tells once which charts they are, and what is missing therefore, of one
// chart and of many.
func (n *notAtHand) note(ofOne, ofMany string) string {
	if n.releases == 0 {
		return ""
	}
	slices.Sort(n.charts)
	charts := slices.Compact(n.charts)
	subject, verb, missing := "1 chart that ", "is", ofOne
	if len(charts) > 1 {
		subject, verb, missing = fmt.Sprintf("%d charts that ", len(charts)), "are", ofMany
	}
	users := "1 release uses"
	if n.releases > 1 {
		users = fmt.Sprintf("%d releases use", n.releases)
	}
	return fmt.Sprintf("%s%s %s not at hand, so that %s: %s; hearth check --fetch gets what can be had", subject, users, verb, missing, strings.Join(charts, ", "))
}
