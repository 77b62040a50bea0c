package v1_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// TestProviderKeepsWhatItDoesNotKnow reads and writes settings of providers.
func TestProviderKeepsWhatItDoesNotKnow(t *testing.T) {
	tests := []struct{ name, wire string }{
		{"onepassword", `{"onepassword":{"auth":{"secretRef":{"connectTokenSecretRef":{"name":"t","key":"k"}}},"connectHost":"http://c","vaults":{"A":1}}}`},
		{"doppler", `{"doppler":{"auth":{"secretRef":{"dopplerToken":{"name":"x"}}},"project":"p"}}`},
		{"fake", `{"fake":{"data":[{"key":"a","value":"b"}]}}`},
		{"fake,vault", `{"fake":{},"vault":{"server":"s"}}`},
		{"", `{}`},
	}
	for _, tt := range tests {
		var p v1.SecretStoreProvider
		if err := json.Unmarshal([]byte(tt.wire), &p); err != nil {
			t.Fatal(err)
		}
		if p.Name() != tt.name {
			t.Errorf("%s is named %q", tt.wire, p.Name())
		}
		out, err := json.Marshal(p.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.wire, string(out)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSetCondition(t *testing.T) {
	early := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	conditions := []v1.Condition{{Type: "Ready", Status: corev1.ConditionFalse, Reason: "A", LastTransitionTime: early}}
	if v1.SetCondition(&conditions, v1.Condition{Type: "Ready", Status: corev1.ConditionFalse, Reason: "A"}) {
		t.Error("the same condition is a change")
	}
	if !v1.SetCondition(&conditions, v1.Condition{Type: "Ready", Status: corev1.ConditionFalse, Reason: "B"}) || conditions[0].LastTransitionTime != early {
		t.Error("another reason is no change, or moved the time of transition")
	}
	if !v1.SetCondition(&conditions, v1.Condition{Type: "Ready", Status: corev1.ConditionTrue}) || conditions[0].LastTransitionTime == early || len(conditions) != 1 {
		t.Error("another status is no change, or did not move the time of transition")
	}
}
