package desired

import "testing"

const misdated = `
-- .hearth.yaml --
clusters:
  main: {path: kubernetes/main, entry: {path: kubernetes/main/apps}}
-- kubernetes/main/apps/release.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: web}
spec:
  interval: 1d
  timeout: 5m
  install: {timeout: soon}
  chartRef: {kind: OCIRepository, name: app-template}
  values: {timeout: whenever}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: more, namespace: flux-system}
spec:
  interval: 1d
  path: ./kubernetes/main/more
  sourceRef: {kind: GitRepository, name: flux-system}
-- kubernetes/main/more/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: more, namespace: web}
`

func TestBadDurationsHideNothingElse(t *testing.T) {
	s := open(t, misdated)
	r := s.Release("web", "web")
	if r == nil || r.Err != nil {
		t.Fatalf("the release: %+v", r)
	}
	if r.Values["timeout"] != "whenever" || r.Spec.Timeout == nil || r.Spec.ChartRef == nil {
		t.Errorf("more than the bad durations is left out: %+v", r.Spec)
	}
	if s.Find("", "ConfigMap", "web", "more") == nil {
		t.Error("a Kustomization with a bad interval is not built")
	}
}
