package rule

import (
	"context"
	"time"

	"hearth/internal/repo"
)

// Request says which folder to check, and how.
type Request struct {
	// Path is a homelab repository or a folder inside it.
	Path string
	Options
	// Since names a revision of Git: only what came after it is reported.
	Since string
	// Fix puts right what can be, and reports what is left.
	Fix bool
	// Cache keeps reports of trees that were judged; nil means none.
	Cache *Cache
}

// Check opens a repository and judges it. Errors are those of [repo.Open] and
// [Run]; a *repo.RevisionError tells that there is nothing to compare with.
func Check(ctx context.Context, q Request) (*Report, error) {
	began := time.Now()
	report, err := q.check(ctx)
	if report != nil {
		report.Elapsed = time.Since(began)
	}
	return report, err
}

func (q Request) check(ctx context.Context) (*Report, error) {
	if q.Fix {
		return q.fix(ctx)
	}
	key, err := q.Cache.key(ctx, q)
	if err != nil {
		return nil, err
	}
	if report, ok := q.Cache.get(key); ok {
		return report, nil
	}
	r, err := repo.Open(ctx, q.Path, repo.Options{})
	if err != nil {
		return nil, err
	}
	past, err := q.past(ctx, r)
	if err != nil {
		return nil, err
	}
	report, err := q.judge(ctx, r, past)
	if err == nil {
		q.Cache.put(key, report)
	}
	return report, err
}

// judge runs the rules, and leaves out what the past has already.
func (q Request) judge(ctx context.Context, r *repo.Repository, past *Report) (*Report, error) {
	report, err := Run(ctx, r, q.Options)
	if report != nil && past != nil {
		report.subtract(past)
	}
	return report, err
}
