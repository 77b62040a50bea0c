package health

import (
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &obj.Object); err != nil {
		t.Fatal(err)
	}
	// The decoder of the API machinery makes integers of whole numbers.
	data, err := obj.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestEvaluate(t *testing.T) {
	widget := []Expr{{APIVersion: "example.org/v1", Kind: "Widget", HealthCheckExpressions: kustomize.HealthCheckExpressions{
		InProgress: "status.phase == 'Working'",
		Failed:     "status.phase == 'Broken'",
		Current:    "status.phase == 'Done'",
	}}}
	group := []Expr{{APIVersion: "example.org/v1", HealthCheckExpressions: kustomize.HealthCheckExpressions{Current: "status.phase == 'Done'"}}}
	tests := map[string]struct {
		manifest string
		exprs    []Expr
		want     status.Status
		message  string
	}{
		"a config map is current once it exists": {
			manifest: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
			want:     status.CurrentStatus,
		},
		"a condition Ready that is False is in progress": {
			manifest: `{apiVersion: example.org/v1, kind: Other, metadata: {name: a, generation: 1}, status: {observedGeneration: 1, conditions: [{type: Ready, status: "False", reason: X, message: not yet}]}}`,
			want:     status.InProgressStatus,
			message:  "not yet",
		},
		"a generation that nobody observed is in progress": {
			manifest: `{apiVersion: example.org/v1, kind: Other, metadata: {name: a, generation: 2}, status: {observedGeneration: 1}}`,
			want:     status.InProgressStatus,
		},
		"a stalled object has failed": {
			manifest: `{apiVersion: example.org/v1, kind: Other, metadata: {name: a}, status: {conditions: [{type: Stalled, status: "True", reason: X, message: never}]}}`,
			want:     status.FailedStatus,
			message:  "never",
		},
		"an object being deleted is terminating": {
			manifest: `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z"}}`,
			want:     status.TerminatingStatus,
		},
		"a running job is in progress": {
			manifest: `{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {startTime: "2026-01-01T00:00:00Z", active: 1}}`,
			want:     status.InProgressStatus,
		},
		"a completed job is current": {
			manifest: `{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {succeeded: 1, conditions: [{type: Complete, status: "True"}]}}`,
			want:     status.CurrentStatus,
		},
		"an expression says that it works": {
			manifest: `{apiVersion: example.org/v1, kind: Widget, metadata: {name: a}, status: {phase: Working}}`,
			exprs:    widget, want: status.InProgressStatus,
		},
		"an expression says that it failed": {
			manifest: `{apiVersion: example.org/v1, kind: Widget, metadata: {name: a}, status: {phase: Broken}}`,
			exprs:    widget, want: status.FailedStatus,
		},
		"an expression says that it is done": {
			manifest: `{apiVersion: example.org/v1, kind: Widget, metadata: {name: a}, status: {phase: Done}}`,
			exprs:    widget, want: status.CurrentStatus,
		},
		"an expression for the whole group holds for its kinds": {
			manifest: `{apiVersion: example.org/v1, kind: Widget, metadata: {name: a}, status: {phase: Working}}`,
			exprs:    group, want: status.InProgressStatus,
		},
		"an expression that does not fit the object says nothing": {
			manifest: `{apiVersion: example.org/v1, kind: Widget, metadata: {name: a}}`,
			exprs:    widget, want: status.UnknownStatus,
			message: "status.phase",
		},
		"an expression of another kind is not used": {
			manifest: `{apiVersion: example.org/v1, kind: Other, metadata: {name: a}}`,
			exprs:    widget, want: status.CurrentStatus,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Evaluate(object(t, test.manifest), test.exprs)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != test.want || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %s %q, want %s %q", got.Status, got.Message, test.want, test.message)
			}
		})
	}
	if got, _ := Evaluate(nil, nil); got.Status != status.NotFoundStatus {
		t.Errorf("no object is %s, want NotFound", got.Status)
	}
}

func TestValidate(t *testing.T) {
	valid := Expr{APIVersion: "a/v1", Kind: "B", HealthCheckExpressions: kustomize.HealthCheckExpressions{Current: "true"}}
	broken := Expr{APIVersion: "a/v1", Kind: "C", HealthCheckExpressions: kustomize.HealthCheckExpressions{Current: "status."}}
	for name, test := range map[string]struct {
		exprs []Expr
		want  string
	}{
		"none":   {nil, ""},
		"valid":  {[]Expr{valid}, ""},
		"broken": {[]Expr{valid, broken}, "healthCheckExprs[1] for a/v1 C"},
		"twice":  {[]Expr{valid, valid}, "repeats the kind B.a"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Validate(test.exprs)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')", "")
	f.Add("(((((", "has(status.x)")
	f.Fuzz(func(t *testing.T, current, failed string) {
		exprs := []Expr{{APIVersion: "a/v1", Kind: "B", HealthCheckExpressions: kustomize.HealthCheckExpressions{Current: current, Failed: failed}}}
		_, err := Evaluate(object(t, "{apiVersion: a/v1, kind: B, metadata: {name: a}}"), exprs)
		if (err == nil) != (Validate(exprs) == nil) {
			t.Fatalf("Evaluate says %v, Validate %v", err, Validate(exprs))
		}
	})
}
