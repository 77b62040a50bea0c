package attach

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Reconcile takes a volume from the nodes that no longer use it, and brings it
// to those that do.
func (a *attacher) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	none := reconcile.Result{}
	if err := a.seed(ctx); err != nil {
		return none, err
	}
	a.endTimer(req.Name)
	volume := &corev1.PersistentVolume{}
	err := a.client.Get(ctx, req.NamespacedName, volume)
	if apierrors.IsNotFound(err) {
		return none, a.detachAll(ctx, req.Name)
	}
	if err != nil {
		return none, err
	}
	users, err := a.users(ctx, volume)
	if err != nil {
		return none, err
	}
	left, err := a.detach(ctx, volume, users)
	if err != nil {
		return none, err
	}
	if needed, err := Needed(ctx, a.client, volume); !needed || err != nil {
		return none, err
	}
	if err := a.attach(ctx, volume, users); err != nil || left == 0 {
		return none, err
	}
	a.startTimer(volume.Name)
	return reconcile.Result{RequeueAfter: left}, nil
}

// detach takes a volume from nodes where no pod uses it. It returns how long a
// node may still hold it; 0 is no such node.
func (a *attacher) detach(ctx context.Context, volume *corev1.PersistentVolume, users usage) (left time.Duration, err error) {
	for _, node := range a.nodesOf(volume.Name) {
		if len(users[node]) > 0 {
			a.use(place{volume.Name, node})
			continue
		}
		more, err := a.held(ctx, place{volume.Name, node})
		if err != nil {
			return 0, err
		}
		if more > 0 {
			if left == 0 || more < left {
				left = more
			}
			continue
		}
		if err := a.remove(ctx, place{volume.Name, node}, Name(volume, node)); err != nil {
			return 0, err
		}
	}
	a.forgetTold(volume.Name, users)
	return left, nil
}

// held returns how much longer a node holds a volume that no pod uses there:
// one that answers gives it up at once.
func (a *attacher) held(ctx context.Context, at place) (time.Duration, error) {
	since := a.unused(at, time.Now())
	if !a.down(at.node) {
		return 0, nil
	}
	node := &corev1.Node{}
	if err := a.client.Get(ctx, client.ObjectKey{Name: at.node}, node); client.IgnoreNotFound(err) != nil {
		return 0, err
	}
	if outOfService(node) {
		return 0, nil
	}
	left := time.Until(since.Add(a.Pace.Scale(unmountWait)))
	if left <= 0 && ready(node) {
		left = time.Second // nobody has noticed yet that the node is lost
	}
	return max(left, 0), nil
}

// attach brings a volume to the nodes whose pods use it, the one with the
// oldest pod first.
func (a *attacher) attach(ctx context.Context, volume *corev1.PersistentVolume, users usage) error {
	for _, node := range users.nodes() {
		has := a.nodesOf(volume.Name)
		if slices.Contains(has, node) {
			continue
		}
		if len(has) > 0 && !shared(volume) {
			if err := a.tellUsed(ctx, volume, node, has, users); err != nil {
				return err
			}
			continue
		}
		if err := a.bring(ctx, volume, node, users[node]); err != nil {
			return err
		}
	}
	return nil
}

// bring attaches a volume to a node.
func (a *attacher) bring(ctx context.Context, volume *corev1.PersistentVolume, node string, pods []*corev1.Pod) error {
	attachment := &storagev1.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{Name: Name(volume, node)},
		Spec: storagev1.VolumeAttachmentSpec{
			Attacher: Driver(volume), NodeName: node, Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume.Name},
		},
	}
	err := a.client.Create(ctx, attachment)
	if apierrors.IsAlreadyExists(err) {
		err = a.client.Get(ctx, client.ObjectKeyFromObject(attachment), attachment)
	}
	if err == nil && !attachment.Status.Attached {
		before := attachment.DeepCopy()
		attachment.Status.Attached = true
		err = a.client.Status().Patch(ctx, attachment, client.MergeFrom(before))
	}
	if err != nil {
		return fmt.Errorf("attach the volume %s to the node %s: %w", volume.Name, node, err)
	}
	a.put(place{volume.Name, node}, attachment.UID, unique(volume))
	return a.tell(ctx, pods, corev1.EventTypeNormal, "SuccessfulAttachVolume", fmt.Sprintf("AttachVolume.Attach succeeded for volume %q ", volume.Name))
}

// detachAll takes a volume that is gone from all nodes.
func (a *attacher) detachAll(ctx context.Context, volume string) error {
	a.forgetTold(volume, nil)
	nodes := a.nodesOf(volume)
	if len(nodes) == 0 {
		return nil
	}
	list := &storagev1.VolumeAttachmentList{}
	if err := a.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range list.Items {
		one := &list.Items[i]
		if volumeOf(one) != volume {
			continue
		}
		if err := a.remove(ctx, place{volume, one.Spec.NodeName}, one.Name); err != nil {
			return err
		}
	}
	for _, node := range nodes {
		a.drop(place{volume, node})
	}
	return nil
}

// remove detaches a volume from a node.
func (a *attacher) remove(ctx context.Context, at place, name string) error {
	attachment := &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := a.client.Delete(ctx, attachment); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("detach the volume %s from the node %s: %w", at.volume, at.node, err)
	}
	a.drop(at)
	return nil
}

// usage is which pods use a volume, by node, each list by age.
type usage map[string][]*corev1.Pod

// nodes returns the nodes in the order in which their first pods were made.
func (u usage) nodes() []string {
	return slices.SortedFunc(maps.Keys(u), func(a, b string) int { return byAge(u[a][0], u[b][0]) })
}
