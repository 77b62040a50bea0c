package sops_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"hearth/internal/render/sops"
)

func TestBuildFile(t *testing.T) {
	b := &sops.Build{Keys: keys(t, "test.agekey")}
	for _, c := range []struct {
		name string
		env  bool
		file string
	}{
		{"settings.ini", false, "app.ini"},
		{".dockerconfigjson", false, "config.json"},
		{"token", false, "key.txt"},
		{"vars", true, "app.env"},
		{"patch.yml", false, "patch.yaml"},
	} {
		plain, err := b.File(c.name, c.env, read(t, "encrypted", c.file))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if string(plain) != string(read(t, "decrypted", c.file)) {
			t.Errorf("%s is %q", c.name, plain)
		}
		if plain, err := b.File(c.name, c.env, []byte("A=plain")); err != nil || string(plain) != "A=plain" {
			t.Errorf("%s: what is not encrypted became %q, %v", c.name, plain, err)
		}
	}
}

func TestBuildObject(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString(read(t, "encrypted", "app.env"))
	object := func(text string) []byte {
		t.Helper()
		data, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	// As kustomize leaves it: another namespace, a label, keys in their order.
	whole := object(strings.Replace(string(read(t, "encrypted", "secret.yaml")), "namespace: media", "namespace: other\n    labels: {a: b}", 1))
	var hidden []string
	b := &sops.Build{Keys: keys(t, "test.agekey"), Hide: func(values []string) { hidden = append(hidden, values...) }}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a whole object":  {whole, `"password": "plain-password-1"`},
		"an entry":        {object("{kind: Secret, data: {x.env: " + encoded + ", y: eA==, z: '***'}}"), base64.StdEncoding.EncodeToString(read(t, "decrypted", "app.env"))},
		"another kind":    {object("{kind: ConfigMap, data: {x.env: " + encoded + "}}"), encoded},
		"what opted out":  {object("{kind: Secret, metadata: {annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}}, data: {x.env: " + encoded + "}}"), encoded},
		"a large number":  {object("{kind: Secret, n: 9007199254740993, data: {y: eA==}}"), "9007199254740993"},
		"entries of a no": {object("{kind: Secret, data: 5}"), `"data":5`},
	} {
		got, err := b.Object(c.data)
		if err != nil || !strings.Contains(string(got), c.want) || !json.Valid(got) {
			t.Errorf("%s became %s, %v", name, got, err)
		}
	}
	if !slices.Contains(hidden, "plain-password-1") || !slices.Contains(hidden, "of a value") {
		t.Errorf("hidden are %q", hidden)
	}
	gone := errors.New("no key")
	if _, err := (&sops.Build{Missing: gone}).Object(whole); !errors.Is(err, gone) {
		t.Errorf("without keys it is %v", err)
	}
	_, err := (&sops.Build{Keys: keys(t, "other.agekey")}).Object(object("{kind: Secret, data: {x.env: " + encoded + "}}"))
	if err == nil || !strings.Contains(fmt.Sprint(err), "field 'x.env': none of the age identities") {
		t.Errorf("with another's key it is %v", err)
	}
}
