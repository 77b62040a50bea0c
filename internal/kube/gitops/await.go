package gitops

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// again is the pause before a watch that ended is opened again.
const again = time.Second

// Await watches an object until done says so, ends with an error, or ctx ends,
// which is then the error. It is called with what the object is now and after
// each change; nil means that it does not exist.
func (c *Cluster) Await(ctx context.Context, kind Kind, key types.NamespacedName, done func(*unstructured.Unstructured) (bool, error)) error {
	for {
		version, ended, err := c.look(ctx, kind, key, done)
		if ended || err != nil {
			return err
		}
		if ended, err = c.follow(ctx, kind, key, version, done); ended || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// look reads the object as it is, and says from where on to watch it.
func (c *Cluster) look(ctx context.Context, kind Kind, key types.NamespacedName, done func(*unstructured.Unstructured) (bool, error)) (version string, ended bool, err error) {
	list := emptyList(kind)
	if err := c.List(ctx, list, only(key)...); err != nil {
		if ctx.Err() != nil {
			return "", false, ctx.Err()
		}
		return "", false, fmt.Errorf("read %s %s: %w", kind.Kind, key, err)
	}
	var obj *unstructured.Unstructured
	if len(list.Items) > 0 {
		obj = &list.Items[0]
	}
	ended, err = done(obj)
	return list.GetResourceVersion(), ended, err
}

// follow watches the object until the watch ends, which it does now and then.
func (c *Cluster) follow(ctx context.Context, kind Kind, key types.NamespacedName, version string, done func(*unstructured.Unstructured) (bool, error)) (ended bool, err error) {
	from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}}
	w, err := c.Watch(ctx, emptyList(kind), append([]client.ListOption{from}, only(key)...)...)
	if err != nil {
		return false, ctx.Err()
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case event, open := <-w.ResultChan():
			if !open {
				return false, nil
			}
			obj, ok := event.Object.(*unstructured.Unstructured)
			if event.Type == watch.Error || event.Type == watch.Bookmark || !ok {
				continue
			}
			if event.Type == watch.Deleted {
				obj = nil
			}
			if ended, err := done(obj); ended || err != nil {
				return ended, err
			}
		}
	}
}

func only(key types.NamespacedName) []client.ListOption {
	return []client.ListOption{
		client.InNamespace(key.Namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", key.Name)},
	}
}

// EndedEarly reports whether an error says that time was up.
func EndedEarly(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
