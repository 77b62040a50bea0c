// Package storage plays the provisioners of a cluster: what a CSI driver's
// external-provisioner and external-resizer do with claims, without a disk.
//
// It promises that a claim of any StorageClass with a provisioner is given a
// volume that suits it, once the scheduler has chosen a node where the class
// waits for the first consumer; that volumes of the class' Delete policy go
// when their claim is gone, and others stay; that expansion takes effect where
// the class allows it; and that whatever a claim is to be filled from
// (dataSource, dataSourceRef) counts as filled at once.
//
// The rules are those of the control plane's volume binder, which completes
// each binding but looks for what has changed around a claim only every 15 s:
// volumes made by hand come first, a class name of "" is honoured, a claim
// without a class is given the default, and a class without a provisioner gets
// nothing. A class that nobody brings can be assumed.
package storage

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
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
	Assumptions *domain.Assumptions

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
}

// Setup registers the provisioners with the manager.
func Setup(mgr manager.Manager, o Options) error {
	log := mgr.GetLogger().WithName("storage")
	p := &provisioner{
		Options: o,
		client:  mgr.GetClient(),
		log:     log,
		last: patience.New(o.Gate, func(key string, err error) {
			log.Error(err, "cannot assume", "for", key)
		}),
	}
	if err := mgr.Add(manager.RunnableFunc(p.last.Start)); err != nil {
		return fmt.Errorf("set up the stand-in storage: %w", err)
	}
	err := builder.ControllerManagedBy(mgr).
		Named("storage-claims").
		For(&corev1.PersistentVolumeClaim{}).
		Watches(&storagev1.StorageClass{}, handler.EnqueueRequestsFromMapFunc(p.pendingClaims)).
		Watches(&corev1.PersistentVolume{}, handler.EnqueueRequestsFromMapFunc(p.pendingClaims), builder.WithPredicates(unclaimed())).
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

func options() controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}
}

// unclaimed lets volumes through that a claim could have.
func unclaimed() predicate.Predicate {
	return predicate.NewPredicateFuncs(func(obj client.Object) bool {
		volume, ok := obj.(*corev1.PersistentVolume)
		return ok && available(volume)
	})
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
