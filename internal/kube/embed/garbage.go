package embed

import (
	"context"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	quotainstall "k8s.io/kubernetes/pkg/quota/v1/install"
)

const (
	// discoveryPeriod is how often the garbage collector and quotas look for
	// kinds that are new or gone, besides being told of CRDs.
	discoveryPeriod = 30 * time.Second
	// settle is how long CRDs have to be left alone before they are looked at:
	// they come in bursts, and discovery lags behind them.
	settle = time.Second

	quotaResync = 5 * time.Minute
	gcWorkers   = 10
)

// addGarbageCollector deletes what its owners left behind.
func (c *controllers) addGarbageCollector(ctx context.Context) error {
	gc, err := garbagecollector.NewGarbageCollector(ctx, c.client, c.metadata, c.mapper, garbagecollector.DefaultIgnoredResources(), c.any, c.started)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { gc.Run(ctx, gcWorkers, discoveryPeriod) })
	c.add(func(ctx context.Context) {
		restartOn(ctx, c.definitionsChanged, func(ctx context.Context) { gc.Sync(ctx, c.client.Discovery(), discoveryPeriod) })
	})
	return nil
}

// addResourceQuota keeps the status of ResourceQuotas; admission refuses pods
// in a namespace whose quota has none.
func (c *controllers) addResourceQuota(ctx context.Context) error {
	configuration, err := quotainstall.NewQuotaConfigurationForControllers(generic.ListerFuncForResourceFunc(c.informers.ForResource), c.informers)
	if err != nil {
		return err
	}
	discover := c.client.Discovery().ServerPreferredNamespacedResources
	q, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               c.client.CoreV1(),
		ResourceQuotaInformer:     c.informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              controller.StaticResyncPeriodFunc(quotaResync),
		InformerFactory:           c.any,
		ReplenishmentResyncPeriod: controller.StaticResyncPeriodFunc(resync),
		IgnoredResourcesFunc:      configuration.IgnoredResources,
		InformersStarted:          c.started,
		Registry:                  generic.NewRegistry(configuration.Evaluators()),
		UpdateFilter:              quotainstall.DefaultUpdateFilter(),
	})
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { q.Run(ctx, workers) })
	c.add(func(ctx context.Context) { q.Sync(ctx, discover, discoveryPeriod) })
	return nil
}

// restartOn runs f until ctx is cancelled, starting it over once changes have
// settled.
func restartOn(ctx context.Context, changed <-chan struct{}, f func(context.Context)) {
	for ctx.Err() == nil {
		once, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { f(once) })
		settled(ctx, changed)
		cancel()
		running.Wait()
	}
}

// settled returns once there was a change and then none for a while.
func settled(ctx context.Context, changed <-chan struct{}) {
	quiet := time.NewTimer(settle)
	quiet.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			quiet.Reset(settle)
		case <-quiet.C:
			return
		}
	}
}
