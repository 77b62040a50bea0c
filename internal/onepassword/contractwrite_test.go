package onepassword_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/1Password/connect-sdk-go/connect"
	sdk "github.com/1Password/connect-sdk-go/onepassword"
	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
	"hearth/internal/onepassword/sealed"
)

// sealedVault writes the tests' vault file encrypted, and returns its path and
// that of the identity that opens it.
func sealedVault(t *testing.T, text string) (path, identity string) {
	t.Helper()
	identity = filepath.Join(t.TempDir(), "vault.key")
	recipients, _, err := sealed.EnsureIdentity(identity)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "vault.age")
	d, err := onepassword.NewDocument(path, identity, true, []byte(text+"recipients: ["+recipients[0]+"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	return path, identity
}

// TestContractWrites holds writing against the SDK, for all that a server
// may do with what is written.
func TestContractWrites(t *testing.T) {
	encrypted, identity := sealedVault(t, vaultFile)
	for name, o := range map[string]onepassword.ServerOptions{
		"kept in memory":        {File: writeVault(t, vaultFile)},
		"saved to a file":       {File: writeVault(t, vaultFile), Writes: onepassword.WritesSaved},
		"saved to a sealed one": {File: encrypted, Identity: identity, Writes: onepassword.WritesSaved},
	} {
		t.Run(name, func(t *testing.T) {
			client, s := official(t, o)
			testWrites(t, client)
			if err := s.Reload(); err != nil {
				t.Fatal(err)
			}
			item, err := client.GetItem("pushed", "Other")
			if err != nil || item.GetValue("password") != "c4n4ry-new" || item.GetValue("db.user") != "me" || item.Version != 2 {
				t.Errorf("after Reload: %v", err)
			}
			if _, err := client.GetItem("only here", "Other"); err == nil {
				t.Error("after Reload the deleted item is back")
			}
			data, err := os.ReadFile(o.File)
			if err != nil {
				t.Fatal(err)
			}
			if saved := strings.Contains(string(data), "c4n4ry-new"); saved != (name == "saved to a file") {
				t.Errorf("the value stands in the file: %v", saved)
			}
		})
	}
}

func testWrites(t *testing.T, client connect.Client) {
	t.Helper()
	other, err := client.GetVaultByTitle("Other")
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.CreateItem(&sdk.Item{
		Title: "pushed", Category: sdk.Server, Vault: sdk.ItemVault{ID: other.ID}, Tags: []string{"a"}, URLs: []sdk.ItemURL{{URL: "https://example.com", Primary: true}},
		Sections: []*sdk.ItemSection{{ID: "s1", Label: "db"}},
		Fields: []*sdk.ItemField{
			{Label: "password", Type: sdk.FieldTypeConcealed, Value: "c4n4ry-old"},
			{Label: "user", Type: sdk.FieldTypeString, Value: "me", Section: &sdk.ItemSection{ID: "s1"}},
			{Label: "made", Generate: true, Recipe: &sdk.GeneratorRecipe{Length: 12, CharacterSets: []string{"DIGITS"}}},
		},
	}, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	if made.ID == "" || made.Version != 1 || made.Category != sdk.Server || made.GetValue("db.user") != "me" || len(made.GetValue("made")) != 12 || len(made.URLs) != 1 {
		t.Errorf("created version %d with %d fields and %d URLs", made.Version, len(made.Fields), len(made.URLs))
	}
	made.Fields[0].Value = "c4n4ry-new"
	updated, err := client.UpdateItem(made, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	if updated.ID != made.ID || updated.Version != 2 || updated.GetValue("password") != "c4n4ry-new" || cmp.Diff(made.Tags, updated.Tags) != "" {
		t.Errorf("updated to version %d", updated.Version)
	}
	if err := client.DeleteItemByTitle("only here", "Other"); err != nil {
		t.Fatal(err)
	}
	if err := client.DeleteItemByID("bbbbbbbbbbbbbbbbbbbbbbbbbb", "Other"); err == nil {
		t.Error("an item that is gone was deleted")
	}
	var answered *sdk.Error
	for want, item := range map[string]*sdk.Item{
		"Invalid item category":   {Title: "x", Category: "NONE", Vault: sdk.ItemVault{ID: other.ID}},
		"The item needs a title":  {Category: sdk.Login, Vault: sdk.ItemVault{ID: other.ID}},
		"is not the one it is se": {Title: "x", Category: sdk.Login},
		"Invalid field type":      {Title: "x", Category: sdk.Login, Vault: sdk.ItemVault{ID: other.ID}, Fields: []*sdk.ItemField{{Label: "c4n4ry", Type: "c4n4ry"}}},
		"LETTERS, DIGITS or SYMB": {Title: "x", Category: sdk.Login, Vault: sdk.ItemVault{ID: other.ID}, Fields: []*sdk.ItemField{{Label: "a", Generate: true, Recipe: &sdk.GeneratorRecipe{CharacterSets: []string{"c4n4ry"}}}}},
	} {
		_, err := client.CreateItem(item, other.ID)
		if !errors.As(err, &answered) || answered.StatusCode != http.StatusBadRequest || !strings.Contains(answered.Message, want) || strings.Contains(answered.Message, canary) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestContractTokens sees each token reach what the vault file says, and no more.
func TestContractTokens(t *testing.T) {
	token := func(name, more string) string {
		return fmt.Sprintf("  - {name: %s, sha256: %x%s}\n", name, sha256.Sum256([]byte(canary+name)), more)
	}
	file := vaultFile + "tokens:\n" + token("one", ", vaults: [Other]") + token("writer", ", vaults: [aaaaaaaaaaaaaaaaaaaaaaaaaa], write: true") +
		token("all", "") + token("ended", ", expires: 2020-01-01T00:00:00Z") + token("lasting", ", expires: 2220-01-01T00:00:00Z")
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, file)})
	kubernetes := s.Vaults()[0]
	names := func(token string) string {
		vaults, err := connect.NewClient(url, canary+token).GetVaults()
		if err != nil {
			return err.Error()
		}
		var names []string
		for _, v := range vaults {
			names = append(names, v.Name)
		}
		return strings.Join(names, " ")
	}
	for token, want := range map[string]string{
		"one": "Other", "writer": "Other", "all": "Kubernetes Other", "lasting": "Kubernetes Other",
		"ended": "status 401: Invalid bearer token", "none": "status 401: Invalid bearer token",
	} {
		if got := names(token); got != want {
			t.Errorf("%s: got %q, want %q", token, got, want)
		}
	}
	one, writer := connect.NewClient(url, canary+"one"), connect.NewClient(url, canary+"writer")
	for name, call := range map[string]func() error{
		"another vault":             func() error { _, err := one.GetVaultByUUID(kubernetes.ID); return err },
		"its items":                 func() error { _, err := one.GetItems(kubernetes.ID); return err },
		"its item":                  func() error { _, err := one.GetItemByUUID(kubernetes.Items[0].ID, kubernetes.ID); return err },
		"writing without the right": func() error { return one.DeleteItemByID("bbbbbbbbbbbbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaaaaaaaaaaaa") },
		"writing elsewhere":         func() error { return writer.DeleteItemByID(kubernetes.Items[0].ID, kubernetes.ID) },
	} {
		var answered *sdk.Error
		if err := call(); !errors.As(err, &answered) || answered.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got %v, want status 403", name, err)
		}
	}
	if err := writer.DeleteItemByID("bbbbbbbbbbbbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaaaaaaaaaaaa"); err != nil {
		t.Error(err)
	}
}

// TestContractOneTimePasswords sees fields of the type OTP answered with their code.
func TestContractOneTimePasswords(t *testing.T) {
	client, s := official(t, onepassword.ServerOptions{File: writeVault(t, `
vaults:
  - name: Kubernetes
    items:
      - title: login
        fields:
          - {label: one-time password, type: OTP, value: "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=3600"}
          - {label: damaged, type: OTP, value: "c4n4ry!"}
`)})
	item, err := client.GetItem("login", "Kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	code := item.Fields[0].TOTP
	if len(code) != 6 || item.Fields[1].TOTP != "" || !strings.HasPrefix(item.Fields[0].Value, "otpauth://") {
		t.Errorf("codes of %d and %d digits", len(code), len(item.Fields[1].TOTP))
	}
	read, err := newClient(t, listening(t, s), s.Token(), "Kubernetes").Item(t.Context(), "login", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, attribute := range []string{"otp", "totp"} {
		if f, err := read.Lookup("one-time password?attribute=" + attribute); err != nil || len(f.Value.Reveal()) != 6 {
			t.Errorf("%s: %v", attribute, err)
		}
	}
	local := s.Vaults()[0].Items[0]
	if f, err := local.Lookup("one-time password?attribute=otp"); err != nil || len(f.Value.Reveal()) != 6 {
		t.Errorf("computed here: %v", err)
	}
	var none *onepassword.OneTimePasswordError
	if _, err := read.Lookup("damaged?attribute=otp"); !errors.As(err, &none) || strings.Contains(err.Error(), canary) {
		t.Errorf("a damaged one: %v", err)
	}
	if _, err := read.Lookup("none?attribute=otp"); err == nil || !strings.Contains(err.Error(), "has no field none") {
		t.Errorf("no such field: %v", err)
	}
}
