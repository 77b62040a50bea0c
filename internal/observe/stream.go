package observe

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
)

// overdueEvery is how often the temporal rules are looked at.
const overdueEvery = 5 * time.Second

// Stream tells what happens in a cluster: what Kubernetes and the reconcilers
// record, the transitions of objects of all kinds that are observed, the
// domain's events, and what becomes overdue. It reads names and marks alone of
// what it need not know more of, and keeps no value of a Secret.
type Stream struct {
	namespace string
	client    client.WithWatch
	cache     lean
	watcher   *Watcher
}

// NewStream returns a stream of a cluster. The empty namespace means all.
func NewStream(config *rest.Config, c client.WithWatch, namespace string) (*Stream, error) {
	known := scheme.New()
	cache, err := newLean(config, known)
	if err != nil {
		return nil, err
	}
	w := New(objects.New(cache, known), nil)
	w.Widen()
	w.values.recorded = true
	w.probe = func(ctx context.Context, kind schema.GroupVersionKind) error { return probe(ctx, c, kind) }
	return &Stream{namespace: namespace, client: c, cache: cache, watcher: w}, nil
}

// Watcher returns what is known of the cluster while Run runs.
func (s *Stream) Watcher() *Watcher { return s.watcher }

// Run calls tell for what happens from now on, until ctx ends, which is no
// error. It may call it from several goroutines. The error says that the
// cluster cannot be watched, or no longer answers.
func (s *Stream) Run(ctx context.Context, tell func(Happening)) error {
	mine := func(h Happening) {
		if s.namespace == "" || h.Object.Namespace == s.namespace {
			tell(h)
		}
	}
	s.watcher.OnEvent(func(e domain.Event) { mine(DomainHappening(e)) })
	s.watcher.Subscribe(func(t Transition) { mine(TransitionHappening(t)) })
	s.watcher.onClosed(func(kind string) { tell(closedHappening(kind, time.Now())) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.cache.Start(ctx) })
	group.Go(func() error { return s.watcher.Start(ctx) })
	group.Go(func() error {
		return followEvents(ctx, s.client, s.namespace, s.recorded(tell), func(err error) { s.watcher.close(eventKind, err) })
	})
	group.Go(func() error {
		s.watchRules(ctx, mine)
		return nil
	})
	return group.Wait()
}

// FollowHappenings calls tell for what happens from now on, as Stream.Run does.
func FollowHappenings(ctx context.Context, config *rest.Config, c client.WithWatch, namespace string, tell func(Happening)) error {
	s, err := NewStream(config, c, namespace)
	if err != nil {
		return err
	}
	return s.Run(ctx, tell)
}

// watchRules tells of each object once that a temporal rule has come to speak
// of it, until ctx ends.
func (s *Stream) watchRules(ctx context.Context, tell func(Happening)) {
	tick := time.NewTicker(overdueEvery)
	defer tick.Stop()
	told := map[lateness]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			told = tellLate(s.watcher.Overdue(now), told, now, tell)
		}
	}
}

// lateness tells apart what a rule says of an object.
type lateness struct {
	domain.Ref
	rule string
	due  time.Time
}

// tellLate tells what was not told before, and returns what is told now.
func tellLate(list []Late, before map[lateness]bool, now time.Time, tell func(Happening)) map[lateness]bool {
	told := map[lateness]bool{}
	for _, l := range list {
		key := lateness{l.Ref, l.Rule, l.Due}
		told[key] = true
		if !before[key] {
			tell(LateHappening(l, now))
		}
	}
	return told
}

// probe asks whether a kind is served and may be read: an informer would wait
// for that without a word.
func probe(ctx context.Context, c client.Client, kind schema.GroupVersionKind) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := c.List(ctx, list, client.Limit(1)); err != nil {
		return fmt.Errorf("read objects of kind %s: %w", kind.Kind, err)
	}
	return nil
}
