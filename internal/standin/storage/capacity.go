package storage

import (
	"context"
	"fmt"
	"hash/fnv"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// plenty is more than any claim of a homelab asks for.
const plenty = "1Pi"

// capacityNamespace holds the capacities, which belong to no application.
const capacityNamespace = "kube-system"

// setupCapacities says how much room there is, where a driver promises to say
// so: the scheduler waits for that before it chooses a node.
func (p *provisioner) setupCapacities(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("storage-capacities").
		For(&storagev1.StorageClass{}).
		Watches(&storagev1.CSIDriver{}, handler.EnqueueRequestsFromMapFunc(p.classesOf)).
		WithOptions(options()).
		Complete(work.Reconciler(p.Gate, reconcile.Func(p.reconcileCapacity)))
}

func (p *provisioner) classesOf(ctx context.Context, driver client.Object) []reconcile.Request {
	classes := &storagev1.StorageClassList{}
	if err := p.client.List(ctx, classes); err != nil {
		p.log.Error(err, "cannot list storage classes")
		return nil
	}
	var requests []reconcile.Request
	for i := range classes.Items {
		if classes.Items[i].Provisioner == driver.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&classes.Items[i])})
		}
	}
	return requests
}

func (p *provisioner) reconcileCapacity(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	class := &storagev1.StorageClass{}
	if err := p.client.Get(ctx, req.NamespacedName, class); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	driver := &storagev1.CSIDriver{}
	if err := p.client.Get(ctx, client.ObjectKey{Name: class.Provisioner}, driver); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if driver.Spec.StorageCapacity == nil || !*driver.Spec.StorageCapacity {
		return reconcile.Result{}, nil
	}
	hash := fnv.New32a()
	hash.Write([]byte(class.Name))
	capacity := resource.MustParse(plenty)
	if room, limited := p.Capacity[class.Name]; limited {
		capacity = room
	}
	err := p.client.Create(ctx, &storagev1.CSIStorageCapacity{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: capacityNamespace, Name: fmt.Sprintf("hearth-%08x", hash.Sum32()),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: storagev1.SchemeGroupVersion.String(), Kind: "StorageClass", Name: class.Name, UID: class.UID,
			}},
		},
		StorageClassName: class.Name,
		NodeTopology:     &metav1.LabelSelector{},
		Capacity:         &capacity,
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return reconcile.Result{}, fmt.Errorf("say how much room the storage class %s has: %w", class.Name, err)
	}
	return reconcile.Result{}, nil
}
