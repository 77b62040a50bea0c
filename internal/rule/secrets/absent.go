package secrets

import (
	"fmt"

	"hearth/internal/rule"
)

// absent counts the releases of a cluster that could not be looked into.
func absent(c *rule.Cluster) int {
	count := 0
	for _, r := range c.State.Releases {
		if r.Chart == nil || r.Err != nil {
			count++
		}
	}
	return count
}

// noteAbsent says how many releases could not be looked into.
func noteAbsent(p *rule.Pass, count int) {
	switch count {
	case 0:
	case 1:
		p.Note("the pods of one release are not known, since its chart is not at hand or does not render")
	default:
		p.Note(fmt.Sprintf("the pods of %d releases are not known, since their charts are not at hand or do not render", count))
	}
}
