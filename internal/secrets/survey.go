package secrets

import (
	"context"
	"fmt"
	"slices"

	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
)

// Survey is what a cluster needs, held against what its vaults have.
type Survey struct {
	State *desired.State
	// Needs are those of ExternalSecrets and those of op:// references.
	Needs []Need
	// Source is nil where no vault was looked at.
	Source *Source
	// Vaults hold names only.
	Vaults []onepassword.Vault
}

// Look surveys a cluster; source may be nil.
func Look(ctx context.Context, state *desired.State, source *Source) (*Survey, error) {
	references, err := References(ctx, state.Repository, state.Cluster)
	if err != nil {
		return nil, fmt.Errorf("look for op:// references in %s: %w", state.Repository.Root, err)
	}
	s := &Survey{State: state, Source: source, Needs: slices.Concat(Of(ctx, state, nil), references)}
	slices.SortStableFunc(s.Needs, compare)
	if source == nil {
		return s, nil
	}
	if s.Vaults, err = source.Read(ctx, s.Needs); err != nil {
		return nil, err
	}
	s.Needs = slices.Concat(Of(ctx, state, s.Vaults), references)
	slices.SortStableFunc(s.Needs, compare)
	return s, nil
}

// Problems returns the needs that the vaults do not meet. A Connect server is
// asked for what is 1Password's only; a vault file plays every other store, too.
// Vaults that only op:// references name may be out of the server's reach.
func (s *Survey) Problems() []Problem {
	return Judge(slices.DeleteFunc(slices.Clone(s.Needs), func(n Need) bool {
		if n.Object.Kind == "" {
			return len(searched(s.Vaults, n.Store.Vaults)) == 0
		}
		return s.Source.File == "" && !IsOnePassword(n.Store.Provider)
	}), s.Vaults)
}

// Unused returns what nothing reads in the vaults that the cluster's stores search.
func (s *Survey) Unused() []Unused { return UnusedOf(s.Needs, s.Vaults) }

// Locked returns what a lock is to list for the cluster.
func (s *Survey) Locked() []onepassword.Vault {
	return Locked(slices.DeleteFunc(slices.Clone(s.Needs), func(n Need) bool { return !IsOnePassword(n.Store.Provider) }), s.Vaults)
}

// Relock puts what surveys found into the lock of the repository at a root;
// clusters that were not surveyed stay as they are. It reports whether
// anything in the lock changed. A lock that cannot be read is replaced.
func Relock(root string, surveys []*Survey) (changed bool, err error) {
	lock, err := ReadLock(root)
	if lock == nil || err != nil {
		lock = &Lock{Clusters: map[string][]onepassword.Vault{}}
	}
	for _, s := range surveys {
		lock.Clusters[s.State.Cluster.Name] = s.Locked()
	}
	return lock.Write(root)
}
