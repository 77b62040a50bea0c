package health

import (
	"context"
	"fmt"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"hearth/internal/kube/objects"
)

// State is the health of one of several objects.
type State struct {
	Key objects.Key
	Result
}

// Name returns Kind/namespace/name, as Flux names objects in its messages.
func (s State) Name() string {
	if s.Key.Namespace == "" {
		return s.Key.Kind + "/" + s.Key.Name
	}
	return s.Key.Kind + "/" + s.Key.Namespace + "/" + s.Key.Name
}

// Report is the health of several objects at one moment, in the order asked.
type Report []State

// Healthy reports whether every object is current.
func (r Report) Healthy() bool { return len(r.NotCurrent()) == 0 }

// Hopeless reports whether an object has failed and none is still on its way,
// so that waiting longer is of no use.
func (r Report) Hopeless() bool {
	failed := false
	for _, s := range r {
		switch s.Status {
		case status.FailedStatus:
			failed = true
		case status.CurrentStatus:
		default:
			return false
		}
	}
	return failed
}

// NotCurrent returns the objects that are not current.
func (r Report) NotCurrent() Report {
	var left Report
	for _, s := range r {
		if s.Status != status.CurrentStatus {
			left = append(left, s)
		}
	}
	return left
}

// String lists the objects with their status, as Flux does in its messages.
func (r Report) String() string {
	parts := make([]string, len(r))
	for i, s := range r {
		parts[i] = fmt.Sprintf("%s status: '%s'", s.Name(), s.Status)
		if s.Status == status.UnknownStatus && s.Message != "" {
			parts[i] += ": " + s.Message
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Check tells the health of objects as the cache has them. A kind that the
// server does not know counts as not found. The error says that expressions
// are invalid or that the cache could not be read.
func Check(ctx context.Context, o *objects.Objects, keys []objects.Key, exprs []Expr) (Report, error) {
	compiled, err := compile(exprs)
	if err != nil {
		return nil, err
	}
	report := make(Report, 0, len(keys))
	for _, key := range keys {
		obj, err := o.Get(ctx, key)
		switch {
		case err == nil:
			report = append(report, State{key, compiled.evaluate(obj)})
		case meta.IsNoMatchError(err):
			report = append(report, State{key, Result{status.NotFoundStatus, fmt.Sprintf("the server knows no kind %s", key.Kind)}})
		case apierrors.IsNotFound(err):
			report = append(report, State{key, compiled.evaluate(nil)})
		default:
			return nil, fmt.Errorf("tell the health of %s: %w", key, err)
		}
	}
	return report, nil
}
