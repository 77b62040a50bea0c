package diff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

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
	return q.take(ctx, r, &kept.Builds{Store: q.Builds}, nothing)
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
	commit, err := repo.ResolveRevision(r.Root, q.Base)
	if err != nil {
		return nil, nil, err
	}
	if data, ok := q.Snapshots.Get(q.name(r, commit)); ok {
		// It is read while the working tree is built.
		read := sync.OnceValues(func() (*Snapshot, error) {
			s := &Snapshot{}
			return s, json.Unmarshal(data, s)
		})
		go func() { _, _ = read() }()
		after, err = q.take(ctx, r, builds, read)
		if !errors.Is(err, errKept) {
			before, _ = read()
			return before, after, err
		}
	}
	if before, err = q.base(ctx, r, commit, builds); err != nil {
		return nil, nil, err
	}
	after, err = q.take(ctx, r, builds, func() (*Snapshot, error) { return before, nil })
	return before, after, err
}

// errKept says that a snapshot that was kept cannot be read.
var errKept = errors.New("a snapshot of a commit cannot be read")

// base is the snapshot of the tree to compare with. One that was no homelab yet,
// or without the cluster, holds nothing.
func (q Request) base(ctx context.Context, r *repo.Repository, commit string, builds *kept.Builds) (*Snapshot, error) {
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
	s, err := q.take(ctx, past.Repository, builds, nothing)
	if err != nil {
		return nil, err
	}
	if data, err := json.Marshal(s); err == nil {
		q.Snapshots.Put(q.name(r, commit), data)
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

// nothing is the base of what is compared with nothing.
func nothing() (*Snapshot, error) { return nil, nil }

// take computes what a tree holds; what the base has of it already is not
// computed again.
func (q Request) take(ctx context.Context, r *repo.Repository, builds *kept.Builds, base func() (*Snapshot, error)) (*Snapshot, error) {
	c, err := r.Cluster(q.Cluster)
	if err != nil {
		return nil, err
	}
	charts, err := q.Charts(r)
	if err != nil {
		return nil, err
	}
	skip := sync.OnceValue(func() func(*desired.Release) bool {
		known, err := base()
		if err != nil {
			return nil
		}
		return known.Skip()
	})
	state, err := desired.Build(ctx, r, c, desired.Options{Charts: charts, Builds: builds, Skip: func(r *desired.Release) bool {
		known := skip()
		return known != nil && known(r)
	}})
	if err != nil {
		return nil, err
	}
	known, err := base()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKept, err)
	}
	return Taken(state, known)
}
