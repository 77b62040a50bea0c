package notification

import (
	"errors"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
)

type sink []Event

func (s *sink) Dispatch(e Event) { *s = append(*s, e) }

const group = "kustomize.toolkit.fluxcd.io/"

func TestRecorderTellsKubernetesAndTheDispatcher(t *testing.T) {
	k := &kustomizev1.Kustomization{ObjectMeta: metav1.ObjectMeta{
		Name: "apps", Namespace: "flux-system", Labels: map[string]string{"team": "home"},
		Annotations: map[string]string{"event.toolkit.fluxcd.io/env": "prod", "other": "x"},
	}}
	k.Status.Inventory = &kustomizev1.ResourceInventory{Entries: make([]kustomizev1.ResourceRef, 3)}
	inner, got, done := record.NewFakeRecorder(10), sink{}, []domain.FluxReconciled{}
	r := NewRecorder(inner, scheme.New(), &got, "kustomize-controller", func(e domain.FluxReconciled) { done = append(done, e) })
	revision := map[string]string{group + "revision": "main@sha1:" + sha1Hash}

	r.AnnotatedEventf(k, revision, corev1.EventTypeNormal, "Progressing", "Health check passed in %s", "1s")
	conditions.MarkFalse(k, meta.ReadyCondition, "BuildFailed", "broken")
	r.AnnotatedEventf(k, revision, corev1.EventTypeWarning, "BuildFailed", "broken")
	conditions.MarkTrue(k, meta.ReadyCondition, meta.ReconciliationSucceededReason, "fine")
	r.AnnotatedEventf(k, revision, corev1.EventTypeNormal, meta.ReconciliationSucceededReason, "Reconciliation finished in 1s, next run in 1h")
	r.Event(k, eventv1.EventTypeTrace, "Trace", "not for others")
	r.Event(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, corev1.EventTypeNormal, "Ready", "of no namespace")

	ref := domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "apps"}
	wantDone := []domain.FluxReconciled{
		{Kustomization: ref, Applied: 3, Status: domain.KustomizationFailed, Revision: "main@sha1:" + sha1Hash},
		{Kustomization: ref, Applied: 3, Status: domain.KustomizationReady, Revision: "main@sha1:" + sha1Hash},
	}
	if diff := cmp.Diff(wantDone, done, cmpopts.IgnoreFields(domain.FluxReconciled{}, "Time")); diff != "" {
		t.Errorf("FluxReconciled (-want +got):\n%s", diff)
	}
	var seen []string
	for _, e := range got {
		seen = append(seen, strings.Join([]string{e.Severity, e.Reason, e.Message, e.Metadata[group+"commit_status"], e.Metadata[group+"applied"], e.Metadata["event.toolkit.fluxcd.io/env"], e.Labels["team"], e.ReportingController, e.InvolvedObject.Kind}, "|"))
	}
	want := []string{
		"info|Progressing|Health check passed in 1s|||prod|home|kustomize-controller|Kustomization",
		"error|BuildFailed|broken||3|prod|home|kustomize-controller|Kustomization",
		"info|ReconciliationSucceeded|Reconciliation finished in 1s, next run in 1h|update|3|prod|home|kustomize-controller|Kustomization",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("dispatched (-want +got):\n%s", diff)
	}
	if n := len(inner.Events); n != 5 {
		t.Errorf("Kubernetes has %d events, want 5", n)
	}
	if _, ok := revision[group+"applied"]; ok {
		t.Error("the caller's annotations were changed")
	}
}

func TestAlertsAskForEvents(t *testing.T) {
	event := &Event{Event: *sampleEvent(), Labels: map[string]string{"team": "home"}}
	source := func(change func(*notificationv1.CrossNamespaceObjectReference)) []notificationv1.CrossNamespaceObjectReference {
		ref := notificationv1.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "apps"}
		change(&ref)
		return []notificationv1.CrossNamespaceObjectReference{{Kind: "GitRepository", Name: "*"}, ref}
	}
	type ref = notificationv1.CrossNamespaceObjectReference
	tests := map[string]struct {
		spec      notificationv1beta3.AlertSpec
		namespace string
		want      bool
	}{
		"by name":                  {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {})}, want: true},
		"every one":                {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Name = "*" })}, want: true},
		"another name":             {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Name = "infra" })}},
		"another kind":             {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Kind = "HelmRelease" })}},
		"of another namespace":     {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {})}, namespace: "other"},
		"a namespace by name":      {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Namespace = "flux-system" })}, namespace: "other", want: true},
		"labels":                   {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Name, r.MatchLabels = "*", map[string]string{"team": "home"} })}, want: true},
		"other labels":             {spec: notificationv1beta3.AlertSpec{EventSources: source(func(r *ref) { r.Name, r.MatchLabels = "*", map[string]string{"team": "work"} })}},
		"suspended":                {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), Suspend: true}},
		"errors only":              {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), EventSeverity: "error"}},
		"from info up":             {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), EventSeverity: "info"}, want: true},
		"included":                 {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), InclusionList: []string{"nothing", "^Applied"}}, want: true},
		"not included":             {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), InclusionList: []string{"^applied"}}},
		"excluded":                 {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), InclusionList: []string{"Applied"}, ExclusionList: []string{"rev.*n"}}},
		"an expression is broken":  {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), ExclusionList: []string{"(("}}, want: true},
		"only broken ones include": {spec: notificationv1beta3.AlertSpec{EventSources: source(func(*ref) {}), InclusionList: []string{"(("}}},
		"no sources":               {},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.namespace == "" {
				test.namespace = "flux-system"
			}
			alert := &notificationv1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: test.namespace}, Spec: test.spec}
			if got := asksFor(alert, event); got != test.want {
				t.Errorf("asked for: %v, want %v", got, test.want)
			}
		})
	}
}

func TestMetadataIsCombined(t *testing.T) {
	event := sampleEvent()
	event.Metadata = map[string]string{
		group + "revision": "r1", group + "checksum": "c", group + "digest": "d", group + "token": "t", "foreign/x": "y",
		"event.toolkit.fluxcd.io/env": "prod", "event.toolkit.fluxcd.io/revision": "fake",
	}
	alert := &notificationv1beta3.Alert{Spec: notificationv1beta3.AlertSpec{EventMetadata: map[string]string{"env": "test", "cluster": "main", "summary": "a"}, Summary: "b"}}
	clean(event)
	conflicts := combine(event, alert)
	want := map[string]string{"revision": "r1", "env": "test", "cluster": "main", "summary": "b"}
	if diff := cmp.Diff(want, event.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"env", "revision", "summary"}, conflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestForgesAreToldOfCommitsOnly(t *testing.T) {
	update := sampleEvent(func(e *eventv1.Event) { e.Metadata = map[string]string{group + "commit_status": "update"} })
	plain := sampleEvent()
	failed := sampleEvent(failure)
	commit := sampleEvent(func(e *eventv1.Event) { e.Metadata = map[string]string{"event.toolkit.fluxcd.io/commit": sha1Hash} })
	for kind, want := range map[string][4]bool{
		"github": {true, false, true, true}, "gitlab": {true, false, true, true}, "gitea": {true, false, true, true},
		"slack": {false, true, true, true}, "generic": {true, true, true, true}, "generic-hmac": {true, true, true, true}, "alertmanager": {false, true, true, true},
	} {
		got := [4]bool{concerns(kind, update), concerns(kind, plain), concerns(kind, failed), concerns(kind, commit)}
		if got != want {
			t.Errorf("%s is told %v, want %v", kind, got, want)
		}
	}
}

func TestStatusIDs(t *testing.T) {
	provider := &notificationv1beta3.Provider{ObjectMeta: metav1.ObjectMeta{Name: "forge", UID: "0c9c2e41-d2f9-4f9b-9c41-bebc1984d67a"}, Spec: notificationv1beta3.ProviderSpec{Type: "github"}}
	alert := &notificationv1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Name: "status"}, Spec: notificationv1beta3.AlertSpec{EventMetadata: map[string]string{"cluster": "main"}}}
	for expression, want := range map[string]string{
		"": "kustomization/apps/0c9c2e41",
		"(event.involvedObject.name + '/' + alert.metadata.name + '/' + provider.metadata.name)": "apps/status/forge",
		"string(alert.spec.eventMetadata.cluster)":                                               "main",
		"1":             "!",
		"((":            "!",
		"''":            "!",
		"event.nothing": "!",
	} {
		provider.Spec.CommitStatusExpr = expression
		got, err := statusID(t.Context(), provider, alert, sampleEvent())
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q (%v), want %q", expression, got, err, want)
		}
	}
}

func TestErrorsHideSecrets(t *testing.T) {
	d := &destination{
		address: "https://hooks.example/T/c4n4ry-path?key=c4n4ry-query", username: "me", password: "c4n4ry-pw", token: "c4n4ry-token",
		headers: map[string]string{"Authorization": "Bearer c4n4ry-header"},
		secret:  map[string][]byte{"address": []byte("https://hooks.example/T/c4n4ry-path?key=c4n4ry-query\n"), "other": []byte(" c4n4ry-other\n")},
	}
	d.hideValues(nil)
	err := d.hide(permanent("Post %q to hooks.example with c4n4ry-pw c4n4ry-token c4n4ry-header c4n4ry-other key=c4n4ry-query: lookup failed", d.address))
	if strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), "hooks.example") || !strings.Contains(err.Error(), "lookup failed") {
		t.Errorf("shown: %v", err)
	}
	var final permanentError
	if !errors.As(err, &final) {
		t.Error("the error is no longer one for good")
	}
}

func TestRecentForgetsInTime(t *testing.T) {
	now := time.Unix(0, 0)
	r := newRecent[string](time.Minute, 2)
	r.now = func() time.Time { return now }
	step := func(key string, want bool) {
		t.Helper()
		if got := r.first(key); got != want {
			t.Errorf("%s at %d s is new: %v, want %v", key, now.Unix(), got, want)
		}
	}
	step("a", true)
	step("a", false)
	r.forget("a")
	now = now.Add(time.Second)
	step("a", true)
	now = now.Add(59 * time.Second)
	step("a", false) // what was forgotten no longer counts
	step("b", true)
	step("c", true) // the third pushes the oldest out
	step("b", false)
	step("a", true)
	now = now.Add(time.Minute)
	step("a", true)
}
