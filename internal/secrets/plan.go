package secrets

import (
	"context"
	"slices"

	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
)

// Plan is what a rehearsal goes by when it makes values up: the needs that [Of]
// lists, so that it makes up those and no others. The zero value knows nothing.
type Plan struct {
	// Needs are all that the tree asks for.
	Needs []onepassword.Need

	keys   map[string]map[string][]string
	pushed map[[2]string]bool
}

// NewPlan reads what a cluster needs; vaults, of which something is known
// already, may be nil.
func NewPlan(ctx context.Context, state *desired.State, vaults []onepassword.Vault) *Plan {
	p := &Plan{keys: wantedKeys(state), pushed: pushedFields(state)}
	for _, n := range Of(ctx, state, vaults) {
		if n.Search == nil {
			p.Needs = append(p.Needs, n.read)
		}
	}
	return p
}

// Keys maps the Secrets of a namespace to the keys that are taken from them.
func (p *Plan) Keys(namespace string) map[string][]string { return p.keys[namespace] }

// Unpushed leaves out what something in the cluster writes into the vault.
func (p *Plan) Unpushed(needs []onepassword.Need) []onepassword.Need {
	return slices.DeleteFunc(needs, func(n onepassword.Need) bool { return p.pushed[[2]string{n.Item, n.Field}] })
}
