package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

func at(seconds float64) *float64 { return &seconds }

func flux(name, namespace string, state domain.State, after *float64) Object {
	return Object{
		Ref:   domain.Ref{Kind: "Kustomization", Namespace: namespace, Name: name},
		State: state, ReadyAfterSeconds: after, ready: state == domain.KustomizationReady,
	}
}

// failedReport is a rehearsal of three Kustomizations, one of which is not up.
func failedReport() *Report {
	place := domain.Place{File: "apps/immich/secrets.yaml", Line: 24}
	secret := Object{
		Ref:   domain.Ref{Kind: "ExternalSecret", Namespace: "media", Name: "immich"},
		State: domain.SecretFailed, Message: `1Password item "immich" has no field DB_PASSWORD`, Place: place,
	}
	cilium := flux("cilium", "kube-system", domain.KustomizationReady, at(2.1))
	immich := flux("immich", "media", domain.KustomizationReady, at(3))
	paused := flux("paused", "media", domain.KustomizationIdle, nil)
	paused.suspended = true
	waiting := flux("waiting", "media", domain.KustomizationIdle, nil)
	return &Report{
		Verdict: Failed, WallSeconds: 18.4, PredictedSeconds: 250, Cluster: "main", Revision: "8c8742b",
		Counts:       map[string]Count{"Kustomization": {Total: 94, Ready: 93}, "HelmRelease": {Total: 72, Ready: 71}},
		Objects:      []Object{secret, cilium, immich, paused},
		CriticalPath: []Step{{Ref: cilium.Ref, PredictedSeconds: 60}, {Ref: immich.Ref, PredictedSeconds: 250}},
		Assumptions: []domain.Assumption{
			{Kind: domain.AssumedChart, Subject: "oci://example.com/a", Reason: "offline"},
			{Kind: domain.AssumedSecret, Subject: "immich/TOKEN", Reason: "no vault"},
			{Kind: domain.AssumedSecret, Subject: "immich/USER", Reason: "no vault"},
			{Kind: domain.AssumedStorageClass, Subject: "fast", Reason: "nobody brings it"},
			{Kind: domain.AssumedStorageClass, Subject: "slow", Reason: "nobody brings it"},
		},
		OffModel: []OffModel{{Ref: immich.Ref, From: "Building", To: "Failed"}},
		Problems: []string{"bootstrap/a.yaml.j2:3: not a template"},
		kubernetes: kubernetes{
			version: "v1.37.2", ready: 2900 * time.Millisecond, nodes: 3, path: "kubernetes/main", tree: "working tree at 8c8742b",
		},
		tree: []row{
			{object: cilium},
			{object: immich, after: []string{"cilium"}, causes: []cause{
				{text: "HelmRelease media/immich is Reconciling: pod immich-1 is WaitingSecrets"},
				{text: `ExternalSecret media/immich is Failed: 1Password item "immich" has no field DB_PASSWORD`, place: place},
			}},
			{object: paused},
			{object: waiting, waiting: []string{"immich"}},
		},
	}
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	if err := failedReport().WriteText(&b, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `Kubernetes v1.37 ready in 2.9s · 3 virtual nodes · kubernetes/main · working tree at 8c8742b

  ✓ cilium   kube-system    2.1s
  ✗ immich   media        blocked
      HelmRelease media/immich is Reconciling: pod immich-1 is WaitingSecrets
      ExternalSecret media/immich is Failed: 1Password item "immich" has no field DB_PASSWORD
      apps/immich/secrets.yaml:24
  – paused   media        suspended
  ✗ waiting  media        blocked   by immich

! bootstrap/a.yaml.j2:3: not a template

Critical path  cilium → immich   4m10s at real pace
Assumed        1 chart, 2 secret values, 2 storage classes (--show-assumptions)
Off the model  1 transition
Verdict        FAILED  1 of 94 Kustomizations, 1 of 72 HelmReleases not Ready   18.4s
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("text differs (-want +got):\n%s", diff)
	}
}

// TestLocate lets rows and objects take their places from the findings.
func TestLocate(t *testing.T) {
	r := failedReport()
	secret := r.Objects[0].Ref
	release := domain.Ref{Kind: "HelmRelease", Namespace: "media", Name: "immich"}
	r.tree[1].causes[0].about, r.tree[1].causes[1].about = release, secret
	exact := domain.Place{File: "apps/immich/secrets.yaml", Line: 31}
	r.locate(&diagnose.Report{Findings: []*diagnose.Finding{
		{Subject: diagnose.ExternalSecret.Key("media", "immich"), Place: exact, Blocked: []diagnose.Affected{{Object: release}, {Object: secret}}},
		{Subject: diagnose.HelmRelease.Key("media", "other"), Place: domain.Place{File: "other.yaml", Line: 1}, Blocked: []diagnose.Affected{{Object: secret}}},
	}})
	if got := r.Objects[0].Place; got != exact {
		t.Errorf("the object stands at %s", got)
	}
	for _, c := range r.tree[1].causes {
		if c.place != exact {
			t.Errorf("%q stands at %s", c.text, c.place)
		}
	}
	if got := r.Objects[1].Place; got.Known() {
		t.Errorf("what is ready stands at %s", got)
	}
}

func TestWriteTextOfSuccess(t *testing.T) {
	r := failedReport()
	r.Verdict, r.Problems, r.OffModel, r.Assumptions = Converged, nil, nil, nil
	r.Counts = map[string]Count{"Kustomization": {Total: 1, Ready: 1}, "Pod": {Total: 2, Ready: 2}}
	var b strings.Builder
	if err := r.WriteText(&b, TextOptions{Colour: true, Assumptions: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Assumed        nothing\n",
		"Verdict        \x1b[32mCONVERGED\x1b[0m  1 Kustomization, 2 Pods   18.4s\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestShowAssumptions(t *testing.T) {
	var b strings.Builder
	if err := failedReport().WriteText(&b, TextOptions{Assumptions: true}); err != nil {
		t.Fatal(err)
	}
	if want := "  storageClass  fast: nobody brings it\n"; !strings.Contains(b.String(), want) {
		t.Errorf("the text lacks %q:\n%s", want, b.String())
	}
}

// TestJSON holds the names that other programs rely on.
func TestJSON(t *testing.T) {
	data, err := json.Marshal(failedReport())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	object := got["objects"].([]any)[0].(map[string]any)
	want := map[string]any{
		"kind": "ExternalSecret", "namespace": "media", "name": "immich", "state": "Failed",
		"message": `1Password item "immich" has no field DB_PASSWORD`,
		"file":    "apps/immich/secrets.yaml", "line": 24.0, "readyAfterSeconds": nil,
	}
	if diff := cmp.Diff(want, object); diff != "" {
		t.Errorf("an object differs (-want +got):\n%s", diff)
	}
	for _, field := range []string{"verdict", "wallSeconds", "predictedSeconds", "cluster", "revision", "counts", "criticalPath", "assumptions", "offModel"} {
		if _, ok := got[field]; !ok {
			t.Errorf("the report has no %s", field)
		}
	}
	step := got["criticalPath"].([]any)[1]
	if diff := cmp.Diff(map[string]any{"kind": "Kustomization", "namespace": "media", "name": "immich", "predictedSeconds": 250.0}, step); diff != "" {
		t.Errorf("a step differs (-want +got):\n%s", diff)
	}
	off := got["offModel"].([]any)[0]
	if diff := cmp.Diff(map[string]any{"kind": "Kustomization", "namespace": "media", "name": "immich", "from": "Building", "to": "Failed"}, off); diff != "" {
		t.Errorf("a transition differs (-want +got):\n%s", diff)
	}
}

func TestWriteJUnit(t *testing.T) {
	var b strings.Builder
	if err := failedReport().WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<testsuite name="hearth rehearse main" tests="4" failures="1" skipped="1" time="18.400">`,
		`<testcase classname="ExternalSecret" name="media/immich" file="apps/immich/secrets.yaml" time="0">`,
		`type="Failed">apps/immich/secrets.yaml:24</failure>`,
		`<testcase classname="Kustomization" name="kube-system/cilium" time="2.100"></testcase>`,
		`<skipped></skipped>`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the suite lacks %q:\n%s", want, b.String())
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{0.04: "0.0s", 59.9: "59.9s", 250: "4m10s", 3725: "1h02m"} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %q, want %q", s, got, want)
		}
	}
}
