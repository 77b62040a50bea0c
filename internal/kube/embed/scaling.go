package embed

import (
	"context"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/scale"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	resourceclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
	custommetrics "k8s.io/metrics/pkg/client/custom_metrics"
	externalmetrics "k8s.io/metrics/pkg/client/external_metrics"
)

// The horizontal autoscaler's settings, as in a stock cluster.
const (
	autoscalerSync            = 15 * time.Second
	autoscalerStabilization   = 5 * time.Minute
	autoscalerTolerance       = 0.1
	autoscalerCPUInitialized  = 5 * time.Minute
	autoscalerReadinessDelay  = 30 * time.Second
	autoscalerParallelObjects = 5
)

// scales reads and writes the scale of whatever has one.
func (c *controllers) scales() (scale.ScalesGetter, error) {
	return scale.NewForConfig(c.config, c.mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(c.client.Discovery()))
}

// addDisruption keeps the status of PodDisruptionBudgets.
func (c *controllers) addDisruption(ctx context.Context) error {
	scales, err := c.scales()
	if err != nil {
		return err
	}
	core, apps := c.informers.Core().V1(), c.informers.Apps().V1()
	d := disruption.NewDisruptionController(ctx, core.Pods(), c.informers.Policy().V1().PodDisruptionBudgets(), core.ReplicationControllers(),
		apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), c.client, c.mapper, scales, c.client.Discovery())
	c.add(func(ctx context.Context) { d.Run(ctx, workers) })
	return nil
}

// addAutoscaler scales by metrics, for as long as something serves them.
func (c *controllers) addAutoscaler(ctx context.Context) error {
	scales, err := c.scales()
	if err != nil {
		return err
	}
	resources, err := resourceclient.NewForConfig(c.config)
	if err != nil {
		return err
	}
	external, err := externalmetrics.NewForConfig(c.config)
	if err != nil {
		return err
	}
	available := custommetrics.NewAvailableAPIsGetter(c.client.Discovery())
	source := metrics.NewRESTMetricsClient(resources, custommetrics.NewForConfig(c.config, c.mapper, available), external)

	a := podautoscaler.NewHorizontalController(ctx, c.client.CoreV1(), scales, c.client.AutoscalingV2(), c.mapper, source,
		c.informers.Autoscaling().V2().HorizontalPodAutoscalers(), c.informers.Core().V1().Pods(),
		autoscalerSync, autoscalerStabilization, autoscalerTolerance, autoscalerCPUInitialized, autoscalerReadinessDelay)
	c.add(func(ctx context.Context) { a.Run(ctx, autoscalerParallelObjects) })
	c.add(func(ctx context.Context) { custommetrics.PeriodicallyInvalidate(available, autoscalerSync, ctx.Done()) })
	return nil
}
