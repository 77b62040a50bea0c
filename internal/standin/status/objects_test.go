package status

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
		{`{"apiVersion":"ceph.rook.io/v1","kind":"CephCluster","metadata":{"name":"rook-ceph","namespace":"rook-ceph","generation":1},"spec":{"dashboard":{"enabled":true}}}`,
			[]string{"Secret rook-csi-rbd-provisioner", "Secret rook-csi-rbd-node", "Secret rook-csi-cephfs-provisioner", "Secret rook-csi-cephfs-node",
				"Deployment rook-ceph-mgr-a", "Service rook-ceph-mgr", "Service rook-ceph-mgr-dashboard", "Secret rook-ceph-dashboard-password"}},
		{`{"apiVersion":"ceph.rook.io/v1","kind":"CephObjectStore","metadata":{"name":"s3","namespace":"rook-ceph","generation":1},"spec":{"gateway":{"port":8080,"instances":2}}}`,
			[]string{"Service rook-ceph-rgw-s3", "Deployment rook-ceph-rgw-s3-a"}},
		{`{"apiVersion":"ceph.rook.io/v1","kind":"CephObjectStoreUser","metadata":{"name":"loki","namespace":"rook-ceph","generation":1},"spec":{"store":"s3"}}`,
			[]string{"Secret rook-ceph-object-user-s3-loki"}},
		{`{"apiVersion":"objectbucket.io/v1alpha1","kind":"ObjectBucketClaim","metadata":{"name":"loki","namespace":"o"},"spec":{}}`,
			[]string{"ConfigMap loki", "Secret loki"}},
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

// https://prometheus-operator.dev/docs/platform/storage: what is kept is kept
// in a claim for each replica.
func TestPrometheusKeepsItsData(t *testing.T) {
	for kind, name := range map[string]string{"Prometheus": "prometheus-k8s", "Alertmanager": "alertmanager-k8s"} {
		manifest := func(spec string) string {
			return `{"apiVersion":"monitoring.coreos.com/v1","kind":"` + kind + `","metadata":{"name":"k8s","namespace":"o"},"spec":` + spec + `}`
		}
		claims := func(spec string) []any {
			_, made := perform(t, manifest(spec))
			list, _, _ := unstructured.NestedSlice(made["StatefulSet "+name].Object, "spec", "volumeClaimTemplates")
			return list
		}
		if got := claims(`{}`); len(got) != 0 {
			t.Errorf("%s without storage has %v", kind, got)
		}
		got := claims(`{"storage":{"volumeClaimTemplate":{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}}}`)
		if len(got) != 1 {
			t.Fatalf("%s has the claims %v", kind, got)
		}
		one, _ := got[0].(map[string]any)
		if of, _, _ := unstructured.NestedString(one, "metadata", "name"); of != name+"-db" {
			t.Errorf("the claim is called %s", of)
		}
		if size, _, _ := unstructured.NestedString(one, "spec", "resources", "requests", "storage"); size != "20Gi" {
			t.Errorf("the claim has %s", size)
		}
	}
}

// Every operator works only while its own pods run, and says what its status
// is in its own words. Talos has no pods, and configuration nobody acts on.
func TestEveryOperatorIsNamed(t *testing.T) {
	table, err := newTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct{ group, kind, pods string }{
		{"ceph.rook.io", "CephCluster", "app=rook-ceph-operator"},
		{"dragonflydb.io", "Dragonfly", "app.kubernetes.io/name=dragonfly-operator"},
		{"monitoring.coreos.com", "Prometheus", "app.kubernetes.io/name=prometheus-operator"},
		{"monitoring.coreos.com", "Alertmanager", "app.kubernetes.io/name=prometheus-operator"},
		{"grafana.integreatly.org", "Grafana", "app.kubernetes.io/name=grafana-operator"},
		{"grafana.integreatly.org", "GrafanaDashboard", "app.kubernetes.io/name=grafana-operator"},
		{"grafana.integreatly.org", "GrafanaContactPoint", "app.kubernetes.io/name=grafana-operator"},
		{"keda.sh", "ScaledObject", "app.kubernetes.io/name=keda-operator"},
		{"keda.sh", "ScaledJob", "app.kubernetes.io/name=keda-operator"},
		{"trust.cert-manager.io", "Bundle", "app.kubernetes.io/name=trust-manager"},
		{"talos.dev", "ServiceAccount", ""},
	} {
		r := table.find(schema.GroupKind{Group: kind.group, Kind: kind.kind})
		if r == nil || r.Leave || r.Pods != kind.pods || kind.pods != "" && len(r.Images) == 0 {
			t.Errorf("the row of %s is %+v", kind.kind, r)
		}
	}
	for _, kind := range []schema.GroupKind{
		{Group: "postgresql.cnpg.io", Kind: "Cluster"}, {Group: "cert-manager.io", Kind: "Certificate"}, {Group: "external-secrets.io", Kind: "ExternalSecret"},
		{Group: "external-secrets.io", Kind: "PushSecret"}, {Group: "gateway.networking.k8s.io", Kind: "Gateway"}, {Group: "volsync.backube", Kind: "ReplicationSource"},
		{Group: "snapshot.storage.k8s.io", Kind: "VolumeSnapshot"}, {Group: "fluxcd.controlplane.io", Kind: "ResourceSet"},
		{Group: "k8s.cni.cncf.io", Kind: "NetworkAttachmentDefinition"}, {Group: "cilium.io", Kind: "CiliumLoadBalancerIPPool"},
		{Group: "monitoring.coreos.com", Kind: "ServiceMonitor"}, {Group: "externaldns.k8s.io", Kind: "DNSEndpoint"},
	} {
		if r := table.find(kind); r == nil || !r.Leave {
			t.Errorf("%s is not left to those who see to it: %+v", kind, r)
		}
	}
}
