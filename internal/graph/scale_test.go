package graph

import (
	"fmt"
	"strings"
	"testing"
)

// manyApps writes applications that each have a Kustomization, a release whose
// chart is not at hand, an ExternalSecret, a workload and a route.
func manyApps(n int) string {
	var b strings.Builder
	b.WriteString("-- apps/all.yaml --\n")
	for i := range n {
		b.WriteString(kustomizations(fmt.Sprintf("app%d path=app%d", i, i)))
	}
	for i := range n {
		fmt.Fprintf(&b, `-- app%[1]d/all.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app%[1]d, namespace: ns%[2]d}
spec: {interval: 1h, chart: {spec: {chart: chart%[1]d, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}}, values: {existingSecret: gone%[1]d}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: app%[1]d, namespace: ns%[2]d}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: op}, target: {name: app%[1]d-secret}, dataFrom: [{extract: {key: app%[1]d}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app%[1]d, namespace: ns%[2]d}
spec: {template: {metadata: {labels: {app: app%[1]d}}, spec: {containers: [{name: a, image: "a/b:%[1]d", envFrom: [{secretRef: {name: app%[1]d-secret}}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: app%[1]d, namespace: ns%[2]d}
spec: {selector: {app: app%[1]d}, ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app%[1]d, namespace: ns%[2]d}
spec: {parentRefs: [{name: internal, namespace: network}], rules: [{backendRefs: [{name: app%[1]d, port: 80}]}]}
`, i, i%20)
	}
	return b.String()
}

// BenchmarkApps builds the graphs of larger and larger homelabs: the time must
// grow as they do.
func BenchmarkApps(b *testing.B) {
	for _, n := range []int{250, 500, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := graphOf(b, manyApps(n)).State
			b.ResetTimer()
			for b.Loop() {
				Build(s).Network().Overview()
			}
		})
	}
}
