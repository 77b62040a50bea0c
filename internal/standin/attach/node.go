package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// shower writes on nodes what is attached to them.
type shower attacher

// Reconcile brings a node's volumesAttached up to date, and its volumesInUse
// with it, which is its kubelet's word in life: a kubelet that does not answer
// changes nothing.
func (s *shower) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	a := (*attacher)(s)
	node := &corev1.Node{}
	if err := a.client.Get(ctx, req.NamespacedName, node); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	used := a.uniqueAt(node.Name)
	attached := []corev1.AttachedVolume{}
	for _, name := range used {
		attached = append(attached, corev1.AttachedVolume{Name: name})
	}
	status := map[string]any{"volumesAttached": attached}
	if !a.down(node.Name) {
		status["volumesInUse"] = used
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return reconcile.Result{}, err
	}
	err = a.client.Status().Patch(ctx, node, client.RawPatch(types.MergePatchType, patch))
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("say which volumes the node %s has: %w", node.Name, err)
	}
	return reconcile.Result{}, nil
}

// uniqueAt returns what a node's status calls the volumes it has.
func (a *attacher) uniqueAt(node string) []corev1.UniqueVolumeName {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := []corev1.UniqueVolumeName{}
	for _, at := range a.volumes {
		if one := at[node]; one != nil {
			names = append(names, one.unique)
		}
	}
	slices.Sort(names)
	return names
}
