package metrics

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func pod(name, node string, phase corev1.PodPhase, cpu string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "app"}}},
		Status:     corev1.PodStatus{Phase: phase},
	}
	if cpu != "" {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	return p
}

// https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go
func TestMetrics(t *testing.T) {
	h := Handler(fake.NewClientBuilder().WithObjects(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}},
		pod("web", "a", corev1.PodRunning, "2"), pod("idle", "a", corev1.PodRunning, ""), pod("waits", "a", corev1.PodPending, "1"),
	).Build())
	ask := func(path string, into any) int {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/apis/metrics.k8s.io/v1beta1"+path, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %v in %s", path, err, w.Body)
		}
		return w.Code
	}
	var pods metricsv1.PodMetricsList
	if code := ask("/namespaces/apps/pods?labelSelector=app%3Dweb", &pods); code != 200 || len(pods.Items) != 1 || pods.Items[0].Containers[0].Usage.Cpu().String() != "200m" {
		t.Errorf("%d %+v", code, pods)
	}
	if ask("/pods", &pods); len(pods.Items) != 2 {
		t.Errorf("%d pods run, not two", len(pods.Items))
	}
	var node metricsv1.NodeMetrics
	if code := ask("/nodes/a", &node); code != 200 || node.Usage.Cpu().String() != "202m" {
		t.Errorf("%d: node a uses %s", code, node.Usage.Cpu())
	}
	var status metav1.Status
	for _, path := range []string{"/nodes/c", "/namespaces/apps/pods/waits", "/namespaces/apps/pods/none", "/x"} {
		if code := ask(path, &status); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code := ask("/pods?labelSelector=%3D%3D%3D", &status); code != 400 {
		t.Errorf("a bad selector: %d", code)
	}
}
