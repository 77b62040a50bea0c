package kubelet

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// assumedDevices is how many devices of a driver every node is given.
const assumedDevices = 16

// setupDevices watches for claims of devices, which resource drivers on real
// nodes would publish.
func (k *kubelet) setupDevices(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("kubelet-devices").
		For(&resourcev1.ResourceClaim{}).
		Watches(&resourcev1.DeviceClass{}, handler.EnqueueRequestsFromMapFunc(k.claimsWithoutDevices)).
		WithOptions(controllerOptions(1)).
		Complete(work.Reconciler(k.Gate, reconcile.Func(k.supply)))
}

func (k *kubelet) claimsWithoutDevices(ctx context.Context, _ client.Object) []reconcile.Request {
	list := &resourcev1.ResourceClaimList{}
	if err := k.client.List(ctx, list); err != nil {
		k.log.Error(err, "cannot list resource claims")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if list.Items[i].Status.Allocation == nil {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// supply publishes devices for a claim that has none yet. A device class that
// is missing is assumed once nothing else can bring it.
func (k *kubelet) supply(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	claim := &resourcev1.ResourceClaim{}
	if err := k.client.Get(ctx, req.NamespacedName, claim); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if claim.Status.Allocation != nil || claim.DeletionTimestamp != nil {
		return reconcile.Result{}, nil
	}
	for _, name := range deviceClasses(claim) {
		class := &resourcev1.DeviceClass{}
		err := k.client.Get(ctx, client.ObjectKey{Name: name}, class)
		if apierrors.IsNotFound(err) {
			k.last.Add("DeviceClass "+name, func(ctx context.Context) error { return k.assumeClass(ctx, claim, name) })
			continue
		}
		if err != nil {
			return reconcile.Result{}, err
		}
		if err := k.publish(ctx, claim, class); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, nil
}

func deviceClasses(claim *resourcev1.ResourceClaim) []string {
	var classes []string
	for _, r := range claim.Spec.Devices.Requests {
		if r.Exactly != nil {
			classes = append(classes, r.Exactly.DeviceClassName)
		}
		for _, sub := range r.FirstAvailable {
			classes = append(classes, sub.DeviceClassName)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

func (k *kubelet) assumeClass(ctx context.Context, claim *resourcev1.ResourceClaim, name string) error {
	class := &resourcev1.DeviceClass{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: resourcev1.DeviceClassSpec{Selectors: []resourcev1.DeviceSelector{{
			CEL: &resourcev1.CELDeviceSelector{Expression: fmt.Sprintf("device.driver == %q", name)},
		}}},
	}
	err := k.client.Create(ctx, class)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("assume the device class %s: %w", name, err)
	}
	k.Assumptions.Add(domain.AssumedNode, "device class "+name, fmt.Sprintf("ResourceClaim %s/%s asks for it, and nothing brings it", claim.Namespace, claim.Name))
	return nil
}

// driverTerm finds which driver's devices a class selects.
var driverTerm = regexp.MustCompile(`device\.driver\s*==\s*["']([^"']+)["']`)

// drivers returns the drivers a device class selects, or one of its own name
// where it leaves that open.
func drivers(class *resourcev1.DeviceClass) []string {
	var list []string
	for _, s := range class.Spec.Selectors {
		if s.CEL == nil {
			continue
		}
		for _, match := range driverTerm.FindAllStringSubmatch(s.CEL.Expression, 8) {
			list = append(list, match[1])
		}
	}
	if len(list) == 0 {
		list = []string{class.Name}
	}
	return list
}

// publish gives every node devices of a class' drivers, unless something has
// published some already.
func (k *kubelet) publish(ctx context.Context, claim *resourcev1.ResourceClaim, class *resourcev1.DeviceClass) error {
	published := &resourcev1.ResourceSliceList{}
	if err := k.client.List(ctx, published); err != nil {
		return err
	}
	for _, driver := range drivers(class) {
		has := slices.ContainsFunc(published.Items, func(s resourcev1.ResourceSlice) bool { return s.Spec.Driver == driver })
		if has || len(validation.IsDNS1123Subdomain(driver)) > 0 {
			continue
		}
		for _, node := range k.nodes.objects() {
			err := k.client.Create(ctx, deviceSlice(driver, node.Name, assumedDevices))
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("publish devices of %s on node %s: %w", driver, node.Name, err)
			}
		}
		k.Assumptions.Add(domain.AssumedNode, "devices of "+driver, fmt.Sprintf("ResourceClaim %s/%s asks for one, and no node is known to have any", claim.Namespace, claim.Name))
	}
	return nil
}

// publishOwn publishes the devices that a node was given.
func (k *kubelet) publishOwn(ctx context.Context, node string) error {
	devices := k.nodes.devices(node)
	for _, driver := range slices.Sorted(maps.Keys(devices)) {
		err := k.client.Create(ctx, deviceSlice(driver, node, devices[driver]))
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("publish devices of %s: %w", driver, err)
		}
	}
	return nil
}

func deviceSlice(driver, node string, count int) *resourcev1.ResourceSlice {
	slice := &resourcev1.ResourceSlice{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ToLower(node + "-" + driver)},
		Spec: resourcev1.ResourceSliceSpec{
			Driver:   driver,
			NodeName: &node,
			Pool:     resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1},
		},
	}
	for i := range count {
		slice.Spec.Devices = append(slice.Spec.Devices, resourcev1.Device{Name: fmt.Sprintf("device-%d", i)})
	}
	return slice
}
