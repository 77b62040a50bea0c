package postgres

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"hearth/internal/standin/operator"
)

// poolerImage is what poolers run.
const poolerImage = "ghcr.io/cloudnative-pg/pgbouncer:1.25.1"

// seeDatabase counts a Database as made once its Cluster's primary serves.
func seeDatabase(ctx context.Context, v *operator.Visit) error {
	name, _, _ := unstructured.NestedString(v.Object.Object, "spec", "cluster", "name")
	of, err := v.Find(ctx, clusterKind, v.Object.GetNamespace(), name)
	if of == nil || err != nil {
		return err
	}
	if primary, _, _ := unstructured.NestedString(of.Object, "status", "currentPrimary"); primary == "" {
		return nil
	}
	v.Assume()
	status := operator.Status(v.Object)
	status["applied"], status["observedGeneration"] = true, v.Object.GetGeneration()
	_, err = v.WriteStatus(ctx, status)
	return err
}

// seePooler makes a Pooler's Deployment and Service, once its Cluster is there.
func seePooler(ctx context.Context, v *operator.Visit) error {
	name, _, _ := unstructured.NestedString(v.Object.Object, "spec", "cluster", "name")
	of, err := v.Find(ctx, clusterKind, v.Object.GetNamespace(), name)
	if of == nil || err != nil {
		return err
	}
	instances, ok, _ := unstructured.NestedInt64(v.Object.Object, "spec", "instances")
	if !ok {
		instances = 1
	}
	v.Assume()
	selector := map[string]string{"cnpg.io/poolerName": v.Object.GetName()}
	labels := map[string]string{"cnpg.io/poolerName": v.Object.GetName(), labelCluster: name, "cnpg.io/podRole": "pooler", "app.kubernetes.io/managed-by": component}
	replicas := int32(instances)
	deployment, err := unstruct(&appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: v.Object.GetName(), Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "pgbouncer", Image: poolerImage,
					Ports: []corev1.ContainerPort{{Name: "pgbouncer", ContainerPort: 5432}, {Name: "metrics", ContainerPort: 9127}},
				}}},
			},
		},
	}, appsv1.SchemeGroupVersion.WithKind("Deployment"))
	if err != nil {
		return err
	}
	service, err := unstruct(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: v.Object.GetName(), Labels: labels},
		Spec: corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{
			Name: "pgbouncer", Port: 5432, TargetPort: intstr.FromString("pgbouncer"),
		}}},
	}, corev1.SchemeGroupVersion.WithKind("Service"))
	if err != nil {
		return err
	}
	for _, obj := range []*unstructured.Unstructured{deployment, service} {
		if _, err := v.Make(ctx, obj, true); err != nil {
			return err
		}
	}
	status := operator.Status(v.Object)
	status["instances"] = instances
	_, err = v.WriteStatus(ctx, status)
	return err
}
