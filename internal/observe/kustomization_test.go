package observe

import (
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
)

// read turns the YAML of an object, as `kubectl get -o yaml` shows it, into its type.
func read[T any](t *testing.T, text string) *T {
	t.Helper()
	obj := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

// standing is the part of a Standing that the tables of this package expect.
type standing struct {
	State     domain.State
	Message   string
	Ready     bool
	Completed bool
	Passed    []domain.State
}

func exposed(s Standing) standing {
	return standing{s.State, s.Message, s.Ready, s.Completed, s.passed}
}

func TestKustomizationState(t *testing.T) {
	for _, test := range []struct {
		name, status string
		want         standing
	}{
		{
			name: "just created", status: `{}`,
			want: standing{State: domain.KustomizationIdle, Message: "not reconciled yet"},
		},
		{
			name: "fetching",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: Progressing, message: "Fetching manifests for revision main@sha1:1bc7d3 with a timeout of 5m0s", lastTransitionTime: "2024-01-01T00:00:00Z", observedGeneration: 1}
- {type: Ready, status: Unknown, reason: Progressing, message: Reconciliation in progress, lastTransitionTime: "2024-01-01T00:00:00Z", observedGeneration: 1}`,
			want: standing{State: domain.KustomizationFetching, Message: "Fetching manifests for revision main@sha1:1bc7d3 with a timeout of 5m0s"},
		},
		{
			name: "building",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: Progressing, message: Building manifests for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Ready, status: Unknown, reason: Progressing, message: Reconciliation in progress, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationBuilding, Message: "Building manifests for revision main@sha1:1bc7d3 with a timeout of 5m0s"},
		},
		{
			name: "applying",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: Progressing, message: Detecting drift for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Ready, status: Unknown, reason: Progressing, message: Reconciliation in progress, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationApplying, Message: "Detecting drift for revision main@sha1:1bc7d3 with a timeout of 5m0s"},
		},
		{
			name: "health checks",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: Progressing, message: Running health checks for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Healthy, status: Unknown, reason: Progressing, message: Running health checks for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Ready, status: Unknown, reason: Progressing, message: Reconciliation in progress, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationApplying, Message: "Running health checks for revision main@sha1:1bc7d3 with a timeout of 5m0s"},
		},
		{
			name: "ready",
			status: `
observedGeneration: 1
lastAppliedRevision: main@sha1:1bc7d3
conditions:
- {type: Ready, status: "True", reason: ReconciliationSucceeded, message: "Applied revision: main@sha1:1bc7d3", lastTransitionTime: "2024-01-01T00:00:00Z", observedGeneration: 1}`,
			want: standing{State: domain.KustomizationReady, Message: "Applied revision: main@sha1:1bc7d3", Ready: true},
		},
		{
			name: "ready, changed since",
			status: `
observedGeneration: 0
conditions:
- {type: Ready, status: "True", reason: ReconciliationSucceeded, message: "Applied revision: main@sha1:1bc7d3", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationIdle, Message: "its spec has changed and waits to be reconciled"},
		},
		{
			name: "waits for a dependency",
			status: `
conditions:
- {type: Ready, status: "False", reason: DependencyNotReady, message: dependency 'flux-system/cilium' is not ready, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationIdle, Message: "dependency 'flux-system/cilium' is not ready"},
		},
		{
			name: "source without artifact",
			status: `
conditions:
- {type: Ready, status: "False", reason: ArtifactFailed, message: "Source artifact not found, retrying in 30s", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationFetching, Message: "Source artifact not found, retrying in 30s"},
		},
		{
			name: "no such source",
			status: `
conditions:
- {type: Ready, status: "False", reason: ArtifactFailed, message: 'gitrepositories.source.toolkit.fluxcd.io "home" not found', lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationFailed, Message: `gitrepositories.source.toolkit.fluxcd.io "home" not found`, Passed: []domain.State{domain.KustomizationFetching}},
		},
		{
			name: "build failed, to be tried again",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: ProgressingWithRetry, message: Building manifests for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Ready, status: "False", reason: BuildFailed, message: "kustomization path not found:\n stat /tmp/x: no such file or directory", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationFailed, Message: "kustomization path not found: stat /tmp/x: no such file or directory", Passed: []domain.State{domain.KustomizationBuilding}},
		},
		{
			name: "health check failed",
			status: `
conditions:
- {type: Reconciling, status: "True", reason: ProgressingWithRetry, message: Running health checks for revision main@sha1:1bc7d3 with a timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Healthy, status: "False", reason: HealthCheckFailed, message: "timeout waiting for: [Deployment/media/immich status: 'InProgress']", lastTransitionTime: "2024-01-01T00:00:00Z"}
- {type: Ready, status: "False", reason: HealthCheckFailed, message: "timeout waiting for: [Deployment/media/immich status: 'InProgress']", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.KustomizationFailed, Message: "timeout waiting for: [Deployment/media/immich status: 'InProgress']", Passed: []domain.State{domain.KustomizationApplying}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := &kustomizev1.Kustomization{}
			k.Generation = 1
			k.Status = *read[kustomizev1.KustomizationStatus](t, test.status)
			if diff := cmp.Diff(test.want, exposed(KustomizationState(k))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKustomizationStateOfWhatIsLeftAlone(t *testing.T) {
	k := &kustomizev1.Kustomization{}
	k.Generation, k.Spec.Suspend = 2, true
	k.Status.ObservedGeneration = 1
	k.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Message: "Applied revision: x"}}
	if s := KustomizationState(k); s.State != domain.KustomizationReady {
		t.Errorf("suspended: %s", s.State)
	}
	at := metav1.NewTime(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	k.DeletionTimestamp = &at
	if s := KustomizationState(k); s.State != domain.KustomizationDeleting || !s.Since.Equal(at.Time) {
		t.Errorf("deleted: %s since %s", s.State, s.Since)
	}
}
