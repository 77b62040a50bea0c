package reloader

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// workloadKey names a workload.
type workloadKey struct {
	kind string
	types.NamespacedName
}

// workload is what runs pods of a template.
type workload struct {
	workloadKey
	object client.Object
	pods   *corev1.PodTemplateSpec
}

// workloads returns those of a namespace, by kind and name. They are read only.
func workloads(ctx context.Context, c client.Reader, namespace string) ([]workload, error) {
	var all []workload
	add := func(kind string, obj client.Object, pods *corev1.PodTemplateSpec) {
		all = append(all, workload{workloadKey{kind, client.ObjectKeyFromObject(obj)}, obj, pods})
	}
	var (
		deployments  appsv1.DeploymentList
		statefulSets appsv1.StatefulSetList
		daemonSets   appsv1.DaemonSetList
		cronJobs     batchv1.CronJobList
	)
	for _, list := range []client.ObjectList{&deployments, &statefulSets, &daemonSets, &cronJobs} {
		if err := c.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the workloads of the namespace %s, to restart those whose Secrets or ConfigMaps changed: %w", namespace, err)
		}
	}
	for i := range deployments.Items {
		add("Deployment", &deployments.Items[i], &deployments.Items[i].Spec.Template)
	}
	for i := range statefulSets.Items {
		add("StatefulSet", &statefulSets.Items[i], &statefulSets.Items[i].Spec.Template)
	}
	for i := range daemonSets.Items {
		add("DaemonSet", &daemonSets.Items[i], &daemonSets.Items[i].Spec.Template)
	}
	for i := range cronJobs.Items {
		add("CronJob", &cronJobs.Items[i], &cronJobs.Items[i].Spec.JobTemplate.Spec.Template)
	}
	slices.SortFunc(all, func(a, b workload) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.Name, b.Name)) })
	return all, nil
}
