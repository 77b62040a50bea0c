package observe

import (
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
)

func TestHelmReleaseState(t *testing.T) {
	reconciling := []domain.State{domain.ReleaseReconciling}
	for _, test := range []struct {
		name, object string
		want         standing
	}{
		{
			name: "just created", object: `{}`,
			want: standing{State: domain.ReleasePending, Message: "not reconciled yet"},
		},
		{
			name: "prerequisites of the first install",
			object: `
status:
  conditions:
  - {type: Reconciling, status: "True", reason: Progressing, message: Fulfilling prerequisites, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleasePending, Message: "Fulfilling prerequisites"},
		},
		{
			name: "dependency, checked again",
			object: `
status:
  conditions:
  - {type: Reconciling, status: "True", reason: Progressing, message: Fulfilling prerequisites, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: "False", reason: DependencyNotReady, message: dependency 'dbms/cloudnative-pg' is not ready, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleasePending, Message: "dependency 'dbms/cloudnative-pg' is not ready"},
		},
		{
			name: "chart not there yet",
			object: `
status:
  conditions:
  - {type: Ready, status: "False", reason: SourceNotReady, message: "OCIRepository 'media/app-template' is not ready", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleasePending, Message: "OCIRepository 'media/app-template' is not ready"},
		},
		{
			name: "values missing before the first install",
			object: `
status:
  conditions:
  - {type: Ready, status: "False", reason: ValuesError, message: could not find Secret 'media/immich-values', lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleasePending, Message: "could not find Secret 'media/immich-values'"},
		},
		{
			name: "values missing after it",
			object: `
status:
  lastAttemptedGeneration: 1
  history: [{version: 1, name: immich, namespace: media, status: deployed}]
  conditions:
  - {type: Ready, status: "False", reason: ValuesError, message: could not find Secret 'media/immich-values', lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseFailed, Message: "could not find Secret 'media/immich-values'", Passed: reconciling},
		},
		{
			name: "installing",
			object: `
status:
  lastAttemptedGeneration: 1
  lastAttemptedReleaseAction: install
  conditions:
  - {type: Reconciling, status: "True", reason: Progressing, message: Running 'install' action with timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: Unknown, reason: Progressing, message: Running 'install' action with timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseReconciling, Message: "Running 'install' action with timeout of 5m0s"},
		},
		{
			name: "ready",
			object: `
metadata: {generation: 1}
status:
  observedGeneration: 1
  history: [{version: 1}]
  conditions:
  - {type: Ready, status: "True", reason: InstallSucceeded, message: Helm install succeeded for release media/immich.v1 with chart app-template@4.0.0, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Released, status: "True", reason: InstallSucceeded, message: Helm install succeeded for release media/immich.v1 with chart app-template@4.0.0, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseReady, Message: "Helm install succeeded for release media/immich.v1 with chart app-template@4.0.0", Ready: true},
		},
		{
			name: "ready, looked at again by interval",
			object: `
metadata: {generation: 1}
status:
  observedGeneration: 1
  history: [{version: 1}]
  conditions:
  - {type: Reconciling, status: "True", reason: Progressing, message: Fulfilling prerequisites, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: "True", reason: InstallSucceeded, message: ok, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseReady, Message: "ok", Ready: true},
		},
		{
			name: "values changed in Git",
			object: `
metadata: {generation: 2}
status:
  observedGeneration: 1
  history: [{version: 1}]
  conditions:
  - {type: Ready, status: "True", reason: InstallSucceeded, message: ok, lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseReconciling, Message: "its spec has changed and waits to be reconciled"},
		},
		{
			name: "install failed, retries left",
			object: `
spec: {install: {remediation: {retries: 3}}}
status:
  lastAttemptedReleaseAction: install
  lastAttemptedGeneration: 1
  failures: 2
  installFailures: 2
  conditions:
  - {type: Reconciling, status: "True", reason: ProgressingWithRetry, message: retrying, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: "False", reason: InstallFailed, message: "Helm install failed: context deadline exceeded", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseFailed, Message: "Helm install failed: context deadline exceeded (attempt 2 of 4)", Passed: reconciling},
		},
		{
			name: "being remediated",
			object: `
status:
  lastAttemptedGeneration: 1
  conditions:
  - {type: Reconciling, status: "True", reason: Progressing, message: Running 'uninstall' action with timeout of 5m0s, lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: "False", reason: InstallFailed, message: "Helm install failed: x", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseReconciling, Message: "Running 'uninstall' action with timeout of 5m0s"},
		},
		{
			name: "retries used up",
			object: `
status:
  lastAttemptedGeneration: 1
  failures: 4
  installFailures: 4
  conditions:
  - {type: Stalled, status: "True", reason: RetriesExceeded, message: Failed to install after 4 attempt(s), lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: Ready, status: "False", reason: InstallFailed, message: "Helm install failed: x", lastTransitionTime: "2024-01-01T00:00:00Z"}`,
			want: standing{State: domain.ReleaseFailed, Message: "Helm install failed: x (no retries left: it needs a change, or a forced reconcile)", Passed: reconciling},
		},
		{
			name:   "deleted",
			object: `metadata: {deletionTimestamp: "2024-01-01T00:00:00Z"}`,
			want:   standing{State: domain.ReleaseDeleting},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := read[helmv2.HelmRelease](t, test.object)
			if diff := cmp.Diff(test.want, exposed(HelmReleaseState(r))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
