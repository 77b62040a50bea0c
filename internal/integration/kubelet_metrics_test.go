package integration_test

import (
	"slices"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/utils/ptr"
)

// beginAutoscaling begins a Deployment and its autoscaler beside a
// metrics-server. The check wants both to have read what the pods use.
// https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
func beginAutoscaling(t *testing.T, s *stage) (check func(*testing.T, *stage)) {
	ns := s.namespace(t)
	api := &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: "v1beta1.metrics.k8s.io"},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: "metrics.k8s.io", Version: "v1beta1", GroupPriorityMinimum: 100, VersionPriority: 100,
			Service: &apiregistrationv1.ServiceReference{Namespace: ns, Name: "metrics", Port: ptr.To(int32(80))},
		},
	}
	d := deploymentOf(ns, "web", 1)
	d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("100Mi"),
	}
	scaler := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To(int32(2)), MaxReplicas: 4,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To(int32(50))},
			}}},
		},
	}
	s.make(t, serviceOf(ns, "metrics", corev1.ServiceTypeClusterIP, nil), deploymentOf(ns, "metrics", 1), api, d, scaler)
	return func(t *testing.T, s *stage) {
		defer func() {
			if err := s.Delete(t.Context(), api); err != nil {
				t.Error(err)
			}
		}()
		got := await(t, s, scaler, &autoscalingv2.HorizontalPodAutoscalerList{}, "scaling by what it reads", func(h *autoscalingv2.HorizontalPodAutoscaler) bool {
			return h.Status.DesiredReplicas == 2 && h.Status.CurrentReplicas == 2 && slices.ContainsFunc(h.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
				return c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionTrue && c.Reason == "ValidMetricFound"
			})
		})
		if m := got.Status.CurrentMetrics; len(m) != 1 || m[0].Resource == nil || *m[0].Resource.Current.AverageUtilization != 10 {
			t.Errorf("it has read %+v", m)
		}
		checkTop(t, s, ns)
	}
}

// checkTop reads what kubectl top reads.
func checkTop(t *testing.T, s *stage, ns string) {
	top, err := metricsclient.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := top.MetricsV1beta1().NodeMetricses().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) < 3 {
		t.Errorf("top nodes: %d of them, %v", len(nodes.Items), err)
	}
	pods, err := top.MetricsV1beta1().PodMetricses(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil || len(pods.Items) != 2 {
		t.Fatalf("top pods: %d of them, %v", len(pods.Items), err)
	}
	used := pods.Items[0].Containers[0]
	if used.Usage.Cpu().MilliValue() != 20 || used.Usage.Memory().Value() != 10<<20 {
		t.Errorf("it uses %s and %s", used.Usage.Cpu(), used.Usage.Memory())
	}
}
