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
	switch absent {
	case 0:
	case 1:
		p.Note(fmt.Sprintf("cluster %s: the pods of one release are not known, since its chart is not at hand or does not render", c.Name))
	default:
		p.Note(fmt.Sprintf("cluster %s: the pods of %d releases are not known, since their charts are not at hand or do not render", c.Name, absent))
	}
}
