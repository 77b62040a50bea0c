// Package storage plays the provisioners of a cluster: what a CSI driver's
// external-provisioner and external-resizer do with claims, without a disk.
//
// It promises that a claim of any StorageClass with a provisioner is given a
// volume that suits it, once the scheduler has chosen a node where the class
// waits for the first consumer; that volumes of the class' Delete policy go
// when their claim is gone, and others stay; that expansion takes effect where
// the class allows it; and that a claim that is to be filled from something
// (dataSource, dataSourceRef) waits until that is ready.
//
// The rules are those of the control plane's volume binder, which completes
// each binding but looks for what has changed around a claim only every 15 s:
// volumes made by hand come first, a class name of "" is honoured, a claim
// without a class is given the default, and a class without a provisioner gets
// nothing. A class that nobody brings can be assumed. A class can have only so
// much room, be full, slow, or have nobody who provisions for it: claims stay
// Pending then, with the events of an external-provisioner.
package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/standin/patience"
)

// workers bounds how many claims, and how many volumes, are seen to at once.
const workers = 16

// Provisioner is the provisioner of assumed classes, and the driver of their volumes.
const Provisioner = "storage.hearth.dev"

// Options says whose claims are met.
type Options struct {
	Gate        *work.Gate
	Objects     *objects.Objects
	Assumptions *domain.Assumptions

	// Faults are what goes wrong at the moment; nil is nothing.
	Faults *domain.Faults
	// Pace and Seed are those of simulated durations: how long a slow disk takes.
	Pace domain.Pace
	Seed uint64
	// Capacity is how much room there is behind a StorageClass, by its name; of
	// one that is not named there is as much as anybody asks for.
	Capacity map[string]resource.Quantity
	// Simulated is told each duration, at real pace, as it begins. Nil is nobody.
	Simulated func(obj domain.Ref, step string, d time.Duration)

	// AssumeClasses makes a StorageClass that claims name and that neither the
	// tree nor a chart has brought once nothing else makes progress, and a
	// default class where claims ask for one and there is none. Without it
	// such claims stay Pending, as in life.
	AssumeClasses bool
}

// provisioner plays every provisioner.
type provisioner struct {
	Options
	client client.Client
	log    logr.Logger
	last   *patience.List
	fills  *fills
	retry  chan event.GenericEvent // claims to be looked at again

	mu     sync.Mutex
	told   map[types.UID]string    // what was last said of a claim
	slow   map[types.UID]time.Time // when the volume of a claim will have been made
	timers map[types.UID]func()
}

// Setup registers the provisioners with the manager.
func Setup(mgr manager.Manager, o Options) error {
	log := mgr.GetLogger().WithName("storage")
	p := &provisioner{
		Options: o,
		client:  mgr.GetClient(),
		log:     log,
		retry:   make(chan event.GenericEvent, 1024),
		fills:   newFills(),
		last: patience.New(o.Gate, func(key string, err error) {
			log.Error(err, "cannot assume", "for", key)
		}),
	}
	p.prepare()
	o.Objects.Listen(p.fills.changed)
	err := errors.Join(mgr.Add(manager.RunnableFunc(p.last.Start)), mgr.Add(manager.RunnableFunc(p.followFaults)))
	if err != nil {
		return fmt.Errorf("set up the stand-in storage: %w", err)
	}
	err = builder.ControllerManagedBy(mgr).
		Named("storage-claims").
		For(&corev1.PersistentVolumeClaim{}).
		Watches(&storagev1.StorageClass{}, handler.EnqueueRequestsFromMapFunc(p.pendingClaims)).
		Watches(&corev1.PersistentVolume{}, handler.EnqueueRequestsFromMapFunc(p.pendingClaims), builder.WithPredicates(unclaimed())).
		Watches(&apiextensionsv1.CustomResourceDefinition{}, handler.EnqueueRequestsFromMapFunc(p.fills.kind)).
		WatchesRawSource(source.Channel(p.retry, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(p.fills).
		WithOptions(options()).
		Complete(work.Reconciler(o.Gate, reconcile.Func(p.reconcileClaim)))
	if err != nil {
		return fmt.Errorf("set up the stand-in storage: %w", err)
	}
	err = builder.ControllerManagedBy(mgr).
		Named("storage-volumes").
		For(&corev1.PersistentVolume{}).
		WithOptions(options()).
		Complete(work.Reconciler(o.Gate, reconcile.Func(p.reconcileVolume)))
	if err == nil {
		err = p.setupCapacities(mgr)
	}
	if err != nil {
		return fmt.Errorf("set up the stand-in storage: %w", err)
	}
	return nil
}

// prepare makes the provisioner's memory.
func (p *provisioner) prepare() {
	if p.Simulated == nil {
		p.Simulated = func(domain.Ref, string, time.Duration) {}
	}
	p.told, p.slow, p.timers = map[types.UID]string{}, map[types.UID]time.Time{}, map[types.UID]func(){}
}

func options() controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}
}

// unclaimed lets volumes through that a claim could have, and those whose room
// has become free.
func unclaimed() predicate.Predicate {
	could := predicate.NewPredicateFuncs(func(obj client.Object) bool {
		volume, ok := obj.(*corev1.PersistentVolume)
		return ok && available(volume)
	})
	return predicate.Funcs{
		CreateFunc: could.Create, UpdateFunc: could.Update, GenericFunc: could.Generic,
		DeleteFunc: func(event.DeleteEvent) bool { return true },
	}
}

// pendingClaims returns the claims that a new or changed class or volume may help.
func (p *provisioner) pendingClaims(ctx context.Context, _ client.Object) []reconcile.Request {
	list := &corev1.PersistentVolumeClaimList{}
	if err := p.client.List(ctx, list); err != nil {
		p.log.Error(err, "cannot list claims")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if list.Items[i].Spec.VolumeName == "" {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}
