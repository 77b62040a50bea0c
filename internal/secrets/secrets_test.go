package secrets_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
	"hearth/internal/secrets"
)

func needLines(needs []secrets.Need) []string {
	var lines []string
	for _, n := range needs {
		lines = append(lines, fmt.Sprintf("%s/%s/%s %s %s", strings.Join(n.Store.Vaults, ","), n.Item, n.What(), n.Who(), n.Place))
	}
	return lines
}

func TestNeeds(t *testing.T) {
	s, err := secrets.Look(t.Context(), build(t, lab), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`Elsewhere/talos/machine.key  main/bootstrap/secret.yaml.j2:3`,
		`Kubernetes//find name like "^SMTP_", tags mail ExternalSecret a/find main/find.yaml:10`,
		`Kubernetes/api/TOKEN ExternalSecret a/data main/data.yaml:8`,
		`Kubernetes/api/file/ca.pem ExternalSecret a/data main/data.yaml:10`,
		`Kubernetes/connect/token  main/bootstrap/secret.yaml.j2:2`,
		`Kubernetes/db/PASSWORD ExternalSecret a/extract main/extract.yaml:11`,
		`Kubernetes/whole/KEY ExternalSecret b/whole main/whole.yaml:7`,
	}
	if diff := cmp.Diff(want, needLines(s.Needs)); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}

// TestNeedsOfRelatives reads what is not an ExternalSecret of Connect alone.
func TestNeedsOfRelatives(t *testing.T) {
	state := build(t, `
-- .hearth.yaml --
clusters:
  main: {path: main, entry: {path: main}}
-- main/store.yaml --
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: sdk, namespace: a}
spec: {provider: {onepasswordSDK: {vault: Homelab}}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: copies, namespace: a}
spec: {provider: {kubernetes: {remoteNamespace: b}}}
-- main/cluster.yaml --
apiVersion: external-secrets.io/v1
kind: ClusterExternalSecret
metadata: {name: everywhere}
spec:
  externalSecretSpec:
    secretStoreRef: {kind: ClusterSecretStore, name: unknown}
    target: {template: {data: {a: "{{ .USER }}"}}}
    dataFrom: [{extract: {key: shared}}]
-- main/sdk.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: sdk, namespace: a}
spec:
  secretStoreRef: {name: sdk}
  refreshInterval: often
  data:
    - secretKey: a
      remoteRef: {key: op://Homelab/router/admin/password}
    - secretKey: b
      remoteRef: {key: somewhere}
      sourceRef: {storeRef: {name: copies}}
-- main/configmap.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: templates, namespace: a}
data:
  app.conf: |
    first
    {{ .LATER }}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: elsewhere, namespace: a}
spec:
  secretStoreRef: {name: sdk}
  target:
    template:
      templateFrom:
        - configMap: {name: templates, items: [{key: app.conf}]}
        - literal: "x: {{ .INLINE }}"
  dataFrom: [{extract: {key: app}}]
`)
	want := []string{
		`/shared/USER ClusterExternalSecret everywhere main/cluster.yaml:7`,
		`Homelab/app/INLINE ExternalSecret a/elsewhere main/configmap.yaml:18`,
		`Homelab/app/LATER ExternalSecret a/elsewhere main/configmap.yaml:7`,
		`Homelab/router/password ExternalSecret a/sdk main/sdk.yaml:9`,
	}
	if diff := cmp.Diff(want, needLines(secrets.Of(t.Context(), state, nil))); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}

func problemLines(problems []secrets.Problem) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, fmt.Sprintf("%s %s %s", p.Fault, p.Place, p.Sentence()))
	}
	return lines
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name   string
		change []string // in the vault file: what to replace, and by what
		want   []string
	}{
		{"all there", nil, nil},
		{"a misspelt field", []string{"label: TOKEN", "label: TOKE"}, []string{
			`no-field main/data.yaml:8 ExternalSecret a/data: 1Password item "api" has no field TOKEN (there is TOKE)`}},
		{"a misspelt field of a template", []string{"label: PASSWORD", "label: PASWORD"}, []string{
			`no-field main/extract.yaml:11 ExternalSecret a/extract: 1Password item "db" has no field PASSWORD (there is PASWORD)`}},
		{"no file", []string{"name: ca.pem", "name: other.pem"}, []string{
			`no-field main/data.yaml:10 ExternalSecret a/data: 1Password item "api" has no file "ca.pem"`}},
		{"a misspelt item", []string{"title: db", "title: dbs"}, []string{
			`no-item main/extract.yaml:13 ExternalSecret a/extract: no 1Password item "db" in vault "Kubernetes" (there is dbs)`}},
		{"the wrong vault", []string{"title: whole", "title: other", "title: bank", "title: whole"}, []string{
			`wrong-vault main/whole.yaml:7 ExternalSecret b/whole: the 1Password item "whole" is in vault "Private", which ClusterSecretStore connect does not search (it searches "Kubernetes")`}},
		{"two items", []string{"title: leftover", "title: db"}, []string{
			`ambiguous main/extract.yaml:13 ExternalSecret a/extract: there are 2 items titled "db" in vault Kubernetes`}},
		{"two fields", []string{"label: MORE", "label: KEY"}, []string{
			`ambiguous main/whole.yaml:7 ExternalSecret b/whole: the 1Password item "whole" has more than one field "KEY", so that it cannot be taken over as a whole`}},
		{"nothing found", []string{"tags: [mail]", "tags: []"}, []string{
			`no-match main/find.yaml:10 ExternalSecret a/find: no 1Password field matches what find looks for (name like "^SMTP_", tags mail)`,
			`no-match main/find.yaml:8 ExternalSecret a/find: no 1Password field that find matches (name like "^SMTP_", tags mail) is called SMTP_HOST`}},
		{"no vault", []string{"name: Kubernetes", "name: Kubernets"}, []string{
			`no-vault main/find.yaml:10 ExternalSecret a/find: there is no vault "Kubernetes", which ClusterSecretStore connect searches (there is Kubernets)`,
			`no-vault main/data.yaml:8 ExternalSecret a/data: there is no vault "Kubernetes", which ClusterSecretStore connect searches (there is Kubernets)`,
			`no-vault main/data.yaml:10 ExternalSecret a/data: there is no vault "Kubernetes", which ClusterSecretStore connect searches (there is Kubernets)`,
			`no-vault main/extract.yaml:13 ExternalSecret a/extract: there is no vault "Kubernetes", which ClusterSecretStore connect searches (there is Kubernets)`,
			`no-vault main/whole.yaml:7 ExternalSecret b/whole: there is no vault "Kubernetes", which ClusterSecretStore connect searches (there is Kubernets)`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := vault
			for i := 0; i < len(tt.change); i += 2 {
				if !strings.Contains(text, tt.change[i]) {
					t.Fatalf("the vault does not say %q", tt.change[i])
				}
				text = strings.Replace(text, tt.change[i], tt.change[i+1], 1)
			}
			got := problemLines(survey(t, lab, text).Problems())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			noCanary(t, strings.Join(got, "\n"))
		})
	}
}

func TestUnused(t *testing.T) {
	want := []secrets.Unused{
		{Vault: "Kubernetes", Item: "api", Field: "OLD"},
		{Vault: "Kubernetes", Item: "mail", Field: "OTHER"},
		{Vault: "Kubernetes", Item: "leftover"},
	}
	if diff := cmp.Diff(want, survey(t, lab, vault).Unused()); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

// TestSkeleton fills the skeleton's blanks by leaving them empty: names are
// all that is judged.
func TestSkeleton(t *testing.T) {
	s, err := secrets.Look(t.Context(), build(t, lab), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := secrets.Skeleton(s.Needs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, p := range survey(t, lab, string(text)).Problems() {
		if p.Search == nil {
			problems = append(problems, p.Sentence())
		}
	}
	if len(problems) > 0 {
		t.Errorf("the skeleton lacks %q:\n%s", problems, text)
	}
	if !strings.Contains(string(text), "# ExternalSecret a/extract, main/extract.yaml:11\n") {
		t.Errorf("the skeleton does not say who needs the field:\n%s", text)
	}
	rest, err := secrets.Skeleton(s.Needs, parse(t, vault))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(rest), "Kubernetes") || !strings.Contains(string(rest), "machine.key") {
		t.Errorf("with a vault that has all but one, the skeleton is\n%s", rest)
	}
	noCanary(t, string(rest))
}

// TestConnect asks a real Connect server.
func TestConnect(t *testing.T) {
	server, err := onepassword.NewServer(onepassword.ServerOptions{Vaults: parse(t, strings.Replace(vault, "label: TOKEN", "label: TOKE", 1)), Token: "c4n4ry-token"})
	if err != nil {
		t.Fatal(err)
	}
	url, _, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	state := build(t, lab)
	s, err := secrets.Look(t.Context(), state, &secrets.Source{URL: url, Token: onepassword.NewValue("c4n4ry-token")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`no-field main/data.yaml:8 ExternalSecret a/data: 1Password item "api" has no field TOKEN (there is TOKE)`}
	if diff := cmp.Diff(want, problemLines(s.Problems())); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	noCanary(t, fmt.Sprintf("%+v", s.Vaults))
	for _, v := range s.Vaults {
		for _, item := range v.Items {
			for _, f := range item.Fields {
				if f.Value.Reveal() != "" {
					t.Errorf("the value of %s/%s was kept", item.Title, f.Label)
				}
			}
		}
	}
	_, err = secrets.Look(t.Context(), state, &secrets.Source{URL: url, Token: onepassword.NewValue("wrong")})
	if err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong token: %v", err)
	}
}
