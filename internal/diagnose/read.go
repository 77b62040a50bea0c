package diagnose

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
	"hearth/internal/observe"
)

const (
	// pageSize is how many objects are asked for at once.
	pageSize = 500
	// maxReads bounds how many kinds are read at once.
	maxReads = 8
	// maxObjects bounds what is kept of one kind.
	maxObjects = 50_000
)

// Read looks at a cluster once. Kinds that it does not serve have no objects;
// kinds that may not be read are noted as unseen. Of Secrets, ConfigMaps and
// definitions only names and marks are asked for.
func Read(ctx context.Context, c client.Client) (*World, error) {
	return Gather(ctx, nil, c)
}

// Gather is Read where part of the cluster is in memory already: what o
// follows is taken from there, and only the rest is read through c. What a
// cache has left out, such as who manages which field, is then not known.
func Gather(ctx context.Context, o *objects.Objects, c client.Client) (*World, error) {
	w := NewWorld(time.Now())
	g := gathering{World: w, objects: o, reader: c}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(maxReads)
	for _, kind := range Kinds {
		group.Go(func() error { return g.kind(inner, kind) })
	}
	group.Go(func() error { return g.happenings(inner) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return w, nil
}

type gathering struct {
	*World
	objects *objects.Objects
	reader  client.Client
	mu      sync.Mutex
}

// kind reads all objects of a kind.
func (g *gathering) kind(ctx context.Context, kind Kind) error {
	mapping, err := g.reader.RESTMapper().RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Name})
	if apimeta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up the kind %s: %w", kind.Name, err)
	}
	gvk := mapping.GroupVersionKind
	if g.objects != nil && g.objects.Followed(gvk) {
		return g.followed(ctx, gvk)
	}
	err = g.list(ctx, kind, gvk)
	switch {
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		g.mu.Lock()
		defer g.mu.Unlock()
		g.CannotSee(kind, "may not be read")
		return nil
	case apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err):
		return nil
	}
	return err
}

// followed takes the objects of a kind out of the memory.
func (g *gathering) followed(ctx context.Context, gvk schema.GroupVersionKind) error {
	keys, err := g.objects.Keys(ctx, gvk)
	if err != nil {
		return fmt.Errorf("list objects of kind %s: %w", gvk.Kind, err)
	}
	for _, key := range keys {
		obj, err := g.objects.Peek(ctx, key)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		u, err := objects.ToUnstructured(obj, gvk)
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		g.take(u)
	}
	return nil
}

func (g *gathering) take(u *unstructured.Unstructured) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Add(u)
}

// list reads a kind page by page.
func (g *gathering) list(ctx context.Context, kind Kind, gvk schema.GroupVersionKind) error {
	for next, n := "", 0; ; {
		list := emptyList(kind, gvk)
		if err := g.reader.List(ctx, list, client.Limit(pageSize), client.Continue(next)); err != nil {
			return fmt.Errorf("list objects of kind %s: %w", gvk.Kind, err)
		}
		err := apimeta.EachListItem(list, func(item runtime.Object) error {
			u, err := whole(item)
			if err != nil {
				return err
			}
			u.SetGroupVersionKind(gvk)
			g.take(u)
			return nil
		})
		if err != nil {
			return fmt.Errorf("list objects of kind %s: %w", gvk.Kind, err)
		}
		n += apimeta.LenList(list)
		if next = list.GetContinue(); next == "" {
			return nil
		}
		if n >= maxObjects {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.CannotSee(kind, fmt.Sprintf("there are more than %d of them", maxObjects))
			return nil
		}
	}
}

func emptyList(kind Kind, gvk schema.GroupVersionKind) client.ObjectList {
	listed := gvk.GroupVersion().WithKind(gvk.Kind + "List")
	if kind.MarksOnly() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(listed)
		return list
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(listed)
	return list
}

func whole(item runtime.Object) (*unstructured.Unstructured, error) {
	if u, ok := item.(*unstructured.Unstructured); ok {
		return u, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(item)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}

// happenings reads the cluster's events; one that may not be read is none.
func (g *gathering) happenings(ctx context.Context) error {
	list, _, err := observe.Recorded(ctx, g.reader, "")
	var status apierrors.APIStatus
	if errors.As(err, &status) && apierrors.IsForbidden(err) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.CannotSee(Kind{"", "Event"}, "may not be read")
		return nil
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range list {
		g.AddEvent(h)
	}
	return nil
}
