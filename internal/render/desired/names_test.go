package desired

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const unnamed = `
-- .hearth.yaml --
clusters:
  main: {path: kubernetes/main, entry: {path: kubernetes/main/apps}}
-- kubernetes/main/apps/more.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: more, namespace: flux-system}
spec:
  interval: 1h
  path: ./kubernetes/main/more
  postBuild:
    substitute: {KNOWN: told}
    substituteFrom: [{kind: Secret, name: vars}, {kind: Secret, name: nowhere}]
  sourceRef: {kind: GitRepository, name: flux-system}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: vars, namespace: flux-system}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: vault}
  data: [{secretKey: SECRET_DOMAIN, remoteRef: {key: dns}}]
-- kubernetes/main/more/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: more, namespace: web}
data:
  a: ${KNOWN} ${DEFAULT:=too}
  b: https://www.${SECRET_DOMAIN}/${Mixed_Case}
  c: unknown-to-all.invalid
`

func TestNamedShowsVariables(t *testing.T) {
	s := open(t, unnamed)
	o := s.Find("", "ConfigMap", "web", "more")
	if o == nil {
		t.Fatal("the ConfigMap is not built")
	}
	got, _, _ := unstructured.NestedStringMap(s.Named(o).Object, "data")
	for key, want := range map[string]string{
		"a": "told too", "b": "https://www.${SECRET_DOMAIN}/${Mixed_Case}", "c": "unknown-to-all.invalid",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if before, _, _ := unstructured.NestedString(o.Object, "data", "b"); !s.Unknown(before) {
		t.Errorf("the object itself was changed: %q", before)
	}
}
