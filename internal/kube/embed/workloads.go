package embed

import (
	"context"
	"time"

	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/podgc"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/statefulset"
	"k8s.io/kubernetes/pkg/controller/ttlafterfinished"
)

// workers is how many objects a controller works on at a time.
const workers = 5

// terminatedPods is how many finished pods may stay before the oldest go.
const terminatedPods = 12500

func (c *controllers) addDeployments(ctx context.Context) error {
	apps := c.informers.Apps().V1()
	d, err := deployment.NewDeploymentController(ctx, apps.Deployments(), apps.ReplicaSets(), c.informers.Core().V1().Pods(), c.client)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { d.Run(ctx, workers) })
	return nil
}

func (c *controllers) addReplicaSets(ctx context.Context) error {
	r := replicaset.NewReplicaSetController(ctx, c.informers.Apps().V1().ReplicaSets(), c.informers.Core().V1().Pods(), c.client, replicaset.BurstReplicas)
	c.add(func(ctx context.Context) { r.Run(ctx, workers) })
	return nil
}

func (c *controllers) addStatefulSets(ctx context.Context) error {
	apps, core := c.informers.Apps().V1(), c.informers.Core().V1()
	s := statefulset.NewStatefulSetController(ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(), c.client)
	c.add(func(ctx context.Context) { s.Run(ctx, workers) })
	return nil
}

func (c *controllers) addDaemonSets(ctx context.Context) error {
	apps, core := c.informers.Apps().V1(), c.informers.Core().V1()
	d, err := daemon.NewDaemonSetsController(ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(), c.client, flowcontrol.NewBackOff(time.Second, 15*time.Minute))
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { d.Run(ctx, workers) })
	return nil
}

func (c *controllers) addJobs(ctx context.Context) error {
	// Workloads and pod groups belong to a feature that is off.
	j, err := job.NewController(ctx, c.client, c.informers.Core().V1().Pods(), c.informers.Batch().V1().Jobs(), nil, nil)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { j.Run(ctx, workers) })
	return nil
}

func (c *controllers) addCronJobs(ctx context.Context) error {
	batch := c.informers.Batch().V1()
	j, err := cronjob.NewControllerV2(ctx, batch.Jobs(), batch.CronJobs(), c.client)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { j.Run(ctx, workers) })
	return nil
}

func (c *controllers) addFinishedJobs(ctx context.Context) error {
	t := ttlafterfinished.New(ctx, c.informers.Batch().V1().Jobs(), c.client)
	c.add(func(ctx context.Context) { t.Run(ctx, workers) })
	return nil
}

func (c *controllers) addPodGarbage(ctx context.Context) error {
	core := c.informers.Core().V1()
	c.add(podgc.NewPodGC(ctx, c.client, core.Pods(), core.Nodes(), terminatedPods).Run)
	return nil
}
