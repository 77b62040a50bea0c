package onepassword_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
	"hearth/internal/onepassword/sealed"
)

const commented = `# Mine.
vaults:
  - name: Kubernetes # the only one
    items:
      - title: immich
        fields:
          # rotated in May
          - label: DB_PASSWORD
            value: "c4n4ry-old"   # aligned

          - label: user
            value: me
`

func open(t *testing.T, path string) *onepassword.Document {
	t.Helper()
	d, err := onepassword.OpenDocument(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func value(text string) onepassword.Value { return onepassword.NewValue(text) }

// TestDocumentKeepsLayout changes a value and nothing else of the file.
func TestDocumentKeepsLayout(t *testing.T) {
	path := writeVault(t, commented)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	if err := d.SetField("", "immich", onepassword.Field{Label: "DB_PASSWORD", Value: value("new: #1")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Replace(commented, "c4n4ry-old", "new: #1", 1), string(data)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want what it was", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDocumentChanges(t *testing.T) {
	for name, content := range map[string]string{"block": commented, "flow": vaultFile, "empty": "vaults: [{name: Kubernetes, items: []}]\n", "no items": "vaults:\n  - name: Kubernetes\n"} {
		t.Run(name, func(t *testing.T) {
			d := open(t, writeVault(t, content))
			steps := map[string]error{
				"a field":          d.SetField("Kubernetes", "new", onepassword.Field{Label: "multi\nline", Section: "s", Type: "STRING", Value: value("c4n4ry: \"1\"\n\t#2\u2028")}),
				"one more":         d.SetField("Kubernetes", "new", onepassword.Field{Label: "number", Value: value("007")}),
				"over it":          d.SetField("Kubernetes", "new", onepassword.Field{Label: "number", Type: "URL", Value: value("null")}),
				"a file":           d.AttachFile("Kubernetes", "doc", onepassword.File{Name: "a", Content: value("\x00\xff")}),
				"another":          d.AttachFile("Kubernetes", "doc", onepassword.File{Name: "b", Content: value("text")}),
				"over the first":   d.AttachFile("Kubernetes", "doc", onepassword.File{Name: "a", Content: value("\xff")}),
				"a vault":          d.AddVault("Second: one"),
				"an item of it":    d.SetField("Second: one", "x", onepassword.Field{Label: "y", Value: value("z")}),
				"a token":          d.PutToken(onepassword.Token{Name: "t", Vaults: []string{"Kubernetes"}}),
				"in its place":     d.PutToken(onepassword.Token{Name: "t", Write: true}),
				"another token":    d.PutToken(onepassword.Token{Name: "u"}),
				"taken back":       d.RemoveToken("u"),
				"not there at all": d.RemoveToken("none"),
			}
			for step, err := range steps {
				if err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			if err := d.Save(); err != nil {
				t.Fatal(err)
			}
			content := d.Content()
			_, item, err := content.Find("", "new")
			if err != nil {
				t.Fatal(err)
			}
			multi, number := item.Fields[0], item.Fields[1]
			if multi.Label != "multi\nline" || multi.Section != "s" || multi.Value.Reveal() != "c4n4ry: \"1\"\n\t#2\u2028" || number.Value.Reveal() != "null" || number.Type != "URL" {
				t.Error("the fields are not what was set")
			}
			_, doc, err := content.Find("", "doc")
			if err != nil || len(doc.Files) != 2 || doc.Files[0].Name != "b" || doc.Files[1].Content.Reveal() != "\xff" {
				t.Errorf("%d files, %v", len(doc.Files), err)
			}
			if len(content.Tokens) != 1 || !content.Tokens[0].Write || len(content.Tokens[0].Vaults) != 0 {
				t.Errorf("tokens %v", content.Tokens)
			}
			if _, _, err := content.Find("Second: one", "x"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDocumentMerge(t *testing.T) {
	imported := func(vault, title string, fields ...string) onepassword.Imported {
		item := onepassword.Item{Title: title, Category: "LOGIN"}
		for _, f := range fields {
			label, v, _ := strings.Cut(f, "=")
			item.Fields = append(item.Fields, onepassword.Field{Label: label, Type: "CONCEALED", Value: value(v)})
		}
		return onepassword.Imported{Vault: vault, Item: item}
	}
	items := []onepassword.Imported{
		imported("", "immich", "user=me", "DB_PASSWORD=c4n4ry-new", "more=1"), imported("", "a", "b=c"), imported("", "a", "b=d"), imported("Other", "empty"),
	}
	for _, replace := range []bool{false, true} {
		d := open(t, writeVault(t, commented))
		got, err := d.Merge(items, replace)
		if err != nil {
			t.Fatal(err)
		}
		want := onepassword.Merged{Added: []string{"immich/more", "a/b", "a/b", "empty"}, Same: []string{"immich/user"}}
		changed := "c4n4ry-old"
		if replace {
			want.Changed, changed = []string{"immich/DB_PASSWORD"}, "c4n4ry-new"
		} else {
			want.Kept = []string{"immich/DB_PASSWORD"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		_, item, err := d.Content().Find("Kubernetes", "immich")
		if err != nil || item.Fields[0].Value.Reveal() != changed || len(item.Fields) != 3 {
			t.Errorf("replace %v: %d fields, %v", replace, len(item.Fields), err)
		}
		if _, _, err := d.Content().Find("Other", "empty"); err != nil {
			t.Error(err)
		}
	}
}

func TestDocumentErrors(t *testing.T) {
	path := writeVault(t, vaultFile)
	d := open(t, path)
	for want, err := range map[string]error{
		"attach it as a file":             d.SetField("Other", "x", onepassword.Field{Label: "y", Value: value("\xff" + canary)}),
		"there are 2 vaults: choose one":  d.SetField("", "x", onepassword.Field{Label: "y"}),
		`there is no vault "none": choos`: d.SetField("none", "x", onepassword.Field{Label: "y"}),
		`there are 2 items "twice": name`: d.SetField("Kubernetes", "twice", onepassword.Field{Label: "a"}),
		`there are 2 items "immich"`:      d.SetField("", "immich", onepassword.Field{Label: "a"}),
		"has no field none":               d.RemoveField("Other", "immich", "none", ""),
		`has no file "none"`:              d.RemoveFile(d.Content().Vaults[0].ID, d.Content().Vaults[0].Items[3].ID, "none"),
		"has no such item":                d.RemoveItem(d.Content().Vaults[0].ID, "none"),
		"has no such vault":               d.RemoveItem("none", "none"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := d.SetField("Other", "immich", onepassword.Field{Label: "username", Value: value("mine")}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(commented), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); !errors.Is(err, onepassword.ErrChangedMeanwhile) {
		t.Errorf("got %v, want ErrChangedMeanwhile", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != commented {
		t.Errorf("somebody else's file was written over: %v", err)
	}
}

// TestDocumentAnchors refuses what would change more than it says.
func TestDocumentAnchors(t *testing.T) {
	d := open(t, writeVault(t, "vaults:\n  - name: v\n    items:\n      - title: a\n        fields:\n          - label: x\n            value: &v c4n4ry\n"))
	err := d.SetField("", "a", onepassword.Field{Label: "x", Value: value("new")})
	if err != nil && (strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "hearth vault edit")) {
		t.Errorf("got %v", err)
	}
	if _, item, _ := d.Content().Find("", "a"); err == nil && item.Fields[0].Value.Reveal() != "new" {
		t.Error("the value was not set, and nothing said so")
	}
}

// TestDocumentLocksNobodyOut does not write a file that its owner could not
// open again.
func TestDocumentLocksNobodyOut(t *testing.T) {
	path, identity := sealedVault(t, vaultFile)
	other, _, err := sealed.EnsureIdentity(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := onepassword.OpenDocument(path, identity)
	if err != nil {
		t.Fatal(err)
	}
	own := d.Content().Recipients[0]
	if err := d.SetText([]byte(strings.Replace(string(d.Text()), own, other[0], 1))); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); err == nil || !strings.Contains(err.Error(), "could never open it again") {
		t.Errorf("got %v", err)
	}
	both := own + ", " + other[0]
	if err := d.SetText([]byte(strings.Replace(string(d.Text()), other[0], both, 1))); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	content, err := onepassword.Load(path, identity)
	if err != nil || !slices.Equal(content.Recipients, []string{own, other[0]}) {
		t.Errorf("recipients %v, %v", content.Recipients, err)
	}
}

// TestDocumentShowsNothing prints a document in every way.
func TestDocumentShowsNothing(t *testing.T) {
	d := open(t, writeVault(t, vaultFile))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if out := fmt.Sprintf(verb, d); strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) || !strings.Contains(out, "vault.yaml") {
			t.Errorf("%s shows %.60s", verb, out)
		}
	}
}

// TestIdsStay sees the ids of items survive that others come and go.
func TestIdsStay(t *testing.T) {
	d := open(t, writeVault(t, vaultFile))
	_, before, err := d.Content().Find("", "kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	v := d.Content().Vaults[0]
	if err := d.RemoveItem(v.ID, v.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	_, after, err := d.Content().Find("", "kubeconfig")
	if err != nil || before.ID != after.ID {
		t.Errorf("id %s became %s, %v", before.ID, after.ID, err)
	}
	after.Title = "renamed"
	if err := d.PutItem(v.ID, after); err != nil {
		t.Fatal(err)
	}
	if _, renamed, err := d.Content().Find("", "renamed"); err != nil || renamed.ID != before.ID {
		t.Errorf("id %s became %s by a new title, %v", before.ID, renamed.ID, err)
	}
}

// FuzzDocumentValues writes values of all kinds, new and over others, and
// reads them back.
func FuzzDocumentValues(f *testing.F) {
	for _, v := range []string{
		"a\nb", "x\u2028", "\t#2", "\x01", " lead\n  x\n", "null", "a\u0085b", "\ufeffx", "\r\n", "-----BEGIN x-----\nabc==\n", "\n\n", "a: b\n# c\n", "- x", "\x7f", "*a", "",
	} {
		f.Add(v, "label")
		f.Add("value", "x"+v)
	}
	f.Fuzz(func(t *testing.T, v, label string) {
		if !utf8.ValidString(v) || !utf8.ValidString(label) || label == "" {
			t.Skip()
		}
		d, err := onepassword.NewDocument("vault.yaml", "", false, []byte("vaults:\n  - name: v\n    items: []\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{v, "between", v} {
			if err := d.SetField("", "item", onepassword.Field{Label: label, Value: value(v)}); err != nil {
				t.Fatal(err)
			}
			if item := d.Content().Vaults[0].Items[0]; len(item.Fields) != 1 || item.Fields[0].Label != label || item.Fields[0].Value.Reveal() != v {
				t.Fatalf("%q was not read back as it was written", v)
			}
		}
	})
}
