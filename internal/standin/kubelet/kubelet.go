// Package kubelet plays the machines of a cluster: virtual nodes, and the
// kubelet on each, which walks every pod bound to it through the Pod machine.
//
// It promises what a consumer of the API can see of a kubelet: registered
// nodes with leases and heartbeats; pod status, conditions, container states,
// reasons, messages and events in a kubelet's words; Secrets, ConfigMaps and
// claims that are really looked up, each way a pod can refer to them; init
// containers in order; pods of Jobs that finish; a crash back-off; prompt
// deletion. Which node a pod runs on is the real scheduler's choice.
//
// Nothing runs: no image is pulled, containers start because a drawn time has
// passed, and probes pass. Images fail where Faults or Verify say so, and
// containers crash where Faults says so, or where the database that their
// environment names cannot be reached. What no node offers but a pod needs
// (device resources, node labels, device classes) is assumed, and recorded as
// such. What becomes of a node that is lost is nodelife's.
package kubelet

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/standin/image"
	"hearth/internal/standin/patience"
)

// The steps of a pod whose durations are simulated.
const (
	StepPull  = "pull"
	StepInit  = "init"
	StepStart = "start"
	StepRun   = "run"
	// StepBackOff is what is left of a back-off once its cause is gone.
	StepBackOff = "back-off"
	// StepStop is how long a pod's preStop hooks sleep.
	StepStop = "stop"
)

// workers bounds how many pods are walked at once; the gate bounds how many of
// them compute or talk to the server.
const workers = 128

// Options says what machines to play, and how fast.
type Options struct {
	Gate        *work.Gate
	Assumptions *domain.Assumptions

	// Pace is how fast simulated durations are played.
	Pace domain.Pace
	// BackoffPace is how fast back-offs after crashes and failed pulls are
	// played; 0 means real pace, as in a rehearsal.
	BackoffPace domain.Pace
	// Seed makes the drawn durations repeat.
	Seed uint64

	// Nodes are the cluster's nodes; none means that three are assumed.
	Nodes []Node
	// PodCIDR is the IPv4 range pod addresses are taken from; "" means 10.244.0.0/16.
	PodCIDR string
	// Version is the version the nodes report, such as "v1.37.2".
	Version string

	// Faults are what goes wrong at the moment; nil is nothing.
	Faults *domain.Faults
	// Verify looks an image up for a node's platform, such as "linux/amd64", and
	// returns what a container runtime would say if it cannot be had. It may
	// take as long as a registry does, and may be called concurrently. Nil takes
	// every image to be there.
	Verify func(ctx context.Context, ref image.Reference, platform string, credentials bool) error
	// Simulated is told each simulated duration, at real pace, as it begins.
	// It must be quick, and may be called concurrently. Nil is nobody.
	Simulated func(pod domain.Ref, step string, d time.Duration)
}

// kubelet plays all nodes' kubelets.
type kubelet struct {
	Options
	log    logr.Logger
	client client.Client
	reader client.Reader // past the cache
	nodes  *nodeSet
	stock  *image.Stock
	plays  *plays
	queue  *queue
	evicts *evictions
	wakes  *wakes
	events *eventWriter
	last   *patience.List
}

// Setup registers the nodes and their kubelets with the manager.
func Setup(mgr manager.Manager, o Options) error {
	k, err := newKubelet(mgr, o)
	if err != nil {
		return err
	}
	for _, r := range []manager.Runnable{
		manager.RunnableFunc(k.keepNodes),
		manager.RunnableFunc(k.followFaults),
		manager.RunnableFunc(k.relieve),
		manager.RunnableFunc(k.events.run),
		manager.RunnableFunc(k.last.Start),
	} {
		if err := mgr.Add(r); err != nil {
			return fmt.Errorf("set up the stand-in kubelet: %w", err)
		}
	}
	for _, setup := range []func(manager.Manager) error{k.setupPods, k.setupScheduling, k.setupDevices} {
		if err := setup(mgr); err != nil {
			return fmt.Errorf("set up the stand-in kubelet: %w", err)
		}
	}
	return nil
}

func newKubelet(mgr manager.Manager, o Options) (*kubelet, error) {
	if o.PodCIDR == "" {
		o.PodCIDR = "10.244.0.0/16"
	}
	if o.BackoffPace == 0 {
		o.BackoffPace = domain.RealPace
	}
	if o.Version == "" {
		o.Version = "v0.0.0"
	}
	if o.Simulated == nil {
		o.Simulated = func(domain.Ref, string, time.Duration) {}
	}
	cidr, err := netip.ParsePrefix(o.PodCIDR)
	if err != nil || !cidr.Addr().Is4() {
		return nil, fmt.Errorf("set up the stand-in kubelet: pod range %q is no IPv4 range such as 10.244.0.0/16", o.PodCIDR)
	}
	nodes, err := newNodeSet(o, cidr)
	if err != nil {
		return nil, fmt.Errorf("set up the virtual nodes: %w", err)
	}
	log := mgr.GetLogger().WithName("kubelet")
	k := &kubelet{
		Options: o,
		log:     log,
		client:  mgr.GetClient(),
		reader:  mgr.GetAPIReader(),
		nodes:   nodes,
		stock:   image.NewStock(o.Pace, o.Seed),
		plays:   newPlays(),
		queue:   &queue{},
		evicts:  newEvictions(),
		wakes:   newWakes(),
		events:  newEventWriter(mgr.GetClient(), log),
		last: patience.New(o.Gate, func(key string, err error) {
			log.Error(err, "cannot assume", "for", key)
		}),
	}
	return k, nil
}

func (k *kubelet) setupPods(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("kubelet").
		For(&corev1.Pod{}, builder.WithPredicates(boundPods())).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(k.wakes.of("Secret"))).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(k.wakes.of("ConfigMap"))).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(k.wakes.of("PersistentVolumeClaim"))).
		Watches(&storagev1.VolumeAttachment{}, handler.EnqueueRequestsFromMapFunc(k.wakes.of("VolumeAttachment"))).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(k.wakes.of("Service"))).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(k.wakes.behind)).
		WatchesRawSource(k.queue).
		WithOptions(controllerOptions(workers)).
		Complete(work.Reconciler(k.Gate, k))
}

func controllerOptions(concurrent int) controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: concurrent, SkipNameValidation: &skip}
}

// holding runs f with a slot of the gate.
func (k *kubelet) holding(ctx context.Context, f func(context.Context) error) error {
	ctx, leave, err := k.Gate.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return f(ctx)
}
