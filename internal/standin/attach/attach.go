// Package attach plays the attach-detach controller of a controller manager,
// and the external-attachers of the drivers behind it: a volume that has to be
// attached gets a VolumeAttachment for the node whose pod uses it, and one that
// only a single node may have is refused to a second.
//
// It promises the objects, events and rules of Kubernetes 1.37: volumes are
// detached before they are attached anew, a pod that comes too early is told
// so once (FailedAttachVolume), and a volume stays with a node that does not
// answer until all that use it there are gone and six minutes have passed, or
// the node is tainted out-of-service. Which drivers attach at all is said by
// their CSIDriver objects; without one, only those that are known to.
// Attaching takes no time. That pods wait for their volumes is the kubelet's.
//
// See https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/.
package attach

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// unmountWait is how long a node that is not ready may hold a volume that no
// pod uses there any more.
const unmountWait = 6 * time.Minute

// workers bounds how many volumes are seen to at once.
const workers = 16

// Options says which nodes answer, and how fast time passes.
type Options struct {
	Gate *work.Gate
	// Pace is how fast the six minutes are played.
	Pace domain.Pace
	// Faults say which nodes do not answer; nil is none.
	Faults *domain.Faults
}

// attacher attaches and detaches all volumes.
type attacher struct {
	Options
	client client.Client
	retry  chan event.GenericEvent // volumes to be looked at again
	nodes  chan event.GenericEvent // nodes whose volumes changed

	mu      sync.Mutex
	volumes map[string]map[string]*attachment // by volume, and by node
	seeded  bool
	told    map[place]bool // who was told that somebody else has the volume
	timers  map[string]func()
}

// attachment is one volume at one node.
type attachment struct {
	uid    types.UID
	unique corev1.UniqueVolumeName
	unused time.Time // since when no pod of the node uses it; zero while one does
}

// place is a volume at a node.
type place struct{ volume, node string }

// Setup registers the controller with the manager.
func Setup(mgr manager.Manager, o Options) error {
	a := newAttacher(mgr.GetClient(), o)
	if err := mgr.Add(manager.RunnableFunc(a.followFaults)); err != nil {
		return fmt.Errorf("set up the stand-in attach-detach controller: %w", err)
	}
	err := builder.ControllerManagedBy(mgr).
		Named("attach-volumes").
		For(&corev1.PersistentVolume{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(a.volumesOf), builder.WithPredicates(uses())).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(volumeOfClaim)).
		Watches(&storagev1.CSIDriver{}, handler.EnqueueRequestsFromMapFunc(a.volumesBy)).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(a.volumesAt), builder.WithPredicates(letsGo())).
		Watches(&storagev1.VolumeAttachment{}, handler.EnqueueRequestsFromMapFunc(a.takenAway), builder.WithPredicates(deleted())).
		WatchesRawSource(source.Channel(a.retry, &handler.EnqueueRequestForObject{})).
		WithOptions(options(workers)).
		Complete(work.Reconciler(o.Gate, a))
	if err != nil {
		return fmt.Errorf("set up the stand-in attach-detach controller: %w", err)
	}
	err = builder.ControllerManagedBy(mgr).
		Named("attach-nodes").
		WatchesRawSource(source.Channel(a.nodes, &handler.EnqueueRequestForObject{})).
		WithOptions(options(1)).
		Complete(work.Reconciler(o.Gate, (*shower)(a)))
	if err != nil {
		return fmt.Errorf("set up the stand-in attach-detach controller: %w", err)
	}
	return nil
}

func newAttacher(c client.Client, o Options) *attacher {
	return &attacher{
		Options: o, client: c,
		retry: make(chan event.GenericEvent, 1024), nodes: make(chan event.GenericEvent, 1024),
		volumes: map[string]map[string]*attachment{}, told: map[place]bool{}, timers: map[string]func(){},
	}
}

func options(workers int) controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}
}

// followFaults looks at all volumes again when a node is lost or back.
func (a *attacher) followFaults(ctx context.Context) error {
	a.Faults.Follow(ctx, func(ctx context.Context) {
		for _, volume := range a.attached("") {
			one := &corev1.PersistentVolume{}
			one.Name = volume
			select {
			case a.retry <- event.GenericEvent{Object: one}:
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}
