package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
)

// watchAgain is the pause before a watch that ended is opened again.
const watchAgain = time.Second

// FollowHappenings calls tell for what happens from now on, until ctx ends,
// which is no error. It may call it from several goroutines. The error says
// that the cluster cannot be watched, or no longer answers.
func FollowHappenings(ctx context.Context, config *rest.Config, c client.WithWatch, namespace string, tell func(Happening)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return followEvents(ctx, c, namespace, tell) })
	group.Go(func() error {
		return followDomain(ctx, config, func(e domain.Event) {
			if namespace == "" || e.Subject().Namespace == namespace {
				tell(DomainHappening(e))
			}
		})
	})
	return group.Wait()
}

// followEvents tells the events that Kubernetes records from now on. What it
// recorded while a watch was interrupted is told late, and once.
func followEvents(ctx context.Context, c client.WithWatch, namespace string, tell func(Happening)) error {
	var last time.Time
	for first := true; ; first = false {
		list, version, err := Recorded(ctx, c, namespace)
		if ctx.Err() != nil {
			return nil
		}
		var gone *net.OpError
		if err != nil && (first || errors.As(err, &gone)) {
			return err
		}
		for _, h := range list {
			if !first && h.Time.After(last) {
				tell(h)
			}
		}
		for _, h := range list {
			last = later(last, h.Time)
		}
		if err == nil {
			watchEvents(ctx, c, namespace, version, func(h Happening) {
				last = later(last, h.Time)
				tell(h)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchAgain):
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// watchEvents tells new events and repeated ones until the watch ends.
func watchEvents(ctx context.Context, c client.WithWatch, namespace, version string, tell func(Happening)) {
	from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}}
	w, err := c.Watch(ctx, &corev1.EventList{}, from, client.InNamespace(namespace))
	if err != nil {
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case change, open := <-w.ResultChan():
			if !open {
				return
			}
			e, ok := change.Object.(*corev1.Event)
			if ok && (change.Type == watch.Added || change.Type == watch.Modified) {
				tell(KubernetesHappening(e))
			}
		}
	}
}

// followDomain tells the domain's events from now on. No value of a Secret is
// kept.
func followDomain(ctx context.Context, config *rest.Config, tell func(domain.Event)) error {
	known := scheme.New()
	c, err := cache.New(config, cache.Options{
		Scheme:           known,
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:    {Transform: withoutData},
			&corev1.ConfigMap{}: {Transform: withoutData},
		},
	})
	if err != nil {
		return fmt.Errorf("watch the cluster at %s: %w", config.Host, err)
	}
	w := New(objects.New(c, known), nil)
	w.OnEvent(tell)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.Start(ctx) })
	group.Go(func() error { return w.Start(ctx) })
	return group.Wait()
}

// withoutData drops what Secrets and ConfigMaps hold.
func withoutData(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.Secret:
		o.Data, o.StringData, o.ManagedFields = nil, nil, nil
	case *corev1.ConfigMap:
		o.Data, o.BinaryData, o.ManagedFields = nil, nil, nil
	}
	return obj, nil
}
