package rehearsal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
	"hearth/internal/observe"
	"hearth/internal/repo"
	"hearth/internal/standin"
)

func TestQuietIsLongerThanTheStandInsCalm(t *testing.T) {
	if quiet <= standin.Calm {
		t.Errorf("a rehearsal settles after %v, before stand-ins assume anything after %v", quiet, standin.Calm)
	}
}

func TestInOrder(t *testing.T) {
	release := func(name string, needs ...string) repo.Release {
		for i := range needs {
			needs[i] = "ns/" + needs[i]
		}
		return repo.Release{Namespace: "ns", Name: name, Needs: needs}
	}
	crds := repo.Release{Namespace: "ns", Name: "crds", CRDsOnly: true}
	tests := []struct {
		name string
		in   []repo.Release
		want []string
	}{
		{"needs come first", []repo.Release{release("c", "b"), release("b", "a"), release("a")}, []string{"a", "b", "c"}},
		{"crds come first", []repo.Release{release("a"), crds}, []string{"crds", "a"}},
		{"a cycle ends", []repo.Release{release("a", "b"), release("b", "a")}, []string{"b", "a"}},
		{"unknown needs are passed over", []repo.Release{release("a", "nobody")}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, r := range inOrder(test.in) {
				got = append(got, r.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("order differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInDependencyOrder(t *testing.T) {
	ref := func(name string) domain.Ref { return domain.Ref{Kind: "Kustomization", Namespace: "ns", Name: name} }
	object := func(name string, after ...string) observe.Object {
		o := observe.Object{Ref: ref(name)}
		for _, a := range after {
			o.DependsOn = append(o.DependsOn, ref(a))
		}
		return o
	}
	snapshot := []observe.Object{object("a", "z"), object("b", "a", "nobody"), object("z"), object("x", "y"), object("y", "x")}
	var got []string
	for _, o := range inDependencyOrder(snapshot) {
		got = append(got, o.Name)
	}
	if diff := cmp.Diff([]string{"z", "a", "b", "y", "x"}, got); diff != "" {
		t.Errorf("order differs (-want +got):\n%s", diff)
	}
}

func TestDefinedKinds(t *testing.T) {
	text := `apiVersion: v1
kind: ConfigMap
---
{{- if .Values.crds }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  names:
    kind: Widget
    plural: widgets
{{- end }}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  names:
    kind: Gadget
  group: "example.org"
`
	want := []schema.GroupKind{{Group: "example.com", Kind: "Widget"}, {Group: "example.org", Kind: "Gadget"}}
	if diff := cmp.Diff(want, definedKinds(text)); diff != "" {
		t.Errorf("kinds differ (-want +got):\n%s", diff)
	}
	if got := definedKinds("spec:\n  group: example.com\n  names:\n    kind: Widget\n"); got != nil {
		t.Errorf("what is no definition defines %v", got)
	}
}

func TestInCluster(t *testing.T) {
	tests := []struct {
		host, namespace, name string
		ok                    bool
	}{
		{"http://connect.secrets.svc.cluster.local:8080", "secrets", "connect", true},
		{"http://connect.secrets.svc.cluster.local.", "secrets", "connect", true},
		{"http://connect.secrets.svc", "secrets", "connect", true},
		{"http://connect.secrets", "secrets", "connect", true},
		{"https://connect.home.example.com", "", "", false},
		{"http://10.0.0.1:8080", "", "", false},
		{"://", "", "", false},
	}
	for _, test := range tests {
		namespace, name, ok := inCluster(test.host)
		if namespace != test.namespace || name != test.name || ok != test.ok {
			t.Errorf("inCluster(%q) = %q, %q, %v", test.host, namespace, name, ok)
		}
	}
}

func TestNodesOf(t *testing.T) {
	nodes, err := nodesOf([]repo.Node{{
		Name: "k8s-1", Labels: map[string]string{"a": "b"},
		Taints:   []repo.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}},
		Capacity: map[string]string{"cpu": "8", "memory": "32Gi", "pods": "110", "gpu.intel.com/i915": "1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	n := nodes[0]
	if n.CPU != "8" || n.Memory != "32Gi" || n.Pods != 110 || n.Resources["gpu.intel.com/i915"] != "1" || n.Taints[0].Key != "gpu" {
		t.Errorf("the node is %+v", n)
	}
	if _, err := nodesOf([]repo.Node{{Name: "k8s-1", Capacity: map[string]string{"cpu": "many"}}}); err == nil {
		t.Error("a capacity that is no quantity was taken")
	}
}
