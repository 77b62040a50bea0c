package diff

import (
	"fmt"
	"slices"
	"strings"

	"hearth/internal/domain"
)

// pair tells the units of two snapshots of each other, before they are compared:
// what one cannot tell is no difference.
func pair(before, after *Snapshot) {
	mark := func(units []*Unit, others map[domain.Ref]*Unit) {
		for _, u := range units {
			other := others[u.Of]
			u.otherMissing = other != nil && other.Problem != "" && u.Problem == ""
		}
	}
	mark(before.Units, unitsOf(after))
	mark(after.Units, unitsOf(before))
}

func unitsOf(s *Snapshot) map[domain.Ref]*Unit {
	units := map[domain.Ref]*Unit{}
	for _, u := range s.Units {
		units[u.Of] = u
	}
	return units
}

// maxNamed is how many of those that are not compared are named.
const maxNamed = 5

// releases tells whose chart changes, and what cannot be built.
func (c *comparison) releases(before, after *Snapshot) {
	old := unitsOf(before)
	var missing []string
	for _, u := range after.Units {
		was := old[u.Of]
		delete(old, u.Of)
		switch {
		case was == nil && u.Chart != "":
			c.app(u.App).Charts = append(c.app(u.App).Charts, ChartChange{Release: u.Of, After: u.Chart})
		case was != nil && was.Chart != u.Chart:
			c.app(u.App).Charts = append(c.app(u.App).Charts, ChartChange{u.Of, was.Chart, u.Chart})
		}
		if u.Problem != "" && (was == nil || was.Problem != u.Problem) {
			app := c.app(u.App)
			app.Problems = append(app.Problems, fmt.Sprintf("%s: %s", u.Of, u.Problem))
		} else if u.Problem != "" {
			missing = append(missing, u.Of.String())
		}
	}
	for _, u := range before.Units {
		if old[u.Of] != nil && u.Chart != "" {
			c.app(u.App).Charts = append(c.app(u.App).Charts, ChartChange{Release: u.Of, Before: u.Chart})
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		named := strings.Join(missing[:min(len(missing), maxNamed)], ", ")
		if more := len(missing) - maxNamed; more > 0 {
			named += fmt.Sprintf(" and %d more", more)
		}
		c.report.Notes = append(c.report.Notes, "not compared, since they cannot be built in either tree or their chart is not at hand: "+named)
	}
}
