package diff

import (
	"context"
	"encoding/json"
	"errors"

	"hearth/internal/render/desired"
	"hearth/internal/render/kept"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// snapshotFormat changes with what a snapshot means.
const snapshotFormat = "1"

// Request says which trees to look at.
type Request struct {
	// Path is a homelab repository or a folder inside it.
	Path string
	// Base is the revision to compare with.
	Base string
	// Cluster may be "" where there is one.
	Cluster string
	// Charts opens the charts that are at hand for a repository.
	Charts func(*repo.Repository) (*source.Charts, error)
	// ChartsDir is the folder of the charts that are at hand.
	ChartsDir string
	// Builds keeps builds, and Snapshots what commits hold; nil ones keep nothing.
	Builds, Snapshots *kept.Store
}

// Tree is the snapshot of the working tree.
func (q Request) Tree(ctx context.Context) (*Snapshot, error) {
	r, err := repo.Open(ctx, q.Path, repo.Options{})
	if err != nil {
		return nil, err
	}
	defer q.Builds.Trim()
	return q.take(ctx, r, &kept.Builds{Store: q.Builds}, nil)
}

// Trees are the snapshots of the base and of the working tree. Only what the
// change between them can reach is rendered for the latter, and a base that was
// looked at before not at all. A *repo.RevisionError tells that there is no such
// base.
func (q Request) Trees(ctx context.Context) (before, after *Snapshot, err error) {
	r, err := repo.Open(ctx, q.Path, repo.Options{})
	if err != nil {
		return nil, nil, err
	}
	chosen, err := r.Cluster(q.Cluster)
	if err != nil {
		return nil, nil, err
	}
	q.Cluster = chosen.Name
	builds := &kept.Builds{Store: q.Builds}
	defer q.Builds.Trim()
	if before, err = q.base(ctx, r, builds); err != nil {
		return nil, nil, err
	}
	after, err = q.take(ctx, r, builds, before)
	return before, after, err
}

// base is the snapshot of the tree to compare with. One that was no homelab yet,
// or without the cluster, holds nothing.
func (q Request) base(ctx context.Context, r *repo.Repository, builds *kept.Builds) (*Snapshot, error) {
	commit, err := repo.ResolveRevision(r.Root, q.Base)
	if err != nil {
		return nil, err
	}
	name := q.name(r, commit)
	if data, ok := q.Snapshots.Get(name); ok {
		var s Snapshot
		if json.Unmarshal(data, &s) == nil {
			return &s, nil
		}
	}
	past, err := r.At(ctx, q.Base)
	var revision *repo.RevisionError
	switch {
	case errors.As(err, &revision), ctx.Err() != nil:
		return nil, err
	case err != nil:
		return &Snapshot{Revision: commit}, nil
	}
	defer past.Close()
	if _, err := past.Cluster(q.Cluster); err != nil {
		return &Snapshot{Revision: commit}, nil
	}
	builds.Still(ctx, past.Repository)
	s, err := q.take(ctx, past.Repository, builds, nil)
	if err != nil {
		return nil, err
	}
	if data, err := json.Marshal(s); err == nil {
		q.Snapshots.Put(name, data)
		q.Snapshots.Trim()
	}
	return s, nil
}

// name names the snapshot of a commit, and all that it depends on.
func (q Request) name(r *repo.Repository, commit string) string {
	if q.Snapshots == nil {
		return ""
	}
	return kept.Digest(snapshotFormat, kept.Program(), r.Root, commit, q.Cluster, kept.Listing(q.ChartsDir), salt())
}

// take computes what a tree holds.
func (q Request) take(ctx context.Context, r *repo.Repository, builds *kept.Builds, base *Snapshot) (*Snapshot, error) {
	c, err := r.Cluster(q.Cluster)
	if err != nil {
		return nil, err
	}
	charts, err := q.Charts(r)
	if err != nil {
		return nil, err
	}
	state, err := desired.Build(ctx, r, c, desired.Options{Charts: charts, Builds: builds, Skip: base.Skip()})
	if err != nil {
		return nil, err
	}
	return Taken(state, base)
}
