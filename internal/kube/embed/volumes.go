package embed

import (
	"context"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/volume/ephemeral"
	"k8s.io/kubernetes/pkg/controller/volume/persistentvolume"
	"k8s.io/kubernetes/pkg/controller/volume/pvcprotection"
	"k8s.io/kubernetes/pkg/controller/volume/pvprotection"
)

// addVolumeBinder binds claims to volumes. It knows no volume plugins, so every
// StorageClass is left to a provisioner outside: the binder writes the
// provisioner's name on the claim (for WaitForFirstConsumer once the scheduler
// has chosen a node) and waits for the volume to appear.
func (c *controllers) addVolumeBinder(ctx context.Context) error {
	core := c.informers.Core().V1()
	b, err := persistentvolume.NewController(ctx, persistentvolume.ControllerParameters{
		KubeClient:                c.client,
		SyncPeriod:                15 * time.Second,
		VolumeInformer:            core.PersistentVolumes(),
		ClaimInformer:             core.PersistentVolumeClaims(),
		ClassInformer:             c.informers.Storage().V1().StorageClasses(),
		PodInformer:               core.Pods(),
		NodeInformer:              core.Nodes(),
		EnableDynamicProvisioning: true,
	})
	if err != nil {
		return err
	}
	c.add(b.Run)
	return nil
}

// addVolumeProtection keeps claims and volumes from going while in use.
func (c *controllers) addVolumeProtection(ctx context.Context) error {
	core := c.informers.Core().V1()
	claims, err := pvcprotection.NewPVCProtectionController(klog.FromContext(ctx), core.PersistentVolumeClaims(), core.Pods(), c.client)
	if err != nil {
		return err
	}
	volumes, err := pvprotection.NewPVProtectionController(klog.FromContext(ctx), core.PersistentVolumes(), c.client)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { claims.Run(ctx, 1) })
	c.add(func(ctx context.Context) { volumes.Run(ctx, 1) })
	return nil
}

// addEphemeralVolumes makes the claims of pods that bring a claim template.
func (c *controllers) addEphemeralVolumes(ctx context.Context) error {
	core := c.informers.Core().V1()
	e, err := ephemeral.NewController(ctx, c.client, core.Pods(), core.PersistentVolumeClaims())
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { e.Run(ctx, workers) })
	return nil
}
