package kubelet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A kubelet's usual rhythm.
const (
	leaseEvery     = 10 * time.Second
	leaseLasts     = 40 * time.Second
	heartbeatEvery = 5 * time.Minute
)

// keepNodes registers every node, also those added later, and keeps their
// leases and heartbeats until ctx is cancelled.
func (k *kubelet) keepNodes(ctx context.Context) error {
	registered := map[string]bool{}
	leases := time.NewTicker(leaseEvery)
	defer leases.Stop()
	heartbeats := time.NewTicker(heartbeatEvery)
	defer heartbeats.Stop()
	faults, end := k.Faults.Changes()
	defer end()
	for {
		if err := k.registerNew(ctx, registered); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.nodes.added:
		case <-leases.C:
			k.beat(ctx, k.renewLease)
		case <-heartbeats.C:
			k.beat(ctx, k.heartbeat)
		case <-faults:
			k.beat(ctx, k.renewLease)
			k.beat(ctx, k.heartbeat)
		}
	}
}

// beat does something for every node that is not down. What fails is done again at the next
// beat; nothing in a rehearsal dies of a late one.
func (k *kubelet) beat(ctx context.Context, f func(context.Context, *corev1.Node) error) {
	for _, node := range k.nodes.objects() {
		if k.down(node.Name) {
			continue
		}
		if err := f(ctx, node); err != nil && ctx.Err() == nil {
			k.log.Error(err, "late heartbeat", "node", node.Name)
		}
	}
}

// registerNew registers the nodes that are not yet, several at once, so that
// the first pods find more than one.
func (k *kubelet) registerNew(ctx context.Context, registered map[string]bool) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, node := range k.nodes.objects() {
		if registered[node.Name] {
			continue
		}
		registered[node.Name] = true
		group.Go(func() error {
			err := k.holding(ctx, func(ctx context.Context) error { return k.register(ctx, node) })
			if err != nil {
				return fmt.Errorf("register the virtual node %s: %w", node.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (k *kubelet) register(ctx context.Context, node *corev1.Node) error {
	want := node.DeepCopy()
	err := k.client.Create(ctx, node)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	if err := k.correctNode(ctx, want); err != nil {
		return err
	}
	if err := k.publishOwn(ctx, want.Name); err != nil {
		return err
	}
	return k.renewLease(ctx, want)
}

// correctNode takes away the taint that admission gives a new node, and brings
// a node of an earlier run up to date.
func (k *kubelet) correctNode(ctx context.Context, want *corev1.Node) error {
	return k.updateNode(ctx, want.Name, func(node *corev1.Node) {
		if node.Labels == nil {
			node.Labels = map[string]string{}
		}
		maps.Copy(node.Labels, want.Labels)
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
			return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
		})
		for _, taint := range want.Spec.Taints {
			if !slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&taint) }) {
				node.Spec.Taints = append(node.Spec.Taints, taint)
			}
		}
	}, func(node *corev1.Node) {
		had := node.Status
		node.Status = *want.Status.DeepCopy()
		node.Status.VolumesAttached, node.Status.VolumesInUse = had.VolumesAttached, had.VolumesInUse
		node.Status.Conditions = nodeConditions(metav1.Now(), k.pressed(want.Name), had.Conditions)
		for name, q := range had.Capacity {
			if _, set := want.Status.Capacity[name]; !set {
				node.Status.Capacity[name] = q
				node.Status.Allocatable[name] = q
			}
		}
	})
}

// updateNode changes a node and its status, each where change has an effect.
// Either may be nil.
func (k *kubelet) updateNode(ctx context.Context, name string, change, status func(*corev1.Node)) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		node := &corev1.Node{}
		if err := k.reader.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
			return err
		}
		if change != nil {
			before := node.DeepCopy()
			change(node)
			if !equality.Semantic.DeepEqual(before, node) {
				if err := k.client.Update(ctx, node); err != nil {
					return err
				}
			}
		}
		if status == nil {
			return nil
		}
		before := node.DeepCopy()
		status(node)
		if equality.Semantic.DeepEqual(before.Status, node.Status) {
			return nil
		}
		return k.client.Status().Update(ctx, node)
	})
}

func (k *kubelet) heartbeat(ctx context.Context, node *corev1.Node) error {
	return k.updateNode(ctx, node.Name, nil, func(node *corev1.Node) {
		node.Status.Conditions = nodeConditions(metav1.Now(), k.pressed(node.Name), node.Status.Conditions)
	})
}

func (k *kubelet) renewLease(ctx context.Context, node *corev1.Node) error {
	name, seconds, now := node.Name, int32(leaseLasts/time.Second), metav1.NowMicro()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: corev1.NamespaceNodeLease},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}
	renewed := []byte(fmt.Sprintf(`{"spec":{"renewTime":%q}}`, now.UTC().Format(metav1.RFC3339Micro)))
	err := k.client.Patch(ctx, lease.DeepCopy(), client.RawPatch("application/merge-patch+json", renewed))
	if apierrors.IsNotFound(err) {
		err = k.client.Create(ctx, lease)
	}
	return err
}
