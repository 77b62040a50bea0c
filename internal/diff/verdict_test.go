package diff

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func verdictsIn(r *Report) []string {
	var list []string
	for _, a := range r.Applications {
		for _, o := range a.Objects {
			for _, v := range o.Verdicts {
				list = append(list, v.String())
			}
		}
	}
	return list
}

func object(apiVersion, kind, rest string) string {
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: x, namespace: media}\n%s\n", apiVersion, kind, rest)
}

// TestRefused tells what the API server does not take.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		want                []string
	}{
		{
			"a selector", object("apps/v1", "Deployment", "spec: {selector: {matchLabels: {app: a}}}"), object("apps/v1", "Deployment", "spec: {selector: {matchLabels: {app: b}}}"),
			[]string{"refused: spec.selector.matchLabels.app may not be changed"},
		},
		{
			"replicas", object("apps/v1", "Deployment", "spec: {replicas: 1}"), object("apps/v1", "Deployment", "spec: {replicas: 2}"), nil,
		},
		{
			"claim templates", object("apps/v1", "StatefulSet", "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {storageClassName: a}}]}"),
			object("apps/v1", "StatefulSet", "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {storageClassName: b}}]}"),
			[]string{"refused: spec.volumeClaimTemplates[d].spec.storageClassName may not be changed"},
		},
		{
			"a default said aloud", object("apps/v1", "StatefulSet", "spec: {replicas: 1}"), object("apps/v1", "StatefulSet", "spec: {replicas: 1, podManagementPolicy: OrderedReady}"), nil,
		},
		{
			"the template of a job", object("batch/v1", "Job", "spec: {template: {spec: {containers: [{name: a, image: x}]}}}"), object("batch/v1", "Job", "spec: {template: {spec: {containers: [{name: a, image: y}]}}}"),
			[]string{"refused: spec.template.spec.containers[a].image may not be changed"},
		},
		{
			"a claim that shrinks", object("v1", "PersistentVolumeClaim", "spec: {resources: {requests: {storage: 10Gi}}}"), object("v1", "PersistentVolumeClaim", "spec: {resources: {requests: {storage: 5Gi}}}"),
			[]string{"refused: spec.resources.requests.storage shrinks from 10Gi to 5Gi, and volumes only grow"},
		},
		{
			"a claim that grows", object("v1", "PersistentVolumeClaim", "spec: {resources: {requests: {storage: 10Gi}}}"), object("v1", "PersistentVolumeClaim", "spec: {resources: {requests: {storage: 20Gi}}}"), nil,
		},
		{
			"the class of a claim", object("v1", "PersistentVolumeClaim", "spec: {storageClassName: a}"), object("v1", "PersistentVolumeClaim", "spec: {storageClassName: b}"),
			[]string{"refused: spec.storageClassName may not be changed"},
		},
		{
			"a database that shrinks", object("postgresql.cnpg.io/v1", "Cluster", "spec: {storage: {size: 10Gi}}"), object("postgresql.cnpg.io/v1", "Cluster", "spec: {storage: {size: 1Gi}}"),
			[]string{"refused: spec.storage.size shrinks from 10Gi to 1Gi, and volumes only grow"},
		},
		{
			"the address of a service", object("v1", "Service", "spec: {clusterIP: None}"), object("v1", "Service", "spec: {clusterIP: 10.0.0.1}"),
			[]string{"refused: spec.clusterIP may not be changed"},
		},
		{"an address given up", object("v1", "Service", "spec: {clusterIP: 10.0.0.1}"), object("v1", "Service", "spec: {}"), nil},
		{
			"a storage class", object("storage.k8s.io/v1", "StorageClass", "parameters: {pool: a}"), object("storage.k8s.io/v1", "StorageClass", "parameters: {pool: b}"),
			[]string{"refused: parameters.pool may not be changed"},
		},
		{
			"a ConfigMap that is immutable", object("v1", "ConfigMap", "immutable: true\ndata: {a: b}"), object("v1", "ConfigMap", "immutable: true\ndata: {a: c}"),
			[]string{"refused: data.a may not be changed"},
		},
		{"one that is not", object("v1", "ConfigMap", "data: {a: b}"), object("v1", "ConfigMap", "immutable: true\ndata: {a: c}"), nil},
		{
			"a role", object("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef: {name: a}"), object("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef: {name: b}"),
			[]string{"refused: roleRef.name may not be changed"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := verdictsIn(compare(t, snapshot(t, test.before), snapshot(t, test.after)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestForced tells what force makes of a refusal.
func TestForced(t *testing.T) {
	before := snapshot(t, object("batch/v1", "Job", "spec: {template: {spec: {nodeName: a}}}"))
	after := snapshot(t, object("batch/v1", "Job", "spec: {template: {spec: {nodeName: b}}}"))
	after.Units[0].Items[0].Recreated = true
	want := []string{"recreates: spec.template.spec.nodeName may not be changed: the object is deleted and made anew"}
	if diff := cmp.Diff(want, verdictsIn(compare(t, before, after))); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	after.Units[0].Items[0].Recreated, after.Units[0].Items[0].Hook = false, true
	if got := verdictsIn(compare(t, before, after)); got != nil {
		t.Errorf("a hook, which is made anew anyway: %q", got)
	}
}

// TestRemoved tells what goes with an object.
func TestRemoved(t *testing.T) {
	for _, test := range []struct {
		text         string
		loses, stays bool
		want         []string
	}{
		{object("v1", "PersistentVolumeClaim", ""), true, false, []string{"destroys: its data is deleted with it"}},
		{object("v1", "PersistentVolumeClaim", ""), true, true, []string{"abandons: it stays in the cluster, and nothing follows it any more"}},
		{object("v1", "PersistentVolumeClaim", ""), false, false, nil},
		{object("apiextensions.k8s.io/v1", "CustomResourceDefinition", ""), false, false, []string{"destroys: all objects of this kind are deleted with it"}},
		{object("v1", "Namespace", ""), false, false, []string{"destroys: all that is in it is deleted with it"}},
		{object("v1", "ConfigMap", ""), false, false, nil},
	} {
		before := snapshot(t, test.text)
		i := before.Units[0].Items[0]
		i.Loses, i.Stays = test.loses, test.stays
		if diff := cmp.Diff(test.want, verdictsIn(compare(t, before, snapshot(t, "")))); diff != "" {
			t.Errorf("%s, loses %v, stays %v: verdicts (-want +got):\n%s", i.Ref(), test.loses, test.stays, diff)
		}
	}
}
