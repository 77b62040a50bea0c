package embed

import (
	"context"

	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/endpointslicemirroring"
	"k8s.io/kubernetes/pkg/controller/resourceclaim"
	"k8s.io/kubernetes/pkg/controller/ttl"
)

const (
	endpointsPerSlice = 100
	mirroredPerSubset = 1000
)

// addEndpointSlices lists the pods behind each Service.
func (c *controllers) addEndpointSlices(ctx context.Context) error {
	core := c.informers.Core().V1()
	e := endpointslice.NewController(ctx, core.Pods(), core.Services(), core.Nodes(), c.informers.Discovery().V1().EndpointSlices(), endpointsPerSlice, c.client, 0)
	c.add(func(ctx context.Context) { e.Run(ctx, workers) })
	return nil
}

// addEndpointSliceMirroring follows Endpoints that were written by hand, as
// homelabs do for machines outside the cluster.
func (c *controllers) addEndpointSliceMirroring(ctx context.Context) error {
	core := c.informers.Core().V1()
	m := endpointslicemirroring.NewController(ctx, core.Endpoints(), c.informers.Discovery().V1().EndpointSlices(), core.Services(), mirroredPerSubset, c.client, 0)
	c.add(func(ctx context.Context) { m.Run(ctx, workers) })
	return nil
}

// addNodeTTL tells nodes how long they may cache Secrets and ConfigMaps.
func (c *controllers) addNodeTTL(ctx context.Context) error {
	t := ttl.NewTTLController(ctx, c.informers.Core().V1().Nodes(), c.client)
	c.add(func(ctx context.Context) { t.Run(ctx, 1) })
	return nil
}

// addResourceClaims makes the claims of pods that ask for devices.
func (c *controllers) addResourceClaims(ctx context.Context) error {
	resource := c.informers.Resource().V1()
	r, err := resourceclaim.NewController(klog.FromContext(ctx), c.client, c.informers.Core().V1().Pods(), c.informers.Scheduling().V1beta1().PodGroups(), resource.ResourceClaims(), resource.ResourceClaimTemplates())
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { r.Run(ctx, workers) })
	return nil
}
