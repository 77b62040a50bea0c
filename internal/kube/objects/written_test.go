package objects_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/objects"
)

func configMap(uid, version string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: "a", Name: "b", UID: types.UID(uid), ResourceVersion: version,
	}}
}

func TestWritten(t *testing.T) {
	tests := []struct {
		name            string
		written, cached *corev1.ConfigMap
		want            string
	}{
		{"nothing written", nil, configMap("1", "7"), "7"},
		{"the cache lags behind", configMap("1", "10"), configMap("1", "9"), "10"},
		{"the cache has caught up", configMap("1", "10"), configMap("1", "10"), "10"},
		{"others wrote later", configMap("1", "10"), configMap("1", "11"), "11"},
		{"made anew", configMap("1", "10"), configMap("2", "9"), "9"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var w objects.Written[*corev1.ConfigMap]
			if test.written != nil {
				w.Note(test.written)
			}
			if got := w.Latest(test.cached).ResourceVersion; got != test.want {
				t.Errorf("Latest has version %s, want %s", got, test.want)
			}
		})
	}
}

func TestWrittenForgets(t *testing.T) {
	var w objects.Written[*corev1.ConfigMap]
	w.Note(configMap("1", "10"))
	w.Forget(types.NamespacedName{Namespace: "a", Name: "b"})
	if got := w.Latest(configMap("1", "9")).ResourceVersion; got != "9" {
		t.Errorf("Latest has version %s after it was forgotten", got)
	}
}
