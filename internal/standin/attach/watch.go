package attach

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// claims returns the names of the claims that a pod uses.
func claims(pod *corev1.Pod) []string {
	var names []string
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, pod.Name+"-"+v.Name)
		}
	}
	return names
}

// over reports whether a pod's volumes are free: it has ended, or is to go and
// nothing of it runs.
func over(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return true
	}
	return pod.DeletionTimestamp != nil && !slices.ContainsFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
		return s.State.Terminated == nil && s.State.Waiting == nil
	})
}

// uses lets through what changes which volumes a pod uses where.
func uses() predicate.Predicate {
	of := func(obj client.Object) bool {
		pod, ok := obj.(*corev1.Pod)
		return ok && pod.Spec.NodeName != "" && len(claims(pod)) > 0
	}
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return of(e.Object) },
		DeleteFunc:  func(e event.DeleteEvent) bool { return of(e.Object) },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*corev1.Pod)
			after, same := e.ObjectNew.(*corev1.Pod)
			return ok && same && of(after) && (before.Spec.NodeName != after.Spec.NodeName || over(before) != over(after))
		},
	}
}

// volumesOf returns the volumes that a pod uses.
func (a *attacher) volumesOf(ctx context.Context, obj client.Object) []reconcile.Request {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil
	}
	var requests []reconcile.Request
	for _, name := range claims(pod) {
		claim := &corev1.PersistentVolumeClaim{}
		err := a.client.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, claim)
		if err == nil && claim.Spec.VolumeName != "" {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Name: claim.Spec.VolumeName}})
		}
	}
	return requests
}

// volumeOfClaim returns the volume of a claim: a pod may be seen before the
// claim that it uses is seen to have one.
func volumeOfClaim(_ context.Context, obj client.Object) []reconcile.Request {
	claim, ok := obj.(*corev1.PersistentVolumeClaim)
	if !ok || claim.Spec.VolumeName == "" {
		return nil
	}
	return requests([]string{claim.Spec.VolumeName})
}

// volumesBy returns the volumes of a driver, which says whether they have to be
// attached.
func (a *attacher) volumesBy(ctx context.Context, driver client.Object) []reconcile.Request {
	list := &corev1.PersistentVolumeList{}
	if err := a.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var names []string
	for i := range list.Items {
		if Driver(&list.Items[i]) == driver.GetName() {
			names = append(names, list.Items[i].Name)
		}
	}
	return requests(names)
}

// letsGo lets through what changes how long a node may hold its volumes.
func letsGo() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return true },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*corev1.Node)
			after, same := e.ObjectNew.(*corev1.Node)
			return ok && same && (outOfService(before) != outOfService(after) || ready(before) != ready(after))
		},
	}
}

func outOfService(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}

func ready(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func (a *attacher) volumesAt(_ context.Context, node client.Object) []reconcile.Request {
	return requests(a.attached(node.GetName()))
}

// deleted lets through that something is gone.
func deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return true },
	}
}

// takenAway notes that somebody else has deleted an attachment, which is how
// people free a volume by hand.
func (a *attacher) takenAway(_ context.Context, obj client.Object) []reconcile.Request {
	gone, ok := obj.(*storagev1.VolumeAttachment)
	if !ok {
		return nil
	}
	at := place{volumeOf(gone), gone.Spec.NodeName}
	a.mu.Lock()
	one := a.volumes[at.volume][at.node]
	a.mu.Unlock()
	if one == nil || one.uid != gone.UID {
		return nil
	}
	a.drop(at)
	return requests([]string{at.volume})
}

func requests(volumes []string) []reconcile.Request {
	var list []reconcile.Request
	for _, name := range volumes {
		list = append(list, reconcile.Request{NamespacedName: client.ObjectKey{Name: name}})
	}
	return list
}

// users returns which pods use a volume, by node.
func (a *attacher) users(ctx context.Context, volume *corev1.PersistentVolume) (usage, error) {
	claim := volume.Spec.ClaimRef
	if claim == nil {
		return nil, nil
	}
	list := &corev1.PodList{}
	if err := a.client.List(ctx, list, client.InNamespace(claim.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	users := usage{}
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.Spec.NodeName != "" && !over(pod) && slices.Contains(claims(pod), claim.Name) {
			users[pod.Spec.NodeName] = append(users[pod.Spec.NodeName], pod)
		}
	}
	for _, pods := range users {
		slices.SortFunc(pods, byAge)
	}
	return users, nil
}

func byAge(a, b *corev1.Pod) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}
