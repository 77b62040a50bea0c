package onepassword

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Reach returns the vaults that the token reaches, ordered by name and without
// their items. The errors are as of Item.
func (c *Client) Reach(ctx context.Context, since time.Time) ([]Vault, error) {
	v, err := c.once(ctx, "reach", since, func(ctx context.Context, _ time.Time) (any, error) {
		var found []wireVault
		if err := c.get(ctx, "/v1/vaults", &found); err != nil {
			return nil, err
		}
		vaults := make([]Vault, 0, len(found))
		for _, w := range found {
			vaults = append(vaults, Vault{ID: w.ID, Name: w.Name})
		}
		slices.SortFunc(vaults, func(a, b Vault) int { return strings.Compare(a.Name, b.Name) })
		return vaults, nil
	})
	if err != nil {
		return nil, err
	}
	return v.([]Vault), nil
}
