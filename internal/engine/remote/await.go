package remote

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// Poll is how often objects of another cluster are looked at while they are
// waited for. Whoever may apply there need not be allowed to watch.
const Poll = 2 * time.Second

// Pause waits until objects are to be looked at again, and gives the gate's
// slot up meanwhile.
func Pause(ctx context.Context) error {
	return work.Aside(ctx, func(ctx context.Context) error {
		timer := time.NewTimer(Poll)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	})
}

// Await waits until objects of another cluster are current. It fails as
// health.Await does.
func Await(ctx context.Context, kube client.Reader, keys []objects.Key, exprs []health.Expr) error {
	for {
		report, err := Check(ctx, kube, keys, exprs)
		if err != nil {
			return err
		}
		if report.Healthy() {
			return nil
		}
		if report.Hopeless() {
			return health.NewNotReadyError(report, nil)
		}
		if err := Pause(ctx); err != nil {
			return health.NewNotReadyError(report, err)
		}
	}
}

// Check tells the health of objects as another cluster has them now.
func Check(ctx context.Context, kube client.Reader, keys []objects.Key, exprs []health.Expr) (health.Report, error) {
	report := make(health.Report, len(keys))
	for i, key := range keys {
		obj, err := Get(ctx, kube, key)
		if err != nil {
			return nil, fmt.Errorf("tell the health of %s: %w", key, err)
		}
		result, err := health.Evaluate(obj, exprs)
		if err != nil {
			return nil, err
		}
		report[i] = health.State{Key: key, Result: result}
	}
	return report, nil
}

// Get returns an object of another cluster, or nil where there is none.
func Get(ctx context.Context, kube client.Reader, key objects.Key) (*unstructured.Unstructured, error) {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(key.GroupVersionKind)
	err := kube.Get(ctx, key.NamespacedName, obj)
	if apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return obj, nil
}
