package observe

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
)

func objectOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = obj.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestTell(t *testing.T) {
	const source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: home, generation: 2}\n"
	for name, test := range map[string]struct {
		text  string
		state domain.State
		ready bool
	}{
		"new":       {source, ObjectPending, false},
		"ready":     {source + "status: {observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}", ObjectReady, true},
		"changed":   {source + "status: {observedGeneration: 1, conditions: [{type: Ready, status: 'True'}]}", ObjectReconciling, false},
		"failed":    {source + "status: {conditions: [{type: Ready, status: 'False', reason: GitOperationFailed}]}", ObjectFailed, false},
		"retrying":  {source + "status: {conditions: [{type: Reconciling, status: 'True', reason: ProgressingWithRetry}, {type: Ready, status: 'False'}]}", ObjectFailed, false},
		"at work":   {source + "status: {conditions: [{type: Reconciling, status: 'True', reason: Progressing}, {type: Ready, status: Unknown}]}", ObjectReconciling, false},
		"stalled":   {source + "status: {conditions: [{type: Stalled, status: 'True'}, {type: Ready, status: 'True'}]}", ObjectFailed, false},
		"static":    {"apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: a}", ObjectReady, true},
		"OCI":       {"apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: a}\nspec: {type: oci}", ObjectReady, true},
		"machine":   {"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}", domain.KustomizationIdle, false},
		"ConfigMap": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}", "Current", true},
		"workload":  {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, generation: 1}\nspec: {replicas: 2}\nstatus: {observedGeneration: 1, replicas: 1}", "InProgress", false},
		"bad":       {source + "status: {conditions: 7}", ObjectPending, false},
	} {
		got := Tell(objectOf(t, test.text))
		if got.State != test.state || got.Ready != test.ready {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if !Failed("GitRepository", ObjectFailed) || Failed("GitRepository", ObjectReady) || !Failed("Kustomization", domain.KustomizationFailed) {
		t.Error("failures are not told")
	}
}

func TestGoals(t *testing.T) {
	ready := objectOf(t, "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nstatus: {conditions: [{type: Ready, status: 'True', message: fine}]}")
	paused := objectOf(t, "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {suspend: true}")
	for _, test := range []struct {
		goal string
		obj  *unstructured.Unstructured
		done bool
		how  string
	}{
		{"ready", ready, true, "Ready: fine"},
		{"ready", paused, false, "Idle: not reconciled yet"},
		{"ready", nil, false, "it does not exist"},
		{"deleted", nil, true, "it does not exist"},
		{"deleted", ready, false, "Ready: fine"},
		{"suspended", paused, true, "suspended, Idle: not reconciled yet"},
		{"suspended", ready, false, "not suspended, Ready: fine"},
		{"condition=Ready", ready, true, "Ready=True: fine"},
		{"condition=ready=false", ready, false, "Ready=True: fine"},
		{"condition=Healthy", ready, false, "it has no condition Healthy"},
	} {
		goal, err := ParseGoal(test.goal)
		if err != nil {
			t.Fatal(err)
		}
		if done, how := goal.Reached(test.obj); done != test.done || how != test.how {
			t.Errorf("%s: %t, %q", test.goal, done, how)
		}
	}
	for _, bad := range []string{"", "Ready", "condition", "condition=", "condition==True", "condition=Ready="} {
		if _, err := ParseGoal(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}
