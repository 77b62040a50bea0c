package graph

import (
	"testing"
)

const ownChart = `-- apps/all.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: own, namespace: media}
spec:
  interval: 1h
  chart: {spec: {chart: ./charts/own, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
  values: {from: named-by-the-owner}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain, namespace: media}
spec: {template: {spec: {containers: [{name: a, envFrom: [{secretRef: {name: made-by-hook}}]}]}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: plain, namespace: media}
spec: {parentRefs: [{name: internal, namespace: network}], rules: [{backendRefs: [{name: none, port: 80}]}]}
-- charts/own/Chart.yaml --
{apiVersion: v2, name: own, version: 1.0.0}
-- charts/own/templates/all.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  template:
    spec:
      serviceAccountName: default
      containers:
        - name: a
          envFrom: [{secretRef: {name: made-by-hook}}, {secretRef: {name: {{ .Values.from }}}}, {configMapRef: {name: own-settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: own-settings}
`

func TestResolve(t *testing.T) {
	g := graphOf(t, ownChart)
	got := map[string]Resolution{}
	for _, o := range g.objects {
		for _, r := range References(o) {
			got[o.Ref.String()+" > "+r.Kind+" "+r.Name] = g.Resolve(o, r)
		}
	}
	for what, want := range map[string]Resolution{
		"Deployment media/own > ServiceAccount default":    {},
		"Deployment media/own > Secret made-by-hook":       {Doubt: "the chart own names it itself, and may make it at run time"},
		"Deployment media/own > Secret named-by-the-owner": {Missing: true},
		"Deployment media/plain > Secret made-by-hook":     {Missing: true},
		"HTTPRoute media/plain > Gateway internal":         {Doubt: "nothing in the tree tells about kinds of gateway.networking.k8s.io"},
		"HTTPRoute media/plain > Service none":             {Missing: true},
	} {
		if resolution, found := got[what]; !found || resolution != want {
			t.Errorf("%s: %+v (%v), want %+v", what, resolution, found, want)
		}
	}
	if by := got["Deployment media/own > ConfigMap own-settings"].By; by == nil || by.Release == nil {
		t.Errorf("the chart's own ConfigMap is made by %v", by)
	}
	// Where nobody asks for it, a reference is judged by itself.
	if r := g.Resolve(nil, Reference{Kind: "Secret", Namespace: "media", Name: "made-by-hook"}); !r.Missing {
		t.Errorf("without an object: %+v", r)
	}
}
