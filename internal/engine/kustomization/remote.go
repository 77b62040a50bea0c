package kustomization

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

// remotePoll is how often objects of another cluster are looked at while they
// are waited for. Whoever may apply there need not be allowed to watch.
const remotePoll = 2 * time.Second

// nextLook returns when to look at what is waited for, which wakes us by itself
// on this cluster.
func (w *walk) nextLook(left time.Duration) time.Duration {
	if w.remote() {
		return min(left, remotePoll)
	}
	return left
}

// awaitRemote waits until objects of another cluster are current.
func awaitRemote(ctx context.Context, kube client.Reader, keys []objects.Key) error {
	for {
		report, err := checkRemote(ctx, kube, keys, nil)
		if err != nil {
			return err
		}
		if report.Healthy() {
			return nil
		}
		if report.Hopeless() {
			return health.NewNotReadyError(report, nil)
		}
		err = work.Aside(ctx, func(ctx context.Context) error {
			timer := time.NewTimer(remotePoll)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
				return nil
			}
		})
		if err != nil {
			return health.NewNotReadyError(report, err)
		}
	}
}

// checkRemote tells the health of objects as another cluster has them now.
func checkRemote(ctx context.Context, kube client.Reader, keys []objects.Key, exprs []health.Expr) (health.Report, error) {
	report := make(health.Report, len(keys))
	for i, key := range keys {
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(key.GroupVersionKind)
		err := kube.Get(ctx, key.NamespacedName, obj)
		if apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err) {
			obj, err = nil, nil
		}
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
