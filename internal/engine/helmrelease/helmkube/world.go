package helmkube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/engine/remote"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// world is where objects are looked at while they are waited for.
type world struct {
	// get returns an object, or nil where there is none.
	get func(context.Context, objects.Key) (*unstructured.Unstructured, error)
	// next returns when one of them may have changed.
	next func(context.Context) error
}

// follow shows objects as the shared cache has them, which tells when they
// change, or as another cluster answers.
func (c *Connection) follow(ctx context.Context, keys []objects.Key) (w world, stop func(), err error) {
	if c.Remote() {
		get := func(ctx context.Context, key objects.Key) (*unstructured.Unstructured, error) {
			return remote.Get(ctx, c.direct, key)
		}
		return world{get, remote.Pause}, func() {}, nil
	}
	for _, key := range keys {
		if err := c.objects.Follow(ctx, key.GroupVersionKind); err != nil {
			return world{}, nil, err
		}
	}
	changed, stop := c.objects.Notify(keys...)
	get := func(ctx context.Context, key objects.Key) (*unstructured.Unstructured, error) {
		obj, err := c.objects.Get(ctx, key)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return obj, err
	}
	next := func(ctx context.Context) error {
		return work.Aside(ctx, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				return nil
			}
		})
	}
	return world{get, next}, stop, nil
}
