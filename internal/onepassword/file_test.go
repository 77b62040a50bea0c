package onepassword_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
)

func TestParse(t *testing.T) {
	vaults, err := onepassword.Parse("vault.yaml", []byte(vaultFile))
	if err != nil {
		t.Fatal(err)
	}
	item := vaults[0].Items[0]
	if !onepassword.IsID(vaults[0].ID) || !onepassword.IsID(item.ID) || vaults[1].ID != "aaaaaaaaaaaaaaaaaaaaaaaaaa" {
		t.Errorf("ids %q, %q, %q", vaults[0].ID, item.ID, vaults[1].ID)
	}
	again, err := onepassword.Parse("other.yaml", []byte(vaultFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vaults, again); diff != "" {
		t.Errorf("not the same each time: %s", diff)
	}
	want := onepassword.Field{ID: item.Fields[1].ID, Label: "DB_PASSWORD", Section: "database", Type: "CONCEALED", Value: onepassword.NewValue("c4n4ry-db")}
	if diff := cmp.Diff(want, item.Fields[1]); diff != "" {
		t.Error(diff)
	}
	if item.Fields[2].Value.Reveal() != "0123" {
		t.Error("a number did not stay as it was written")
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"no mapping", "- a", "vault.yaml:1: a mapping is expected"},
		{"unknown key", "vaults:\n- name: a\n  c4n4ry: x", "vault.yaml:3: unknown key"},
		{"unknown field key", "vaults:\n- name: a\n  items:\n  - title: b\n    fields:\n    - {label: c, c4n4ry: 1}", "vault.yaml:6: unknown key"},
		{"no name", "vaults:\n- items: []", "vault.yaml:2: a vault needs a name"},
		{"no title", "vaults:\n- name: a\n  items:\n  - fields: []", "vault.yaml:4: an item needs a title"},
		{"no label", "vaults:\n- name: a\n  items:\n  - title: b\n    fields:\n    - value: c4n4ry", "vault.yaml:6: a field needs a label"},
		{"bad id", "vaults:\n- name: a\n  id: X", "vault.yaml:2: the vault's id"},
		{"value is a list", "vaults:\n- name: a\n  items:\n  - title: b\n    fields:\n    - {label: c, value: [c4n4ry]}", "vault.yaml:6: a text is expected"},
		{"alias", "vaults:\n- name: a\n  items:\n  - title: b\n    fields:\n    - {label: &c c4n4ry, value: *c}", "vault.yaml:6: a text is expected"},
		{"unknown alias", "vaults:\n- name: a\n  items:\n  - title: b\n    fields:\n    - {label: c, value: *c4n4ry}", "is no valid YAML"},
		{"syntax", "vaults:\n- name: \"c4n4ry", "is no valid YAML"},
		{"twice", "vaults: []\nvaults: []", "vault.yaml:2: the key vaults is given twice"},
		{"base64", "vaults:\n- name: a\n  items:\n  - title: b\n    files:\n    - {name: c, base64: c4n4ry!}", "vault.yaml:6: the file's base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := onepassword.Parse("vault.yaml", []byte(tt.content))
			var fault *onepassword.FileError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %q, want %q and no value", err, tt.want)
			}
		})
	}
	if _, err := onepassword.ReadFile("testdata/none.yaml"); err == nil || !strings.Contains(err.Error(), "testdata/none.yaml") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func TestValuesShowThemselvesToNobody(t *testing.T) {
	vaults, err := onepassword.Parse("vault.yaml", []byte(vaultFile))
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ v onepassword.Value }{vaults[0].Items[0].Fields[0].Value}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, it := range []any{vaults, vaults[0], &vaults[0].Items[0], hidden, &hidden, hidden.v, &hidden.v} {
			if out := fmt.Sprintf(verb, it); strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T shows a value", verb, it)
			}
		}
	}
	if out := hidden.v.LogValue().String(); strings.Contains(out, canary) {
		t.Error("a logger sees the value")
	}
	if out, err := hidden.v.MarshalJSON(); err == nil {
		t.Errorf("encoded as %s", out)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vaultFile)
	f.Add("vaults: [{name: a, items: [{title: b, fields: [{label: c, value: *x}]}]}]")
	f.Add("? a\n: b\n")
	f.Fuzz(func(t *testing.T, content string) {
		vaults, err := onepassword.Parse("vault.yaml", []byte(content))
		var fault *onepassword.FileError
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("not a FileError: %T", err)
		}
		for _, v := range vaults {
			for _, item := range v.Items {
				if !onepassword.IsID(item.ID) || item.Title == "" {
					t.Errorf("id %q, title %q", item.ID, item.Title)
				}
			}
		}
	})
}
