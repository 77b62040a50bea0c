package secrets

import (
	"fmt"

	"hearth/internal/rule"
)

// noteAbsent says how many releases could not be looked into.
func noteAbsent(p *rule.Pass, c *rule.Cluster) {
	absent := 0
	for _, r := range c.State.Releases {
		if r.Chart == nil || r.Err != nil {
			absent++
		}
	}
	if absent > 0 {
		p.Note(fmt.Sprintf("cluster %s: the pods of %d releases are not known, since their charts are not at hand or do not render", c.Name, absent))
	}
}
