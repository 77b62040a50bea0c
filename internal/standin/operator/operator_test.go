package operator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

func TestImagesAreFoundByTheirEnd(t *testing.T) {
	for image, want := range map[string]bool{
		"ghcr.io/cloudnative-pg/cloudnative-pg:1.28.0": true,
		"cloudnative-pg": true,
		"localhost:5000/cloudnative-pg@sha256:0000":               true,
		"ghcr.io/cloudnative-pg/postgresql:18":                    false,
		"ghcr.io/tensorchord/my-cloudnative-pg:1":                 false,
		"ghcr.io/tensorchord/cloudnative-pg/vector:1@sha256:0000": false,
	} {
		pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "example.org/first"}, {Image: image}}}}
		if got := Runs(pod, []string{"cloudnative-pg"}); got != want {
			t.Errorf("%s: %t", image, got)
		}
	}
}

func TestOperatorsAreDownByAnyOfTheirNames(t *testing.T) {
	role := &Role{Operator: "CloudNativePG", Pods: Named("cloudnative-pg"), Images: []string{"own"}}
	for which, want := range map[string]bool{"CloudNativePG": true, "cloudnative-pg": true, "own": true, "cert-manager": false} {
		fault := domain.Fault{Kind: domain.FaultOperatorDown, Which: which}
		if got := fault.Befalls(namesOf(role)...); got != want {
			t.Errorf("%s: %t", which, got)
		}
	}
}

func TestConditionsAreMergedAndTimesKept(t *testing.T) {
	had := []any{
		map[string]any{"type": "Other", "status": "False"},
		map[string]any{"type": "Ready", "status": "True", "reason": "Old", "lastTransitionTime": "2020-01-01T00:00:00Z"},
	}
	got := SetCondition(had, Condition{Type: "Ready"}, 4)
	want := []any{
		map[string]any{"type": "Other", "status": "False"},
		map[string]any{"type": "Ready", "status": "True", "reason": "Ready", "lastTransitionTime": "2020-01-01T00:00:00Z"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
