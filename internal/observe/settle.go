package observe

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/gitops"
)

// Outcome is how a reconcile that was asked for ended.
type Outcome struct {
	Standing
	// Failed says that it failed; neither it nor Ready holds where time was up.
	Failed bool
	// TimedOut says that time was up before it ended.
	TimedOut bool
}

// Settle watches an object from when something was asked of its reconciler
// until that has acted and the object is Ready or Failed, or ctx ends. Every
// state on the way is told. The error is that of the cluster, or says that the
// object was deleted.
func Settle(ctx context.Context, c *gitops.Cluster, o gitops.Object, asked gitops.Asked, tell func(Standing)) (Outcome, error) {
	var (
		last    Standing
		outcome Outcome
	)
	err := c.Await(ctx, o.Kind, client.ObjectKeyFromObject(o), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || obj.GetUID() != o.GetUID() {
			return false, fmt.Errorf("%s was deleted meanwhile", o.ID())
		}
		last = Tell(obj)
		failed := Failed(obj.GetKind(), last.State)
		arrived := last.Ready || failed
		if asked.Handled(obj) && arrived && !underWay(obj) {
			outcome = Outcome{Standing: last, Failed: failed}
			return true, nil
		}
		if !arrived {
			tell(last)
		}
		return false, nil
	})
	if ctx.Err() != nil {
		return Outcome{Standing: last, TimedOut: true}, nil
	}
	return outcome, err
}

// underWay reports whether a reconciler says that it is at work.
func underWay(obj *unstructured.Unstructured) bool {
	var o struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &o)
	return err == nil && readConditions(o.Status.Conditions).progressing()
}
