package helmrelease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	helmrelease "helm.sh/helm/v4/pkg/release"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/engine/helmrelease/helmstore"
	"hearth/internal/kube/objects"
	"hearth/internal/render/helm"
)

// attempt is one Helm action under way, and the records it wrote.
type attempt struct {
	config *action.Configuration
	client *helmkube.Client
	// chart is the one that the action is given, and pressing renders.
	chart    *chart.Chart
	pressing *helm.Pressing

	mu   sync.Mutex
	seen observed
}

func (a *attempt) observe(rel *releasev1.Release) {
	a.mu.Lock()
	defer a.mu.Unlock()
	copied := *rel
	info := *rel.Info
	copied.Info = &info
	// Helm goes on changing them.
	copied.Hooks = make([]*releasev1.Hook, len(rel.Hooks))
	for i, hook := range rel.Hooks {
		h := *hook
		copied.Hooks[i] = &h
	}
	a.seen[rel.Version] = &copied
}

func (a *attempt) records() observed {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.seen)
}

// rendering runs what renders the chart, and once more with Helm's engine where
// nothing else is certain to do it as Helm does. Nothing was written by then.
func (s *step) rendering(ctx context.Context, a *attempt, run func(*chart.Chart) error) error {
	err := run(a.chart)
	if err == nil {
		return nil
	}
	if refused := a.pressing.Refused(); refused != nil {
		return refused
	}
	why := a.pressing.Unsure()
	if why == nil {
		return err
	}
	slog.DebugContext(ctx, "Helm's engine renders this release", "release", s.hr.Namespace+"/"+s.hr.Name, "chart", s.chart.Name(), "why", s.values.Secrets.Hide(why.Error()))
	a.pressing.Leave()
	a.chart = a.pressing.Chart
	err = run(a.chart)
	if refused := a.pressing.Refused(); err != nil && refused != nil {
		return refused
	}
	return err
}

// errEndless says that a template cannot be waited for. Nothing can end it, so
// it must not be begun again and again.
var errEndless = errors.New("rendering the chart did not end")

// act runs a Helm action until it ends, and returns the records that it wrote.
// It is cut short when ctx ends or, unless it follows from the deletion
// itself, when the HelmRelease is changed, suspended or deleted; the error is
// errInterrupted then. Rendering that takes too long is ended.
func (s *step) act(ctx context.Context, f func(context.Context, *attempt) error) (observed, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.hr.DeletionTimestamp.IsZero() {
		stop, err := s.cancelOnChange(ctx, cancel)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	rendering, stop := context.WithCancel(ctx)
	defer stop()
	a, err := s.attempt(ctx, rendering)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- f(ctx, a) }()
	select {
	case err = <-done:
	case <-a.client.Rendered():
		err = <-done
	case <-time.After(s.o.RenderTimeout):
		a.client.Abandon()
		stop()
		err = fmt.Errorf("%w within %s", errEndless, s.o.RenderTimeout)
	}
	if err != nil && ctx.Err() != nil {
		return a.records(), fmt.Errorf("%w: %w", errInterrupted, context.Cause(ctx))
	}
	return a.records(), s.values.Secrets.HideError(err)
}

// attempt sets up what a Helm action works with; it renders within a context of
// its own.
func (s *step) attempt(ctx, rendering context.Context) (*attempt, error) {
	capabilities, err := s.connection.Capabilities()
	if err != nil {
		return nil, err
	}
	a := &attempt{seen: observed{}, config: action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))}
	a.client = s.connection.Client(ctx, helmkube.Options{
		Namespace:   s.hr.GetReleaseNamespace(),
		UnknownKind: s.unknownKind(),
		Exprs:       s.hr.Spec.HealthCheckExprs,
	})
	a.config.Capabilities = capabilities
	a.config.KubeClient = a.client
	a.config.Releases = s.storage(a)
	if s.chart != nil {
		a.pressing = s.chart.Press(rendering, s.version, &s.presses, func(apiVersion, kind, namespace, name string) (map[string]any, error) {
			return s.connection.Lookup(rendering, apiVersion, kind, namespace, name)
		})
		a.chart = a.pressing.Chart
		a.config.CustomTemplateFuncs = a.pressing.Functions()
	}
	return a, nil
}

func (s *step) unknownKind() helmkube.UnknownKind {
	if s.o.UnknownKind == nil || s.connection.Remote() {
		return nil
	}
	return func(ctx context.Context, gvk schema.GroupVersionKind) (bool, error) {
		return s.o.UnknownKind(ctx, gvk, s.place())
	}
}

// storage opens the release's records; those that an action writes are noted.
func (s *step) storage(a *attempt) *storage.Storage {
	namespace := s.hr.Status.StorageNamespace
	if namespace == "" {
		namespace = s.hr.GetStorageNamespace()
	}
	d := &helmstore.Driver{Secrets: s.connection.Clientset.CoreV1().Secrets(namespace), Written: s.written}
	if a != nil {
		d.Observe = a.observe
		d.Stored = func(c *chart.Chart) ([]byte, error) {
			if c != a.chart {
				return nil, nil
			}
			if a.pressing != nil {
				a.pressing.Restore()
			}
			return s.chart.Stored(s.version)
		}
		d.Refuse = func() error {
			if a.client.Abandoned() {
				return errors.New("the action was abandoned")
			}
			return nil
		}
	}
	opened := storage.Init(d)
	opened.MaxHistory = s.hr.GetMaxHistory()
	return opened
}

var errChanged = errors.New("the HelmRelease changed")

// cancelOnChange cancels when the HelmRelease is no longer the one that the
// action was begun for.
func (s *step) cancelOnChange(ctx context.Context, cancel context.CancelCauseFunc) (stop func(), err error) {
	gvk := helmv2.GroupVersion.WithKind(helmv2.HelmReleaseKind)
	key := objects.Key{GroupVersionKind: gvk, NamespacedName: client.ObjectKeyFromObject(s.hr)}
	if err := s.o.Objects.Follow(ctx, gvk); err != nil {
		return nil, err
	}
	changed, forget := s.o.Objects.Notify(key)
	ended := make(chan struct{})
	go func() {
		for {
			if !s.unchanged(ctx) {
				cancel(errChanged)
				return
			}
			select {
			case <-ended:
				return
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}()
	return func() { close(ended); forget() }, nil
}

func (s *step) unchanged(ctx context.Context) bool {
	var now helmv2.HelmRelease
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(s.hr), &now, client.UnsafeDisableDeepCopy); err != nil {
		return client.IgnoreNotFound(err) != nil
	}
	// The cache may lag behind, but never runs ahead.
	return now.UID == s.hr.UID && now.Generation <= s.hr.Generation && now.DeletionTimestamp.IsZero()
}

// release returns a record as the type that Helm stores.
func release(r helmrelease.Releaser, err error) (*releasev1.Release, error) {
	if err != nil {
		return nil, err
	}
	rel, ok := r.(*releasev1.Release)
	if !ok || rel == nil {
		return nil, errors.New("a release record of an unknown version")
	}
	return rel, nil
}
