package onepassword_test

import (
	"errors"
	"os"
	"testing"

	"github.com/1Password/connect-sdk-go/connect"
	sdk "github.com/1Password/connect-sdk-go/onepassword"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"

	"hearth/internal/onepassword"
)

// official returns the official SDK's client for the test's vault file.
func official(t *testing.T, o onepassword.ServerOptions) (connect.Client, *onepassword.Server) {
	t.Helper()
	// Without a tracer of one's own the SDK starts one that sends packets.
	opentracing.SetGlobalTracer(opentracing.NoopTracer{})
	s, url := serve(t, o)
	return connect.NewClient(url, s.Token()), s
}

func TestContractVaults(t *testing.T) {
	client, _ := official(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	vaults, err := client.GetVaults()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, v := range vaults {
		names = append(names, v.Name)
		if v.Type != sdk.UserCreatedVault || v.Items == 0 || v.CreatedAt.IsZero() {
			t.Errorf("vault %s: type %s, %d items, created %s", v.Name, v.Type, v.Items, v.CreatedAt)
		}
	}
	if diff := cmp.Diff([]string{"Kubernetes", "Other"}, names); diff != "" {
		t.Error(diff)
	}
	byTitle, err := client.GetVaultByTitle("Other")
	if err != nil {
		t.Fatal(err)
	}
	byID, err := client.GetVaultByUUID("aaaaaaaaaaaaaaaaaaaaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byTitle, byID); diff != "" {
		t.Error(diff)
	}
	if _, err := client.GetVaultByTitle("none"); err == nil {
		t.Error("a vault that does not exist was found")
	}
}

func TestContractItems(t *testing.T) {
	client, _ := official(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	item, err := client.GetItemByTitle("immich", "Kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]string{
		"username": "c4n4ry-user", "DB_PASSWORD": "c4n4ry-db", "database.DB_PASSWORD": "c4n4ry-db", "API key": "0123",
	} {
		if item.GetValue(selector) != want {
			t.Errorf("the field %s has another value", selector)
		}
	}
	if diff := cmp.Diff([]string{"app", "media"}, item.Tags); diff != "" {
		t.Error(diff)
	}
	if item.Fields[0].Purpose != sdk.FieldPurposeUsername || item.Fields[2].Type != sdk.FieldTypeString || item.Category != sdk.Login {
		t.Errorf("purpose %s, type %s, category %s", item.Fields[0].Purpose, item.Fields[2].Type, item.Category)
	}
	if byID, err := client.GetItem("bbbbbbbbbbbbbbbbbbbbbbbbbb", "Other"); err != nil || byID.Title != "only here" {
		t.Errorf("by id: %v", err)
	}
	list, err := client.GetItems("Kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 4 || len(list[0].Fields) != 0 {
		t.Errorf("the list has %d items, the first with %d fields; want 4 and 0", len(list), len(list[0].Fields))
	}
	twice, err := client.GetItemsByTitle("twice", "Kubernetes")
	if err != nil || len(twice) != 2 || twice[0].ID == twice[1].ID {
		t.Errorf("two items of one title: %d, %v", len(twice), err)
	}
}

func TestContractFiles(t *testing.T) {
	client, _ := official(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	files, err := client.GetFiles("kubeconfig", "Kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || files[0].Name != "admin.conf" || files[0].Size != len("c4n4ry-file") {
		t.Fatalf("%d files", len(files))
	}
	for i, want := range []string{"c4n4ry-file", "\x00\xff"} {
		if content, err := client.GetFileContent(&files[i]); err != nil || string(content) != want {
			t.Errorf("the content of %s is another one: %v", files[i].Name, err)
		}
	}
	if one, err := client.GetFile(files[1].ID, "kubeconfig", "Kubernetes"); err != nil || one.Name != "blob" {
		t.Errorf("one file: %v", err)
	}
}

func TestContractErrors(t *testing.T) {
	client, s := official(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	_, url := serve(t, onepassword.ServerOptions{})
	readOnly, _ := official(t, onepassword.ServerOptions{File: writeVault(t, vaultFile), Writes: onepassword.WritesRefused})
	tests := map[string]struct {
		call   func() error
		status int
	}{
		"wrong token": {func() error { _, err := connect.NewClient(url, s.Token()).GetVaults(); return err }, 401},
		"no token":    {func() error { _, err := connect.NewClient(url, "").GetVaults(); return err }, 401},
		"no vault":    {func() error { _, err := client.GetVaultByUUID("zzzzzzzzzzzzzzzzzzzzzzzzzz"); return err }, 404},
		"no item":     {func() error { _, err := client.GetItemByUUID("zzzzzzzzzzzzzzzzzzzzzzzzzz", "Other"); return err }, 404},
		"no file":     {func() error { _, err := client.GetFile("zzzzzzzzzzzzzzzzzzzzzzzzzz", "only here", "Other"); return err }, 404},
		"no writing":  {func() error { return readOnly.DeleteItemByID("bbbbbbbbbbbbbbbbbbbbbbbbbb", "Other") }, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.call()
			var answered *sdk.Error
			if !errors.As(err, &answered) || answered.StatusCode != tt.status || answered.Message == "" {
				t.Errorf("got %v, want status %d with a message", err, tt.status)
			}
		})
	}
}

func TestContractReload(t *testing.T) {
	path := writeVault(t, vaultFile)
	client, s := official(t, onepassword.ServerOptions{File: path})
	if err := os.WriteFile(path, []byte("vaults: [{name: Kubernetes, items: [{title: new, fields: [{label: f, value: v}]}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if item, err := client.GetItem("new", "Kubernetes"); err != nil || item.GetValue("f") != "v" {
		t.Errorf("after Reload: %v", err)
	}
	if err := os.WriteFile(path, []byte("vaults: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil {
		t.Error("a broken file was taken")
	}
	if _, err := client.GetItem("new", "Kubernetes"); err != nil {
		t.Errorf("after a broken file the server lost what it had: %v", err)
	}
}
