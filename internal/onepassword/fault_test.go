package onepassword_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearth/internal/onepassword"
)

// TestFaults sees the client name each fault, and go on once it is gone.
func TestFaults(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	patient, impatient := newClient(t, url, s.Token(), "Kubernetes"), impatient(t, url, s.Token(), "Kubernetes")
	for fault, want := range map[onepassword.Fault]string{
		onepassword.FaultTokenExpiry: "refuses the token",
		onepassword.FaultRateLimit:   "answered with status 429",
		onepassword.FaultDown:        "is unreachable",
		onepassword.FaultSlow:        "no answer within",
		onepassword.FaultError:       "answered with status 500",
		onepassword.FaultGarbage:     "is not the JSON of a Connect server",
	} {
		s.SetFault(fault)
		c := patient
		if fault == onepassword.FaultSlow {
			c = impatient
		}
		if _, err := c.Item(t.Context(), "immich", time.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", fault, err, want)
		}
		s.SetFault(onepassword.NoFault)
		if _, err := patient.Item(t.Context(), "immich", time.Now()); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
	if len(onepassword.Faults()) != 6 {
		t.Error("not every fault was tried")
	}
}

func TestParseFault(t *testing.T) {
	for _, fault := range append(onepassword.Faults(), onepassword.NoFault) {
		if got, err := onepassword.ParseFault(string(fault)); err != nil || got != fault {
			t.Errorf("%q: %q, %v", fault, got, err)
		}
	}
	if _, err := onepassword.ParseFault("fire"); err == nil || !strings.Contains(err.Error(), "rate-limited") {
		t.Errorf("got %v, want the faults that there are", err)
	}
}

func TestClientWrites(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	c := newClient(t, url, s.Token(), "Other", "Kubernetes")
	start := time.Now()
	made, err := c.Create(t.Context(), "", onepassword.Item{Title: "pushed", Tags: []string{"a"}, Fields: []onepassword.Field{
		{Label: "password", Value: onepassword.NewValue("c4n4ry-1")}, {Label: "user", Section: "db", Value: onepassword.NewValue("me")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if made.VaultID != "aaaaaaaaaaaaaaaaaaaaaaaaaa" || len(made.Fields) != 2 || made.Fields[1].Section != "db" || made.Version != 1 {
		t.Errorf("created in vault %s, version %d, with %d fields", made.VaultID, made.Version, len(made.Fields))
	}
	changed, err := c.Change(t.Context(), made, onepassword.Change{
		Set:    []onepassword.Field{{Label: "user", Value: onepassword.NewValue("you")}, {Label: "more", Value: onepassword.NewValue("c4n4ry-2")}},
		Remove: []string{"password", "none"}, Tags: []string{"b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is kept of before the writing is not handed out, although it would be new enough.
	read, err := c.Item(t.Context(), "pushed", start)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []*onepassword.Item{changed, read} {
		user, err := item.Lookup("db.user")
		if err != nil || user.Value.Reveal() != "you" || len(item.Fields) != 2 || item.Tags[0] != "b" || item.Version != 2 {
			t.Errorf("version %d with %d fields and tags %v, %v", item.Version, len(item.Fields), item.Tags, err)
		}
	}
	if same, err := c.Change(t.Context(), read, onepassword.Change{Set: []onepassword.Field{{Label: "user", Value: onepassword.NewValue("you")}}}); err != nil || same.Version != 2 {
		t.Errorf("a change that changes nothing: version %d, %v", same.Version, err)
	}
	twice, err := c.Item(t.Context(), "c4n4ry", time.Now())
	if err == nil {
		t.Errorf("found %s", twice.Title)
	}
	if err := c.Delete(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), read); err != nil {
		t.Errorf("an item that is gone: %v", err)
	}
	var none *onepassword.NoItemError
	if _, err := c.Item(t.Context(), "pushed", start); !errors.As(err, &none) {
		t.Errorf("after it was deleted: %v", err)
	}
}

func TestClientWriteErrors(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile), Writes: onepassword.WritesRefused})
	c := newClient(t, url, s.Token(), "Kubernetes")
	var readOnly *onepassword.ReadOnlyError
	if _, err := c.Create(t.Context(), "Other", onepassword.Item{Title: canary}); !errors.As(err, &readOnly) || strings.Contains(err.Error(), canary) {
		t.Errorf("got %v, want a *ReadOnlyError", err)
	}
	var vault *onepassword.NoVaultError
	if _, err := c.Create(t.Context(), "none", onepassword.Item{Title: "x"}); !errors.As(err, &vault) {
		t.Errorf("got %v, want a *NoVaultError", err)
	}
	item := &onepassword.Item{Title: "x", Fields: []onepassword.Field{{Label: "a", ID: "1"}, {Label: "a", ID: "2"}}}
	var ambiguous *onepassword.AmbiguousError
	if _, err := c.Change(t.Context(), item, onepassword.Change{Remove: []string{"a"}}); !errors.As(err, &ambiguous) {
		t.Errorf("got %v, want an *AmbiguousError", err)
	}
}

// TestClientCreatesOnce does not repeat what may have been done.
func TestClientCreatesOnce(t *testing.T) {
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	if err != nil {
		t.Fatal(err)
	}
	posts := 0
	url := handler(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		s.ServeHTTP(w, r)
	})
	c := newClient(t, url, s.Token(), "Kubernetes")
	if _, err := c.Create(t.Context(), "", onepassword.Item{Title: "x"}); err == nil || posts != 1 {
		t.Errorf("%d tries, %v", posts, err)
	}
}
