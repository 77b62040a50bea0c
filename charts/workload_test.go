package charts

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWorkloadOfMetricsServer brings the API that metrics-server answers for,
// unless its values say that somebody else does.
func TestWorkloadOfMetricsServer(t *testing.T) {
	c := load(t, "workload")
	c.Metadata.Name = "metrics-server"
	for given, want := range map[string]bool{"": true, "apiService: {create: true}": true, "apiService: {create: false}": false, "apiService: 7": true} {
		objects, err := render(c, "metrics", values(t, given))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(inventory(objects), "APIService/v1beta1.metrics.k8s.io"); got != want {
			t.Errorf("of the values %q: an API is there: %v, want %v", given, got, want)
		}
		if want {
			check(t, objects, "APIService/v1beta1.metrics.k8s.io spec.service", "{name: metrics, namespace: home, port: 80}")
		}
	}
}

func TestWorkload(t *testing.T) {
	c := load(t, "workload")
	plain := []string{"Deployment/tea", "Service/tea", "ServiceAccount/tea"}
	tests := []appCase{
		{name: "empty values", objects: plain, want: expectation{
			"Deployment/tea spec.replicas":                          "1",
			"Deployment/tea spec.template.spec.containers.0.image":  "hearth.invalid/workload:1.0.0",
			"Deployment/tea spec.template.spec.serviceAccountName":  "tea",
			"Service/tea spec.ports":                                "[{name: port-0, port: 80, targetPort: port-0, protocol: TCP}]",
			"Service/tea metadata.namespace":                        "home",
			"Service/tea spec.selector./app.kubernetes.io/instance": "tea",
		}},
		{name: "values of another chart in any shape", objects: plain,
			values: "replicas: x\nimage: {a: [{b: {}}]}\nkind: 7\nports: nonsense\nserviceAccount: [1]\nresources: null\nname: '{{ .Nope'\nglobal: {image: {registry: r}}",
			want:   expectation{"Deployment/tea spec.template.spec.containers.0.image": "hearth.invalid/workload:1.0.0"}},
		{name: "what a stand-in says of itself",
			values:  "hearthStandIn: {kind: DaemonSet, image: 'hearth.invalid/cilium:1.2.3', ports: [53, {name: web, port: 80, targetPort: 8080}], objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}, {apiVersion: x/v1, kind: ClusterThing, metadata: {name: d}}]}",
			objects: []string{"ClusterThing/d", "ConfigMap/c", "DaemonSet/tea", "Service/tea", "ServiceAccount/tea"},
			want: expectation{
				"DaemonSet/tea spec.replicas":                           "absent",
				"DaemonSet/tea spec.template.spec.containers.0.image":   "hearth.invalid/cilium:1.2.3",
				"DaemonSet/tea spec.template.spec.containers.0.ports.1": "{name: web, containerPort: 8080, protocol: TCP}",
				"ConfigMap/c metadata.namespace":                        "home",
				"ClusterThing/d metadata.namespace":                     "absent",
			}},
		{name: "stateful, asleep, without ports", values: "hearthStandIn: {kind: StatefulSet, replicas: 0, ports: []}",
			objects: []string{"ServiceAccount/tea", "StatefulSet/tea"}, want: expectation{"StatefulSet/tea spec.replicas": "0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects, err := render(c, "tea", values(t, test.values))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.objects, inventory(objects)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			for place, text := range test.want {
				check(t, objects, place, text)
			}
		})
	}
}
