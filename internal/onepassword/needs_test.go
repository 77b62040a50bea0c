package onepassword_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/onepassword"
)

func externalSecret(t *testing.T, spec string) *v1.ExternalSecret {
	t.Helper()
	es := &v1.ExternalSecret{}
	es.Name = "app"
	if err := yaml.UnmarshalStrict([]byte(spec), &es.Spec); err != nil {
		t.Fatal(err)
	}
	return es
}

func TestNeeds(t *testing.T) {
	vaults, err := onepassword.Parse("vault.yaml", []byte(vaultFile))
	if err != nil {
		t.Fatal(err)
	}
	known := onepassword.Known(vaults)
	text := func(kind, name, key string) (string, bool) {
		return "{{ .FROM_CONFIG }}", kind == "ConfigMap" && name == "config" && key == "app.yaml"
	}
	tests := []struct {
		name, spec string
		o          onepassword.NeedsOptions
		want       []string // item/field, with " known" where the vault has it
	}{
		{name: "nothing", spec: "{}", want: []string{}},
		{name: "data", spec: `data: [{secretKey: A, remoteRef: {key: plex, property: token}}, {secretKey: B, remoteRef: {key: plex}}]`, want: []string{"plex/password", "plex/token"}},
		{name: "metadata", spec: `data: [{secretKey: A, remoteRef: {key: plex, metadataPolicy: Fetch}}]`, want: []string{"plex/"}},
		{name: "extract by template", spec: `{target: {template: {data: {X: "{{ .B }}{{ .A }}"}}}, dataFrom: [{extract: {key: plex}}]}`, want: []string{"plex/A", "plex/B"}},
		{name: "data supplies", spec: `{target: {template: {data: {X: "{{ .A }}{{ .B }}"}}}, data: [{secretKey: A, remoteRef: {key: other, property: p}}], dataFrom: [{extract: {key: plex}}]}`, want: []string{"other/p", "plex/B"}},
		{name: "extract without template", spec: `dataFrom: [{extract: {key: plex}}]`, want: []string{"plex/"}},
		{name: "keys that workloads want", spec: `{target: {name: app-secret}, dataFrom: [{extract: {key: plex}}]}`, o: onepassword.NeedsOptions{WantKeys: map[string][]string{"app-secret": {"TOKEN"}, "other": {"NO"}}}, want: []string{"plex/TOKEN"}},
		{name: "a template makes the keys", spec: `{target: {template: {data: {TOKEN: "{{ .A }}"}}}, dataFrom: [{extract: {key: plex}}]}`, o: onepassword.NeedsOptions{WantKeys: map[string][]string{"app": {"TOKEN", "MORE"}}}, want: []string{"plex/A"}},
		{name: "a template adds to the keys", spec: `{target: {template: {mergePolicy: Merge, data: {TOKEN: "{{ .A }}"}}}, dataFrom: [{extract: {key: plex}}]}`, o: onepassword.NeedsOptions{WantKeys: map[string][]string{"app": {"TOKEN", "MORE"}}}, want: []string{"plex/A", "plex/MORE"}},
		{name: "rewrite", spec: `{target: {template: {data: {X: "{{ .unifi_USER }}{{ .A }}"}}}, dataFrom: [{extract: {key: plex}}, {extract: {key: unifi}, rewrite: [{regexp: {source: "(.*)", target: "unifi_$1"}}]}]}`, want: []string{"plex/A", "unifi/USER"}},
		{name: "no extract fits", spec: `{target: {template: {data: {X: "{{ .A }}"}}}, dataFrom: [{extract: {key: unifi}, rewrite: [{regexp: {source: "(.*)", target: "unifi_$1"}}]}]}`, want: []string{"unifi/"}},
		{name: "named after its item", spec: `{target: {template: {data: {X: "{{ .PLEX_TOKEN }}{{ .REST }}"}}}, dataFrom: [{extract: {key: sonarr}}, {extract: {key: plex}}]}`, want: []string{"plex/PLEX_TOKEN", "sonarr/REST"}},
		{name: "the longer name", spec: `{target: {template: {data: {X: "{{ .RADARR_4K_KEY }}{{ .RADARR_KEY }}"}}}, dataFrom: [{extract: {key: radarr}}, {extract: {key: radarr-4k}}]}`, want: []string{"radarr/RADARR_KEY", "radarr-4k/RADARR_4K_KEY"}},
		{name: "the longer prefix", spec: `{target: {template: {data: {X: "{{ .r_4k_KEY }}{{ .r_KEY }}"}}}, dataFrom: [{extract: {key: a}, rewrite: [{regexp: {source: "(.*)", target: "r_$1"}}]}, {extract: {key: b}, rewrite: [{regexp: {source: "(.*)", target: "r_4k_$1"}}]}]}`, want: []string{"a/KEY", "b/KEY"}},
		{name: "the vault has it", spec: `{target: {template: {data: {X: "{{ .DB_PASSWORD }}{{ .API_key }}{{ .NEW }}"}}}, dataFrom: [{extract: {key: immich}}, {extract: {key: plex}}]}`, o: onepassword.NeedsOptions{Known: known}, want: []string{"immich/API key known", "immich/DB_PASSWORD known", "plex/NEW"}},
		{name: "the vault has all items", spec: `{target: {template: {data: {X: "{{ .NEW }}"}}}, dataFrom: [{extract: {key: immich}}, {extract: {key: only here}}]}`, o: onepassword.NeedsOptions{Known: known}, want: []string{"immich/NEW", "only here/NEW"}},
		{name: "an item the vault has", spec: `dataFrom: [{extract: {key: immich}}]`, o: onepassword.NeedsOptions{Known: known}, want: []string{"immich/ known"}},
		{name: "one property", spec: `{target: {template: {data: {X: "{{ .A }}"}}}, dataFrom: [{extract: {key: plex, property: B}}, {extract: {key: plex, property: A}}]}`, want: []string{"plex/A", "plex/B"}},
		{name: "literal, metadata, config map", spec: `{target: {template: {metadata: {annotations: {x: "{{ .ANNOTATED }}"}}, templateFrom: [{literal: "k: {{ .LITERAL }}"}, {configMap: {name: config, items: [{key: app.yaml}]}}]}}, dataFrom: [{extract: {key: plex}}]}`, o: onepassword.NeedsOptions{Text: text}, want: []string{"plex/ANNOTATED", "plex/FROM_CONFIG", "plex/LITERAL"}},
		{name: "other provider", spec: `{secretStoreRef: {name: op}, data: [{secretKey: A, remoteRef: {key: plex/section/token}}]}`, o: onepassword.NeedsOptions{Provider: func(v1.SecretStoreRef) string { return "onepasswordSDK" }}, want: []string{"plex/token"}},
		{name: "the cluster's own values", spec: `{secretStoreRef: {name: here}, data: [{secretKey: A, remoteRef: {key: plex}}], dataFrom: [{extract: {key: plex}}]}`, o: onepassword.NeedsOptions{Provider: func(v1.SecretStoreRef) string { return "kubernetes" }}, want: []string{}},
		{name: "a broken template", spec: `{target: {template: {data: {X: "{{ if }}", Y: "{{ .A }}"}}}, dataFrom: [{extract: {key: plex}}]}`, want: []string{"plex/A"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := []string{}
			for _, n := range onepassword.Needs(t.Context(), externalSecret(t, tt.spec), tt.o) {
				line := n.Item + "/" + n.Field
				if n.Known {
					line += " known"
				}
				got = append(got, line)
				if !strings.HasPrefix(n.Path, "spec.data") {
					t.Errorf("%s: path %q", line, n.Path)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssumedItems(t *testing.T) {
	var assumptions domain.Assumptions
	assumer := &onepassword.Assumer{Seed: 7}
	es := externalSecret(t, `{target: {template: {data: {X: "{{ .DB_PASSWORD }}{{ .MADE_UP }}"}}}, dataFrom: [{extract: {key: immich}}], data: [{secretKey: A, remoteRef: {key: plex, property: token}}]}`)
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile), Assume: assumer.Fields, Assumptions: &assumptions})
	assumer.Want(onepassword.Needs(t.Context(), es, onepassword.NeedsOptions{Known: onepassword.Known(s.Vaults())})...)
	c := newClient(t, url, s.Token(), "Unknown vault", "Kubernetes")

	plex := item(t, c, "plex")
	if f, err := plex.Lookup("token"); err != nil || len(f.Value.Reveal()) != 32 {
		t.Errorf("plex/token: %v", err)
	}
	immich := item(t, c, "immich")
	if f, err := immich.Lookup("DB_PASSWORD"); err != nil || f.Value.Reveal() != "c4n4ry-db" {
		t.Errorf("what the vault has was made up, %v", err)
	}
	if _, err := immich.Lookup("MADE_UP"); err != nil {
		t.Error(err)
	}
	if _, err := c.Item(t.Context(), "nobody wants it", time.Now()); err == nil {
		t.Error("an item that nobody wants was made up")
	}
	want := []domain.Assumption{{Kind: domain.AssumedSecret, Subject: "immich/MADE_UP"}, {Kind: domain.AssumedSecret, Subject: "plex/token"}}
	if diff := cmp.Diff(want, assumptions.List(), cmpopts.IgnoreFields(domain.Assumption{}, "Reason")); diff != "" {
		t.Error(diff)
	}

	twin := &onepassword.Assumer{Seed: 7}
	twin.Want(onepassword.Need{Item: "plex", Field: "token"})
	f, _ := plex.Lookup("token")
	if !twin.Fields("", "plex")[0].Value.Equal(f.Value) {
		t.Error("the same seed made another value")
	}
	other := &onepassword.Assumer{Seed: 8}
	other.Want(onepassword.Need{Item: "plex", Field: "token"})
	if other.Fields("", "plex")[0].Value.Equal(f.Value) {
		t.Error("another seed made the same value")
	}
}

func item(t *testing.T, c *onepassword.Client, title string) *onepassword.Item {
	t.Helper()
	i, err := c.Item(t.Context(), title, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestPlausible makes values up for fields that templates work on, and lets
// JSON be read back.
func TestPlausible(t *testing.T) {
	tests := []struct {
		need onepassword.Need
		ok   func(string) bool
	}{
		{onepassword.Need{Field: "API_KEY"}, func(s string) bool { return len(s) == 32 }},
		{onepassword.Need{Field: "serverUrl"}, func(s string) bool { return strings.HasPrefix(s, "https://") }},
		{onepassword.Need{Field: "SMTP_PORT"}, func(s string) bool { return len(s) >= 4 && len(s) <= 5 }},
		{onepassword.Need{Field: "tls.crt"}, func(s string) bool { return strings.HasPrefix(s, "-----BEGIN CERTIFICATE-----") }},
		{onepassword.Need{Field: "tls.key"}, func(s string) bool { return strings.HasPrefix(s, "-----BEGIN PRIVATE KEY-----") }},
		{onepassword.Need{Field: "deploy-public-key"}, func(s string) bool { return strings.HasPrefix(s, "-----BEGIN PUBLIC KEY-----") }},
		{onepassword.Need{Field: "ssh_public_key"}, func(s string) bool { return strings.HasPrefix(s, "ssh-ed25519 ") }},
		{onepassword.Need{Field: "SERVICE_ACCOUNT_JSON"}, func(s string) bool { return s == "{}" }},
		{onepassword.Need{Field: "admin_email"}, func(s string) bool { return strings.Contains(s, "@") }},
		{onepassword.Need{Field: "POSTGRES_USER"}, func(s string) bool { return strings.HasPrefix(s, "user") }},
		{onepassword.Need{Field: "X", Through: []string{"b64dec"}}, func(s string) bool { return len(s) == 44 }},
		{onepassword.Need{Field: "X", Through: []string{"fromJson"}, Keys: []string{"host"}}, func(s string) bool {
			m := map[string]string{}
			return json.Unmarshal([]byte(s), &m) == nil && m["host"] == "example.invalid"
		}},
		{onepassword.Need{Field: "X", Through: []string{"filterPEM"}}, func(s string) bool { return strings.Contains(s, "BEGIN CERTIFICATE") }},
		{onepassword.Need{Field: "X", Through: []string{"atoi"}}, func(s string) bool { return len(s) >= 4 && len(s) <= 5 }},
	}
	for _, tt := range tests {
		a := &onepassword.Assumer{}
		tt.need.Item = "item"
		a.Want(tt.need)
		fields := a.Fields("", "item")
		if len(fields) != 1 || !tt.ok(fields[0].Value.Reveal()) {
			t.Errorf("%s %v: %q", tt.need.Field, tt.need.Through, fields[0].Value.Reveal())
		}
	}
}
