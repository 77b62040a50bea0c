package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/internal/kube"
	"hearth/internal/kube/crds"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
	"hearth/internal/standin/nodeapi"
)

// boot starts Kubernetes and everything that works against it, in the order in
// which they need each other.
func (s *Stage) boot(ctx context.Context) error {
	var services serviceResolver
	var err error
	if s.kubelets, err = nodeapi.Serve(); err != nil {
		return err
	}
	s.closed = append(s.closed, s.kubelets.Close)
	s.kubernetes, err = s.options.Kubernetes.Start(ctx, kube.Options{
		StateDir:       s.options.StateDir,
		Address:        s.options.Address,
		OpenAPI:        true, // mutating admission policies need it, as clients do
		ResolveService: services.resolve,
		DialNode:       s.kubelets.Dial,
		Faults:         s.faults,
	})
	if err != nil {
		return err
	}
	s.closed = append(s.closed, s.stopKubernetes)

	if err := crds.Install(ctx, s.kubernetes.Config()); err != nil {
		return err
	}
	mgr, err := newManager(s.kubernetes.Config())
	if err != nil {
		return err
	}
	s.objects = objects.New(mgr.GetCache(), mgr.GetScheme())
	s.watcher = observe.New(s.objects, nil)
	s.watcher.Widen()
	s.objects.Listen(s.touch)
	if err := mgr.Add(s.watcher); err != nil {
		return fmt.Errorf("watch the cluster: %w", err)
	}
	if err := s.cast(ctx, mgr, &services); err != nil {
		return err
	}
	return s.perform(ctx, mgr)
}

// perform lets everything run, and hands it the homelab: first what is there
// before Flux, then the entry. That goes on after it returned.
func (s *Stage) perform(ctx context.Context, mgr manager.Manager) error {
	go func() { s.done <- mgr.Start(ctx) }()
	s.closed = append(s.closed, s.wait)
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return fmt.Errorf("read the cluster for the first time: %w", errors.Join(ctx.Err(), errors.New("its caches did not fill")))
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	for _, kind := range followedKinds {
		if err := s.objects.Follow(ctx, kind); err != nil {
			return err
		}
	}
	if s.options.Soak == nil { // a soak fires at model time
		directed := s.gate.Timer()
		go func() {
			defer directed()
			s.direct(ctx, false)
		}()
	}
	busy := s.gate.Timer()
	go func() {
		defer busy()
		s.entered <- s.begin(ctx, mgr.GetClient())
	}()
	return nil
}

// listen answers Receivers' webhooks, where that was asked for.
func (s *Stage) listen(ctx context.Context) error {
	if s.options.Webhooks == "" {
		return nil
	}
	url, done, err := s.hooks.Listen(ctx, s.options.Webhooks)
	if err != nil {
		return err
	}
	s.webhooks = url
	s.closed = append(s.closed, func() error { <-done; return nil })
	return nil
}

func (s *Stage) begin(ctx context.Context, c client.Client) error {
	if err := s.bootstrap(ctx, c); err != nil {
		return err
	}
	return s.enter(ctx, c)
}

// wait returns when the reconcilers have ended.
func (s *Stage) wait() error {
	s.stop()
	if err := <-s.done; err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("run the reconcilers: %w", err)
	}
	return nil
}

// newManager returns what runs all reconcilers, with one cache that they share.
func newManager(cfg *rest.Config) (manager.Manager, error) {
	log.SetLogger(logr.Discard())
	recover, skip := true, true
	mgr, err := manager.New(cfg, manager.Options{
		Scheme:  scheme.New(),
		Logger:  logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		Client: client.Options{Cache: &client.CacheOptions{
			Unstructured: true,
			DisableFor:   []client.Object{&corev1.Event{}},
		}},
		Controller: config.Controller{RecoverPanic: &recover, SkipNameValidation: &skip},
	})
	if err != nil {
		return nil, fmt.Errorf("make the reconcilers' shared cache: %w", err)
	}
	return mgr, nil
}

// serviceResolver answers the API server with what is set once the stand-ins
// exist; until then nothing can be reached, as in a cluster without pods.
type serviceResolver struct {
	answer atomic.Pointer[func(namespace, name string, port int32) (*url.URL, error)]
}

func (r *serviceResolver) resolve(namespace, name string, port int32) (*url.URL, error) {
	if answer := r.answer.Load(); answer != nil {
		return (*answer)(namespace, name, port)
	}
	return nil, fmt.Errorf("no endpoints available for service %q", namespace+"/"+name)
}

func (r *serviceResolver) set(answer func(namespace, name string, port int32) (*url.URL, error)) {
	r.answer.Store(&answer)
}
