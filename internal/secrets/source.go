package secrets

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"hearth/internal/onepassword"
)

// Source is where the names of vaults come from: a vault file, a lock, or a
// Connect server.
type Source struct {
	// File is a vault file.
	File string
	// Lock is what a lock lists for the cluster; nil is none.
	Lock []onepassword.Vault
	// URL and Token are a Connect server's. They count without the others.
	URL   string
	Token onepassword.Value
}

// String names the source.
func (s Source) String() string {
	switch {
	case s.File != "":
		return "the vault file " + s.File
	case s.Lock != nil:
		return LockFile
	}
	return "1Password Connect at " + s.URL
}

// maxReads bounds the items that are read at the same time.
const maxReads = 8

// Read returns the vaults with the names of their items and, of the items that
// needs name, those of the fields. Values are dropped as soon as they arrive.
func (s Source) Read(ctx context.Context, needs []Need) ([]onepassword.Vault, error) {
	switch {
	case s.Lock != nil:
		return s.Lock, nil
	case s.File != "":
		vaults, err := onepassword.ReadFile(s.File)
		return Names(vaults), err
	}
	client := onepassword.NewClient(onepassword.ClientOptions{URL: s.URL, Token: s.Token.Reveal(), AllVaults: true})
	defer client.Close()
	since := time.Now()
	vaults, err := client.Reach(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("read the vaults: %w", err)
	}
	list, err := client.List(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("read the items of the vaults: %w", err)
	}
	if err := fill(ctx, client, since, needs, list); err != nil {
		return nil, err
	}
	for _, item := range list {
		if i := slices.IndexFunc(vaults, func(v onepassword.Vault) bool { return v.ID == item.VaultID }); i >= 0 {
			vaults[i].Items = append(vaults[i].Items, *item)
		}
	}
	return vaults, nil
}

// fill replaces the items of a list that needs ask for by what is in them.
func fill(ctx context.Context, client *onepassword.Client, since time.Time, needs []Need, list []*onepassword.Item) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxReads)
	for i, item := range list {
		if !asked(needs, item) {
			bare := bareItem(*item)
			list[i] = &bare
			continue
		}
		group.Go(func() error {
			full, err := client.Full(ctx, item, since)
			if err != nil {
				return fmt.Errorf("read the 1Password item %q: %w", item.Title, err)
			}
			bare := bareItem(*full)
			list[i] = &bare
			return nil
		})
	}
	return group.Wait()
}

// asked reports whether a need names an item, or may find something in it.
func asked(needs []Need, item *onepassword.Item) bool {
	return slices.ContainsFunc(needs, func(n Need) bool {
		if n.Search != nil {
			return n.Item == "" || n.Item == item.Title
		}
		return n.Item == item.Title || n.Item == item.ID
	})
}
