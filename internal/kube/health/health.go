// Package health says whether an object has become what its spec asks for.
//
// It speaks kstatus, as Flux does: built-in kinds by the fields of their
// status, every other kind by its conditions and observed generation, and
// custom kinds by the CEL expressions a Kustomization or HelmRelease carries.
// It only reads, through the shared cache, and it is woken by changes: nothing
// here asks the server again and again. What to do about an unhealthy object
// is left to its callers.
package health

import (
	"context"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/statusreaders"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Expr holds the CEL expressions that tell the health of one custom kind, or
// of a whole API group where its Kind is empty.
type Expr = kustomize.CustomHealthCheck

// Result is the health of one object: a kstatus status and a sentence on why.
type Result struct {
	Status  status.Status
	Message string
}

// Evaluate tells the health of an object as read from the server; nil means
// that there is none. An expression that cannot be evaluated on this object
// yields the Unknown status. The error says that the expressions themselves
// are invalid.
func Evaluate(obj *unstructured.Unstructured, exprs []Expr) (Result, error) {
	evaluators, err := compile(exprs)
	if err != nil {
		return Result{}, err
	}
	return evaluators.evaluate(obj), nil
}

// Validate reports whether expressions are invalid, or given twice for a kind.
func Validate(exprs []Expr) error {
	_, err := compile(exprs)
	return err
}

func (e evaluators) evaluate(obj *unstructured.Unstructured) Result {
	if obj == nil {
		return Result{Status: status.NotFoundStatus, Message: "Resource not found"}
	}
	gk := obj.GroupVersionKind().GroupKind()
	if gk == batchv1.SchemeGroupVersion.WithKind("Job").GroupKind() {
		// kstatus calls a Job current once it runs; Flux waits for its end.
		return fromCompute(job(obj))
	}
	if custom := e.of(gk); custom != nil {
		if obj.GetDeletionTimestamp() != nil {
			return Result{Status: status.TerminatingStatus, Message: "Resource scheduled for deletion"}
		}
		return fromCompute(custom.Evaluate(context.Background(), obj))
	}
	return fromCompute(status.Compute(obj))
}

func job(obj *unstructured.Unstructured) (*status.Result, error) {
	if obj.GetDeletionTimestamp() != nil {
		return &status.Result{Status: status.TerminatingStatus, Message: "Resource scheduled for deletion"}, nil
	}
	res := statusreaders.ComputeJobStatus(obj)
	return &res, nil
}

func fromCompute(res *status.Result, err error) Result {
	if err != nil {
		return Result{Status: status.UnknownStatus, Message: fmt.Sprintf("health cannot be told: %v", err)}
	}
	return Result{Status: res.Status, Message: res.Message}
}
