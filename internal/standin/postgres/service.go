package postgres

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// selectorOf selects the instances that a Service of a type leads to: the
// primary (rw), the replicas (ro), or all (r).
func (c *cluster) selectorOf(kind string) map[string]string {
	selector := map[string]string{labelCluster: c.Object.GetName()}
	switch kind {
	case "rw":
		selector[labelRole] = primary
	case "ro":
		selector[labelRole] = replica
	default:
		selector["cnpg.io/podRole"] = "instance"
	}
	return selector
}

// makeServices makes the Services of the Cluster.
func (c *cluster) makeServices(ctx context.Context) error {
	var disabled []string
	var additional []managed
	if s := c.spec.Managed.Services; s != nil {
		disabled, additional = s.DisabledDefaultServices, s.Additional
	}
	for _, kind := range []string{"rw", "ro", "r"} {
		if slices.Contains(disabled, kind) && kind != "rw" {
			continue
		}
		if err := c.makeService(ctx, c.Object.GetName()+"-"+kind, kind, managed{}); err != nil {
			return err
		}
	}
	for _, m := range additional {
		if name := m.ServiceTemplate.Metadata.Name; name != "" {
			if err := c.makeService(ctx, name, m.SelectorType, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cluster) makeService(ctx context.Context, name, kind string, m managed) error {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: c.labels(), Annotations: m.ServiceTemplate.Metadata.Annotations},
		Spec:       *m.ServiceTemplate.Spec.DeepCopy(),
	}
	maps.Copy(service.Labels, m.ServiceTemplate.Metadata.Labels)
	service.Spec.Selector = c.selectorOf(kind)
	if service.Spec.Ports == nil {
		service.Spec.Ports = []corev1.ServicePort{{Name: "postgres", Protocol: corev1.ProtocolTCP, Port: 5432, TargetPort: intstr.FromInt32(5432)}}
	}
	obj, err := unstruct(service, corev1.SchemeGroupVersion.WithKind("Service"))
	if err != nil {
		return err
	}
	_, err = c.Make(ctx, obj, true)
	return err
}

// makeBudgets keeps drains from taking the primary, or too many replicas.
func (c *cluster) makeBudgets(ctx context.Context) error {
	if c.spec.EnablePDB != nil && !*c.spec.EnablePDB {
		return nil
	}
	if err := c.makeBudget(ctx, c.Object.GetName()+"-primary", primary, 1); err != nil || c.spec.Instances < 3 {
		return err
	}
	return c.makeBudget(ctx, c.Object.GetName(), replica, int32(c.spec.Instances-2))
}

func (c *cluster) makeBudget(ctx context.Context, name, role string, least int32) error {
	available := intstr.FromInt32(least)
	obj, err := unstruct(&policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: c.labels()},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: &available,
			Selector:     &metav1.LabelSelector{MatchLabels: map[string]string{labelCluster: c.Object.GetName(), labelRole: role}},
		},
	}, policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"))
	if err != nil {
		return err
	}
	_, err = c.Make(ctx, obj, true)
	return err
}
