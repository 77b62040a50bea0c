package health

import (
	"context"
	"errors"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// unknownKindRetry is how often a kind that the server does not serve yet is
// looked for again, since a kind that cannot be followed cannot wake anyone.
const unknownKindRetry = time.Second

// NotReadyError says that objects did not become current. Key and Result are
// those of the first of them that failed, or else of the first that is not
// current; All are all that are not current.
type NotReadyError struct {
	Key    objects.Key
	Result Result
	All    Report

	cause error
}

// Error names every object that is not current, as Flux does.
func (e *NotReadyError) Error() string {
	if e.cause == nil {
		return "failed early due to stalled resources: " + e.All.String()
	}
	if errors.Is(e.cause, context.DeadlineExceeded) {
		return "timeout waiting for: " + e.All.String()
	}
	return "canceled while waiting for: " + e.All.String()
}

// Unwrap returns the context's error where the wait ended with the context,
// and nil where waiting longer was of no use.
func (e *NotReadyError) Unwrap() error { return e.cause }

// NewNotReadyError describes a report that has objects which are not current.
// cause is the context's error that ended the wait, or nil.
func NewNotReadyError(r Report, cause error) *NotReadyError {
	left := r.NotCurrent()
	e := &NotReadyError{All: left, cause: cause}
	for i, s := range left {
		if i == 0 {
			e.Key, e.Result = s.Key, s.Result
		}
		if s.Status == status.FailedStatus {
			e.Key, e.Result = s.Key, s.Result
			break
		}
	}
	return e
}

// Await returns once all objects are current. It wakes only when one of them
// changes, and gives the gate's slot up while it waits. It returns a
// *NotReadyError when ctx ends first, or when an object has failed and no
// other is still on its way.
func Await(ctx context.Context, o *objects.Objects, keys []objects.Key, exprs []Expr) error {
	changed, stop := o.Notify(keys...)
	defer stop()
	last := unknown(keys)
	for {
		report, err := Check(ctx, o, keys, exprs)
		if err != nil && ctx.Err() != nil {
			return NewNotReadyError(last, ctx.Err())
		}
		if err != nil {
			return err
		}
		if report.Healthy() {
			return nil
		}
		if report.Hopeless() {
			return NewNotReadyError(report, nil)
		}
		last = report
		if err := work.Aside(ctx, untilChange(o, keys, changed)); err != nil {
			return NewNotReadyError(last, err)
		}
	}
}

// unknown reports objects that have not been looked at.
func unknown(keys []objects.Key) Report {
	report := make(Report, len(keys))
	for i, key := range keys {
		report[i] = State{key, Result{Status: status.UnknownStatus}}
	}
	return report
}

// untilChange waits for a change, or for a moment where a kind is unknown.
func untilChange(o *objects.Objects, keys []objects.Key, changed <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		var retry <-chan time.Time
		for _, key := range keys {
			if !o.Followed(key.GroupVersionKind) {
				timer := time.NewTimer(unknownKindRetry)
				defer timer.Stop()
				retry = timer.C
				break
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			return nil
		case <-retry:
			return nil
		}
	}
}
