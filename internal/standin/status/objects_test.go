package status

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// https://keda.sh/docs/latest/concepts/scaling-deployments: the autoscaler that
// KEDA makes, and that it never asks for fewer than one.
func TestScaledObjectGetsItsAutoscaler(t *testing.T) {
	status, made := perform(t, `{"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","metadata":{"name":"web","namespace":"apps","generation":1},
		"spec":{"scaleTargetRef":{"name":"web"},"minReplicaCount":0,"maxReplicaCount":4,"triggers":[{"type":"prometheus"}]}}`)
	hpa := made["HorizontalPodAutoscaler keda-hpa-web"]
	if hpa == nil || status["hpaName"] != "keda-hpa-web" {
		t.Fatalf("made %v, status %v", made, status)
	}
	least, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "minReplicas")
	most, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "maxReplicas")
	if least != 1 || most != 4 {
		t.Errorf("it scales from %d to %d", least, most)
	}
}

// What consumers read: https://rook.io/docs/rook/latest/CRDs/Cluster/ceph-cluster-crd,
// https://www.dragonflydb.io/docs/managing-dragonfly/operator,
// https://prometheus-operator.dev/docs/platform/platform-guide,
// https://grafana.github.io/grafana-operator/docs/grafana.
func TestOperatorsMakeWhatOthersRead(t *testing.T) {
	for _, test := range []struct {
		manifest string
		made     []string
	}{
		{`{"apiVersion":"ceph.rook.io/v1","kind":"CephCluster","metadata":{"name":"rook-ceph","namespace":"rook-ceph","generation":1},"spec":{}}`,
			[]string{"Secret rook-csi-rbd-provisioner", "Secret rook-csi-rbd-node", "Secret rook-csi-cephfs-provisioner", "Secret rook-csi-cephfs-node"}},
		{`{"apiVersion":"dragonflydb.io/v1alpha1","kind":"Dragonfly","metadata":{"name":"cache","namespace":"dbms"},"spec":{"replicas":2}}`,
			[]string{"Service cache", "StatefulSet cache"}},
		{`{"apiVersion":"monitoring.coreos.com/v1","kind":"Prometheus","metadata":{"name":"k8s","namespace":"o"},"spec":{}}`,
			[]string{"Service prometheus-operated", "StatefulSet prometheus-k8s"}},
		{`{"apiVersion":"monitoring.coreos.com/v1","kind":"Alertmanager","metadata":{"name":"main","namespace":"o"},"spec":{}}`,
			[]string{"Service alertmanager-operated", "StatefulSet alertmanager-main"}},
		{`{"apiVersion":"grafana.integreatly.org/v1beta1","kind":"Grafana","metadata":{"name":"grafana","namespace":"o"},"spec":{}}`,
			[]string{"Service grafana-service", "Deployment grafana-deployment"}},
		{`{"apiVersion":"talos.dev/v1alpha1","kind":"ServiceAccount","metadata":{"name":"talos","namespace":"o"},"spec":{}}`,
			[]string{"Secret talos"}},
	} {
		_, made := perform(t, test.manifest)
		for _, want := range test.made {
			if made[want] == nil {
				t.Errorf("%s is not made, only %v", want, made)
			}
		}
	}
}
