package integration_test

import (
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"k8s.io/client-go/kubernetes"
)

func checkWebhookAnswersOnlyWhileItsPodsRun(t *testing.T, s *stage) {
	ns := s.namespace(t)
	// The pods mount this, and the webhook is going to refuse that it is made.
	root := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "kube-root-ca.crt"}}
	await(t, s, root, &corev1.ConfigMapList{}, "published", func(c *corev1.ConfigMap) bool { return len(c.Data) > 0 })
	service := serviceOf(ns, "hook", corev1.ServiceTypeClusterIP, nil)
	none := admissionv1.SideEffectClassNone
	fail := admissionv1.Fail
	hook := &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "hook-" + ns},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "hook.example.org", SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: ns, Name: "hook", Port: ptr.To(int32(80)), Path: ptr.To("/validate")}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}
	s.make(t, service, hook)
	t.Cleanup(func() {
		if err := s.Delete(t.Context(), hook); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	await(t, s, hook, &admissionv1.ValidatingWebhookConfigurationList{}, "given an authority", func(h *admissionv1.ValidatingWebhookConfiguration) bool {
		return len(h.Webhooks[0].ClientConfig.CABundle) > 0
	})
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "c"}}
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.Create(t.Context(), config.DeepCopy(), client.DryRunAll)
		if err != nil && strings.Contains(err.Error(), `no endpoints available for service "hook"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("without pods the webhook says: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // the API server reads the configuration a moment later
	}

	d := deploymentOf(ns, "hook", 1)
	s.make(t, d)
	await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 1 })
	deadline = time.Now().Add(time.Minute)
	for {
		err := s.Create(t.Context(), config.DeepCopy())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("with a pod the webhook says: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // endpoints follow the pod a moment later
	}
}

func checkAggregatedAPIIsThereAndEmpty(t *testing.T, s *stage) {
	ns := s.namespace(t)
	api := &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: "v1beta1.metrics.k8s.io"},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: "metrics.k8s.io", Version: "v1beta1", GroupPriorityMinimum: 100, VersionPriority: 100,
			Service: &apiregistrationv1.ServiceReference{Namespace: ns, Name: "metrics", Port: ptr.To(int32(80))},
		},
	}
	s.make(t, serviceOf(ns, "metrics", corev1.ServiceTypeClusterIP, nil), deploymentOf(ns, "metrics", 1), api)
	t.Cleanup(func() { _ = s.Delete(t.Context(), api) })
	defer func() { _ = s.Delete(t.Context(), api) }()
	await(t, s, api, &apiregistrationv1.APIServiceList{}, "available", func(a *apiregistrationv1.APIService) bool {
		for _, c := range a.Status.Conditions {
			if c.Type == apiregistrationv1.Available {
				return c.Status == apiregistrationv1.ConditionTrue
			}
		}
		return false
	})
	kube, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	// The API server hears of its own verdict a moment later.
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := kube.Discovery().ServerResourcesForGroupVersion("metrics.k8s.io/v1beta1")
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	raw, err := kube.RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1/nodes").DoRaw(t.Context())
	if err != nil || !strings.Contains(string(raw), "NodeMetricsList") {
		t.Errorf("node metrics: %s %v", raw, err)
	}
}
