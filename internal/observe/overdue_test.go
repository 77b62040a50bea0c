package observe

import (
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// TestOverdue looks at objects whose every time is midnight some while later.
func TestOverdue(t *testing.T) {
	midnight := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	untyped := func(t *testing.T, text string) client.Object {
		content, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(content); err != nil {
			t.Fatal(err)
		}
		return u
	}
	kustomization := func(status string) func(*testing.T) client.Object {
		return func(t *testing.T) client.Object {
			return read[kustomizev1.Kustomization](t, `{metadata: {name: x, creationTimestamp: "2024-01-01T00:00:00Z"}, spec: {interval: 30m, timeout: 10m}, status: `+status+`}`)
		}
	}
	const at = `lastTransitionTime: "2024-01-01T00:00:00Z"`
	for _, test := range []struct {
		name       string
		kind       schema.GroupVersionKind
		object     func(*testing.T) client.Object
		quietUntil time.Duration
		rule       string
	}{
		{
			"a reconcile is due", kustomizationKind,
			kustomization(`{history: [{digest: "sha256:0", firstReconciled: "2024-01-01T00:00:00Z", lastReconciled: "2024-01-01T00:00:00Z", lastReconciledDuration: 1s, lastReconciledStatus: ReconciliationSucceeded, totalReconciliations: 1}], conditions: [{type: Ready, status: "True", ` + at + `}]}`),
			40 * time.Minute, domain.RuleReconcileOverdue,
		},
		{
			"a reconcile takes long", kustomizationKind,
			kustomization(`{conditions: [{type: Reconciling, status: "True", message: Applying manifests, ` + at + `}]}`),
			10 * time.Minute, domain.RuleReconcileLong,
		},
		{
			"an install takes long", helmReleaseKind,
			func(t *testing.T) client.Object {
				return read[helmv2.HelmRelease](t, `{spec: {interval: 1h, timeout: 5m}, status: {lastAttemptedGeneration: 1, conditions: [{type: Reconciling, status: "True", message: "Running 'install' action", `+at+`}]}}`)
			},
			10 * time.Minute, domain.RuleInstallOverdue,
		},
		{
			"retries are used up", helmReleaseKind,
			func(t *testing.T) client.Object {
				return read[helmv2.HelmRelease](t, `{status: {conditions: [{type: Stalled, status: "True", reason: RetriesExceeded, `+at+`}]}}`)
			},
			-time.Second, domain.RuleRetriesUsedUp,
		},
		{
			"a refresh is due", externalSecretKind,
			func(t *testing.T) client.Object {
				return read[esv1.ExternalSecret](t, `{spec: {refreshInterval: 1h}, status: {refreshTime: "2024-01-01T00:00:00Z", conditions: [{type: Ready, status: "True", reason: SecretSynced, `+at+`}]}}`)
			},
			time.Hour + 2*time.Minute, domain.RuleRefreshOverdue,
		},
		{
			"a pull takes long", podKind,
			func(t *testing.T) client.Object {
				return read[corev1.Pod](t, `{spec: {nodeName: a, containers: [{name: app}]}, status: {conditions: [{type: PodReadyToStartContainers, status: "True", `+at+`}]}}`)
			},
			5 * time.Minute, domain.RulePullLong,
		},
		{
			"a renewal is due", certificateKind,
			func(t *testing.T) client.Object {
				return untyped(t, `{apiVersion: cert-manager.io/v1, kind: Certificate, status: {renewalTime: "2024-01-01T00:00:00Z", conditions: [{type: Ready, status: "True", reason: Ready, message: m, `+at+`}]}}`)
			},
			time.Hour, domain.RuleRenewalOverdue,
		},
		{
			"a fetch takes long", sourceKinds[0],
			func(t *testing.T) client.Object {
				return untyped(t, `{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, spec: {timeout: 2m}, status: {conditions: [{type: Reconciling, status: "True", reason: Progressing, message: m, `+at+`}]}}`)
			},
			2 * time.Minute, domain.RuleFetchLong,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newInformed()
			w.Widen()
			w.started = midnight.Add(time.Hour)
			w.see(test.kind, test.object(t))
			if late := w.Overdue(midnight.Add(test.quietUntil)); len(late) > 0 && test.quietUntil > 0 {
				t.Errorf("told too early: %+v", late)
			}
			late := w.Overdue(midnight.Add(test.quietUntil + time.Second))
			if len(late) != 1 || late[0].Rule != test.rule {
				t.Fatalf("got %+v, want %s", late, test.rule)
			}
			if test.quietUntil > 0 && !late[0].Due.Equal(midnight.Add(test.quietUntil)) {
				t.Errorf("due at %s", late[0].Due)
			}
		})
	}
}

func TestBackOffTellsTheNextTry(t *testing.T) {
	w := newInformed()
	p := read[corev1.Pod](t, `
metadata: {name: x}
spec: {nodeName: a, restartPolicy: Always, containers: [{name: app}]}
status:
  containerStatuses:
  - name: app
    image: a
    imageID: b
    ready: false
    restartCount: 2
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 1, startedAt: "2024-01-01T00:00:00Z", finishedAt: "2024-01-01T00:00:10Z"}}`)
	w.see(podKind, p)
	late := w.Overdue(w.clock)
	if len(late) != 1 || late[0].Rule != domain.RuleBackOff || !late[0].Next.Equal(time.Date(2024, 1, 1, 0, 0, 50, 0, time.UTC)) {
		t.Errorf("got %+v", late)
	}
}

func TestSuspendedIsNotOverdue(t *testing.T) {
	w := newInformed()
	w.see(helmReleaseKind, read[helmv2.HelmRelease](t, `{spec: {suspend: true}, status: {conditions: [{type: Stalled, status: "True", reason: RetriesExceeded}]}}`))
	if late := w.Overdue(w.clock); len(late) != 0 {
		t.Errorf("got %+v", late)
	}
}

func TestLateIsToldOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	late := []Late{{Ref: domain.Ref{Kind: "Pod", Name: "a"}, Rule: "r"}, {Ref: domain.Ref{Kind: "Pod", Name: "b"}, Rule: "r"}}
	var told []string
	tell := func(h Happening) { told = append(told, h.Object.Name) }
	before := tellLate(late[:1], nil, now, tell)
	before = tellLate(late, before, now, tell)
	before = tellLate(late[1:], before, now, tell)
	tellLate(late, before, now, tell)
	if diff := cmp.Diff([]string{"a", "b", "a"}, told); diff != "" {
		t.Error(diff)
	}
}
