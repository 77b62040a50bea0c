package integration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
)

const keptVault = `
vaults:
  - name: Homelab
    items:
      - {title: gone, fields: [{label: a, value: c4n4ry-1}]}
      - {title: field, fields: [{label: a, value: c4n4ry-2}]}
      - {title: twin, fields: [{label: a, value: c4n4ry-3}]}
      - {title: other, fields: [{label: a, value: c4n4ry-4}]}
      - {title: huge, fields: [{label: a, value: c4n4ry-5}]}
      - {title: yaml, fields: [{label: a, value: "k: c4n4ry-6"}]}
      - {title: key, fields: [{label: a, value: c4n4ry-7}]}
      - {title: number, fields: [{label: a, value: "7"}]}
      - {title: certificate, fields: [{label: a, value: "{}"}]}
      - {title: files, files: [{name: blob, base64: /wD+YzRuNHJ5}]}
`

// TestExternalSecretKeepsTheLastGoodSecret spoils everything in the vault that
// ExternalSecrets were made of: each says what is wrong, and no value, its
// Secret stays as it was, and all are well again once the vault is.
func TestExternalSecretKeepsTheLastGoodSecret(t *testing.T) {
	t.Parallel()
	s := startSecrets(t)
	s.vault(keptVault)
	s.connectStore(true)
	tests := map[string]struct{ spec, old, spoilt, message string }{
		"gone":  {`{dataFrom: [{extract: {key: gone}}]}`, "title: gone", "title: moved", `no item "gone" in vault(s) Homelab`},
		"field": {`{data: [{secretKey: k, remoteRef: {key: field, property: a}}]}`, "title: field, fields: [{label: a", "title: field, fields: [{label: b", `1Password item "field" has no field a`},
		"template": {`{target: {template: {data: {X: "{{ .a }}"}}}, dataFrom: [{extract: {key: field}}]}`,
			"", "", `1Password item "field" has no field a`},
		"twin": {`{dataFrom: [{extract: {key: twin}}]}`, "title: other", "title: twin", `there are 2 items titled "twin" in vault Homelab`},
		"huge": {`{dataFrom: [{extract: {key: huge}}]}`, "c4n4ry-5", strings.Repeat("c4n4ry", 350_000), "more than the 1048576 that a Secret may"},
		"yaml": {`{target: {template: {templateFrom: [{literal: "{{ .a }}"}]}}, dataFrom: [{extract: {key: yaml}}]}`,
			"k: c4n4ry-6", "c4n4ry: [", `template "templateFrom[0].literal" does not yield a YAML mapping`},
		"key": {`{target: {template: {templateFrom: [{literal: "{{ .a }}: x"}]}}, dataFrom: [{extract: {key: key}}]}`,
			"c4n4ry-7", "c4n4ry 7", `template "templateFrom[0].literal" makes a key that cannot be a key of a Secret`},
		"number": {`{target: {template: {data: {X: "{{ index (list 1 2) (sub (len .a) 1) }}"}}}, dataFrom: [{extract: {key: number}}]}`,
			`value: "7"`, "value: c4n4ry", `template "X", line 1, at {{index`},
		"json":   {`{target: {template: {data: {X: "{{ .a | mustFromJson }}"}}}, dataFrom: [{extract: {key: certificate}}]}`, `"{}"`, `"{c4n4ry"`, `template "X", line 1, at {{mustFromJson}}`},
		"file":   {`{data: [{secretKey: f, remoteRef: {key: files, property: file/blob}}]}`, "name: blob", "name: c4n4ry", `1Password item "files" has no `},
		"binary": {`{target: {template: {data: {X: "{{ .f }}"}}}, data: [{secretKey: f, remoteRef: {key: files, property: file/blob}}]}`, "", "", `1Password item "files" has no `},
	}
	all, versions, spoilt := map[string]*esv1.ExternalSecret{}, map[string]string{}, keptVault
	for name, tt := range tests {
		all[name] = s.externalSecret(name, tt.spec)
		if tt.old != "" {
			spoilt = strings.ReplaceAll(spoilt, tt.old, tt.spoilt)
		}
	}
	for name, es := range all {
		s.synced(es)
		versions[name] = s.secret(name).ResourceVersion
	}
	for name, key := range map[string]string{"file": "f", "binary": "X"} {
		if diff := cmp.Diff(map[string]string{key: "\xff\x00\xfec4n4ry"}, s.data(name)); diff != "" {
			t.Errorf("a binary file: %s", diff)
		}
	}
	s.vault(spoilt)
	s.trigger.Refresh()
	for name, es := range all {
		s.awaitReady(es, corev1.ConditionFalse, tests[name].message)
	}
	s.noValueWasTold()
	s.vault(keptVault)
	s.trigger.Refresh()
	for name, es := range all {
		s.synced(es)
		if s.secret(name).ResourceVersion != versions[name] {
			t.Errorf("%s: the Secret was touched", name)
		}
	}
}
