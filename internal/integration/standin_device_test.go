package integration_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"hearth/internal/domain"
)

func checkClaimedDevicesAreAssumed(t *testing.T, s *stage) {
	ns := s.namespace(t)
	template := &resourcev1.ResourceClaimTemplate{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "gpu"},
		Spec: resourcev1.ResourceClaimTemplateSpec{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{
			Requests: []resourcev1.DeviceRequest{{Name: "gpu", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu.example.org"}}},
		}}},
	}
	pod := podOf(ns, "draws", func(pod *corev1.Pod) {
		pod.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
		pod.Spec.Containers[0].Resources.Claims = []corev1.ResourceClaim{{Name: "gpu"}}
	})
	s.make(t, template, pod)
	awaitPod(t, s, pod, "ready", isReady)
	var subjects []string
	for _, a := range s.assumptions.List() {
		if a.Kind == domain.AssumedNode {
			subjects = append(subjects, a.Subject)
		}
	}
	for _, want := range []string{"device class gpu.example.org", "devices of gpu.example.org"} {
		if !slices.Contains(subjects, want) {
			t.Errorf("%q is not among the assumptions %q", want, subjects)
		}
	}
}
