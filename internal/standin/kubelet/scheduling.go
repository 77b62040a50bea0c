package kubelet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// assumedAmount is how much of a device resource every node is given.
const assumedAmount = "64"

// setupScheduling watches for pods that the scheduler finds no node for.
func (k *kubelet) setupScheduling(mgr manager.Manager) error {
	unschedulable := predicate.NewPredicateFuncs(func(obj client.Object) bool {
		pod, ok := obj.(*corev1.Pod)
		return ok && isUnschedulable(pod)
	})
	return builder.ControllerManagedBy(mgr).
		Named("kubelet-scheduling").
		For(&corev1.Pod{}, builder.WithPredicates(unschedulable)).
		WithOptions(controllerOptions(1)).
		Complete(work.Reconciler(k.Gate, reconcile.Func(k.help)))
}

func isUnschedulable(pod *corev1.Pod) bool {
	if pod.Spec.NodeName != "" || pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return true
		}
	}
	return false
}

// help assumes what a pod needs and no node offers: device resources always,
// since nobody plays device plugins; labels, zones and nodes only where the
// nodes themselves are assumed.
func (k *kubelet) help(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	pod := &corev1.Pod{}
	if err := k.client.Get(ctx, req.NamespacedName, pod); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !isUnschedulable(pod) {
		return reconcile.Result{}, nil
	}
	for _, name := range deviceResources(pod) {
		if err := k.assumeResource(ctx, pod, name); err != nil {
			return reconcile.Result{}, err
		}
	}
	if !k.nodes.assumed {
		return reconcile.Result{}, nil
	}
	if err := k.assumeAffinity(ctx, pod); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, k.assumeTopology(ctx, pod)
}

// deviceResources returns what a pod asks for that is none of the usual
// resources: devices and huge pages, in a stable order.
func deviceResources(pod *corev1.Pod) []corev1.ResourceName {
	var list []corev1.ResourceName
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			for name := range c.Resources.Requests {
				switch name {
				case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourceStorage:
				default:
					list = append(list, name)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (k *kubelet) assumeResource(ctx context.Context, pod *corev1.Pod, name corev1.ResourceName) error {
	amount := resource.MustParse(assumedAmount)
	if strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) {
		amount = resource.MustParse("64Gi")
	}
	changed := k.nodes.offer(name, amount)
	if len(changed) == 0 {
		return nil
	}
	k.Assumptions.Add(domain.AssumedNode, string(name), fmt.Sprintf("%s asks for it, and no node says that it has any", podRef(pod)))
	for _, node := range changed {
		err := k.updateNode(ctx, node, nil, func(node *corev1.Node) {
			node.Status.Capacity[name] = amount
			node.Status.Allocatable[name] = amount
		})
		if err != nil {
			return fmt.Errorf("add %s to node %s: %w", name, node, err)
		}
	}
	return nil
}

// assumeAffinity labels a node, or adds one, so that the pod's node selector
// and required node affinity match some node.
func (k *kubelet) assumeAffinity(ctx context.Context, pod *corev1.Pod) error {
	required := nodeaffinity.GetRequiredNodeAffinity(pod)
	nodes := k.nodes.objects()
	for _, node := range nodes {
		if ok, err := required.Match(node); ok || err != nil {
			return nil // the scheduler says what is wrong with a bad affinity
		}
	}
	for _, labels := range wantedLabels(pod) {
		done, err := k.assumeLabels(ctx, pod, nodes, labels)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// assumeLabels gives the labels to the first node that has none of them with
// another value, or to a new node.
func (k *kubelet) assumeLabels(ctx context.Context, pod *corev1.Pod, nodes []*corev1.Node, labels map[string]string) (bool, error) {
	reason := podRef(pod).String() + " may only run on such a node, and no node is known to be one"
	for _, node := range nodes {
		if conflicts(node.Labels, labels) {
			continue
		}
		missing := missingLabels(node.Labels, labels)
		relabelled := node.DeepCopy()
		maps.Copy(relabelled.Labels, missing)
		if ok, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(relabelled); !ok || err != nil {
			continue
		}
		for _, key := range sortedKeys(missing) {
			k.Assumptions.Add(domain.AssumedNode, node.Name+" "+label(key, missing[key]), reason)
		}
		return true, k.labelNode(ctx, node.Name, missing)
	}
	name := labels[corev1.LabelHostname]
	if name == "" {
		name = fmt.Sprintf("node-%d", len(nodes)+1)
	}
	added := Node{Name: name, Labels: labels}
	if object, err := added.object(0, k.Version); err != nil {
		return false, nil // no valid node name: no such node can be
	} else if ok, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(object); !ok || err != nil {
		return false, nil
	}
	if err := k.nodes.add(added); err != nil {
		return false, fmt.Errorf("assume a node for %s: %w", podRef(pod), err)
	}
	k.Assumptions.Add(domain.AssumedNode, name, reason)
	return true, nil
}

func (k *kubelet) labelNode(ctx context.Context, name string, labels map[string]string) error {
	k.nodes.label(name, labels)
	err := k.updateNode(ctx, name, func(node *corev1.Node) {
		maps.Copy(node.Labels, labels)
	}, nil)
	if err != nil {
		return fmt.Errorf("label node %s: %w", name, err)
	}
	return nil
}

// assumeTopology gives each node a zone of its own, or whatever a pod has to
// be spread over, where no node has such a label.
func (k *kubelet) assumeTopology(ctx context.Context, pod *corev1.Pod) error {
	for _, spread := range pod.Spec.TopologySpreadConstraints {
		if spread.WhenUnsatisfiable != corev1.DoNotSchedule {
			continue
		}
		if err := k.assumeTopologyKey(ctx, pod, spread.TopologyKey); err != nil {
			return err
		}
	}
	return nil
}

func (k *kubelet) assumeTopologyKey(ctx context.Context, pod *corev1.Pod, key string) error {
	nodes := k.nodes.objects()
	for _, node := range nodes {
		if _, ok := node.Labels[key]; ok {
			return nil
		}
	}
	k.Assumptions.Add(domain.AssumedNode, key, podRef(pod).String()+" is to be spread over it, and no node has such a label")
	for i, node := range nodes {
		if err := k.labelNode(ctx, node.Name, map[string]string{key: fmt.Sprintf("%d", i+1)}); err != nil {
			return err
		}
	}
	return nil
}
