package embed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
)

// resync is how often informers hand every object to the controllers again.
const resync = 12 * time.Hour

// controllers are the loops of a kube-controller-manager that a cluster
// without machines needs, on shared informers.
type controllers struct {
	config    *rest.Config
	client    kubernetes.Interface
	metadata  metadata.Interface
	informers informers.SharedInformerFactory
	partial   metadatainformer.SharedInformerFactory
	any       informerfactory.InformerFactory
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	keys      *keys

	definitionsChanged <-chan struct{}

	started chan struct{}
	loops   []loop
}

// loop is one controller at work; it returns when its context is cancelled.
type loop func(context.Context)

// newControllers builds all controllers; nothing runs yet. ctx has to last as
// long as they do.
func newControllers(ctx context.Context, config *rest.Config, k *keys) (*controllers, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = "kube-controller-manager"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	partial, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &controllers{
		config:    config,
		client:    client,
		metadata:  partial,
		informers: informers.NewSharedInformerFactoryWithOptions(client, resync, informers.WithTransform(withoutManagedFields)),
		partial:   metadatainformer.NewSharedInformerFactoryWithOptions(partial, resync, metadatainformer.WithTransform(withoutManagedFields)),
		mapper:    restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		keys:      k,
		started:   make(chan struct{}),
	}
	c.any = informerfactory.NewInformerFactory(c.informers, c.partial)
	for _, add := range []struct {
		name string
		f    func(*controllers, context.Context) error
	}{
		{"deployment", (*controllers).addDeployments},
		{"replicaset", (*controllers).addReplicaSets},
		{"statefulset", (*controllers).addStatefulSets},
		{"daemonset", (*controllers).addDaemonSets},
		{"job", (*controllers).addJobs},
		{"cronjob", (*controllers).addCronJobs},
		{"ttl-after-finished", (*controllers).addFinishedJobs},
		{"pod garbage", (*controllers).addPodGarbage},
		{"namespace", (*controllers).addNamespaces},
		{"serviceaccount", (*controllers).addServiceAccounts},
		{"serviceaccount-token", (*controllers).addServiceAccountTokens},
		{"root CA", (*controllers).addRootCA},
		{"cluster role aggregation", (*controllers).addClusterRoleAggregation},
		{"endpointslice", (*controllers).addEndpointSlices},
		{"endpointslice mirroring", (*controllers).addEndpointSliceMirroring},
		{"volume binder", (*controllers).addVolumeBinder},
		{"volume protection", (*controllers).addVolumeProtection},
		{"ephemeral volume", (*controllers).addEphemeralVolumes},
		{"disruption", (*controllers).addDisruption},
		{"horizontal autoscaler", (*controllers).addAutoscaler},
		{"node ttl", (*controllers).addNodeTTL},
		{"resource claim", (*controllers).addResourceClaims},
		{"resource quota", (*controllers).addResourceQuota},
		{"CRD", (*controllers).addDefinitions},
		{"garbage collector", (*controllers).addGarbageCollector},
	} {
		if err := add.f(c, ctx); err != nil {
			return nil, fmt.Errorf("building the %s controller: %w", add.name, err)
		}
	}
	return c, nil
}

// add registers a controller's loop.
func (c *controllers) add(l loop) { c.loops = append(c.loops, l) }

// run starts the informers, then the controllers, and returns once all have
// ended after ctx was cancelled.
func (c *controllers) run(ctx context.Context) {
	c.informers.Start(ctx.Done())
	c.partial.Start(ctx.Done())
	close(c.started)

	var running sync.WaitGroup
	for _, l := range c.loops {
		running.Go(func() { l(ctx) })
	}
	running.Wait()
	c.informers.Shutdown()
	c.partial.Shutdown()
}

// withoutManagedFields keeps what no controller reads out of memory.
func withoutManagedFields(obj any) (any, error) {
	if accessor, err := meta.Accessor(obj); err == nil {
		accessor.SetManagedFields(nil)
	}
	return obj, nil
}
