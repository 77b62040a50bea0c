package observe

import (
	"context"
	"errors"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watchAgain is the pause before a watch that ended is opened again.
const watchAgain = time.Second

// followEvents tells the events that Kubernetes records from now on. What it
// recorded while a watch was interrupted is told late, and once. seen is told
// of each attempt; where events may not be read they are asked for again from
// time to time.
func followEvents(ctx context.Context, c client.WithWatch, namespace string, tell func(*corev1.Event), seen func(error)) error {
	var last time.Time
	for first := true; ; first = false {
		list, version, err := recordedEvents(ctx, c, namespace)
		if ctx.Err() != nil {
			return nil
		}
		seen(err)
		closed := apierrors.IsForbidden(err)
		var gone *net.OpError
		if err != nil && !closed && (first || errors.As(err, &gone)) {
			return err
		}
		for i := range list {
			if !first && happened(&list[i]).After(last) {
				tell(&list[i])
			}
		}
		for i := range list {
			last = later(last, happened(&list[i]))
		}
		if err == nil {
			watchEvents(ctx, c, namespace, version, func(e *corev1.Event) {
				last = later(last, happened(e))
				tell(e)
			})
		}
		pause := watchAgain
		if closed {
			pause = askAgain
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// happened returns when an event happened last.
func happened(e *corev1.Event) time.Time { return KubernetesHappening(e).Time }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// watchEvents tells new events and repeated ones until the watch ends.
func watchEvents(ctx context.Context, c client.WithWatch, namespace, version string, tell func(*corev1.Event)) {
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
				tell(e)
			}
		}
	}
}

// recorded returns what takes in an event of Kubernetes: it is told, and the
// domain's event that it amounts to.
func (s *Stream) recorded(tell func(Happening)) func(*corev1.Event) {
	return func(e *corev1.Event) {
		tell(KubernetesHappening(e))
		s.watcher.released(e)
		if d, ok := s.watcher.corrected(e); ok {
			s.watcher.tellEvent(d)
		}
	}
}
