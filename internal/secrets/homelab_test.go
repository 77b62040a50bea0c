package secrets_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/secrets"
)

// lab is a cluster whose store searches the vault Kubernetes, with an
// ExternalSecret of each way to ask.
const lab = `
-- .hearth.yaml --
clusters:
  main: {path: main, entry: {path: main}}
-- main/store.yaml --
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: connect}
spec:
  provider:
    onepassword: {connectHost: "http://connect", vaults: {Kubernetes: 1}}
-- main/data.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: data, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  data:
    - secretKey: token
      remoteRef: {key: api, property: TOKEN}
    - secretKey: cert
      remoteRef: {key: api, property: file/ca.pem}
-- main/extract.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: extract, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  target:
    template:
      data:
        config: |
          # nothing here
          password: {{ .db_PASSWORD }}
  dataFrom:
    - extract: {key: db}
      rewrite:
        - regexp: {source: "(.*)", target: db_$1}
-- main/find.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: find, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  target:
    template:
      data: {smtp: "{{ .SMTP_HOST }}"}
  dataFrom:
    - find: {name: {regexp: "^SMTP_"}, tags: {mail: ""}}
-- main/whole.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: whole, namespace: b}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  dataFrom:
    - extract: {key: whole}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: b}
spec:
  containers:
    - name: app
      image: example/web:1@sha256:7795db623f55cef868bb9a460f7704836a3ca077d9be6ab6894916dc26be7722
      env:
        - name: KEY
          valueFrom: {secretKeyRef: {name: whole, key: KEY}}
-- main/bootstrap/secret.yaml.j2 --
# op://Kubernetes/comment/nothing
token: op://Kubernetes/connect/token
key: op://Elsewhere/talos/machine/key
also: op://Kubernetes/${VAR}/x
-- README.md --
op://Kubernetes/readme/x
`

const canary = "c4n4ry-value"

// vault has all that the lab needs, and a little more.
const vault = `
vaults:
  - name: Kubernetes
    items:
      - title: api
        fields: [{label: TOKEN, value: c4n4ry-value}, {label: OLD, value: c4n4ry-value}]
        files: [{name: ca.pem, content: c4n4ry-value}]
      - title: db
        fields: [{label: PASSWORD, value: c4n4ry-value}, {label: username, value: c4n4ry-value}]
      - title: mail
        tags: [mail]
        fields: [{label: SMTP_HOST, value: c4n4ry-value}, {label: OTHER, value: c4n4ry-value}]
      - title: whole
        fields: [{label: KEY, value: c4n4ry-value}, {label: MORE, value: c4n4ry-value}]
      - title: connect
        fields: [{label: token, value: c4n4ry-value}]
      - title: leftover
        fields: [{label: x, value: c4n4ry-value}]
  - name: Private
    items:
      - title: bank
        fields: [{label: pin, value: c4n4ry-value}]
`

// build writes an archive to a folder and computes its cluster.
func build(t testing.TB, archive string) *desired.State {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := repo.Open(context.Background(), dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := desired.Build(t.Context(), r, r.Clusters[0], desired.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func parse(t testing.TB, text string) []onepassword.Vault {
	t.Helper()
	vaults, err := onepassword.Parse("vault.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return vaults
}

// survey looks at a vault file.
func survey(t testing.TB, archive, vault string) *secrets.Survey {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vault.yaml")
	if err := os.WriteFile(file, []byte(vault), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := secrets.Look(t.Context(), build(t, archive), &secrets.Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noCanary(t testing.TB, text string) {
	t.Helper()
	if strings.Contains(text, canary) {
		t.Error("a value got out")
	}
}
