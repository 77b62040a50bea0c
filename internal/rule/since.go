package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/repo"
)

// past judges the tree of the revision to compare with; nil where there is
// none to be compared with. A tree that was no homelab yet has no findings.
func (q Request) past(ctx context.Context, r *repo.Repository) (*Report, error) {
	if q.Since == "" {
		return nil, nil
	}
	key, err := q.Cache.pastKey(q, r.Root)
	if err != nil {
		return nil, err
	}
	if report, ok := q.Cache.get(key); ok {
		return report, nil
	}
	tree, err := r.At(ctx, q.Since)
	var revision *repo.RevisionError
	switch {
	case errors.As(err, &revision), ctx.Err() != nil:
		return nil, err
	case err != nil:
		return noPast(q.Since, err), nil
	}
	defer tree.Close()
	options := q.Options
	if _, err := tree.Cluster(options.Cluster); options.Cluster != "" && err != nil {
		return noPast(q.Since, err), nil
	}
	report, err := Run(ctx, tree.Repository, options)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case report == nil:
		return noPast(q.Since, err), nil
	case err == nil:
		q.Cache.put(key, report)
	}
	return report, nil
}

// noPast is the report of a tree that cannot be judged.
func noPast(revision string, err error) *Report {
	past := &Report{}
	past.note("", fmt.Sprintf("the tree of %s cannot be judged, so that everything counts as new: %v", revision, err))
	return past
}

// identity is what makes a finding the same in two trees, wherever it stands.
type identity struct {
	rule, gist, line string
	object           domain.Ref
}

// lineNumbers are what a message tells of places, which move.
var lineNumbers = regexp.MustCompile(`(\bline |:)\d+`)

func identityOf(f Finding) identity {
	return identity{
		rule: f.Rule, object: f.Object, line: strings.TrimSpace(f.Excerpt.Text),
		gist: lineNumbers.ReplaceAllString(cmp.Or(f.Gist, f.Message), "$1"),
	}
}

// subtract leaves out what the past reports as well, as often as it does.
func (r *Report) subtract(past *Report) {
	known := map[identity]int{}
	for _, f := range past.Findings {
		known[identityOf(f)]++
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		id := identityOf(f)
		known[id]--
		return known[id] >= 0
	})
	for _, n := range past.Notes {
		if n.Rule == "" {
			r.Notes = append(r.Notes, n)
		}
	}
}
