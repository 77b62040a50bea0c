package secrets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
	"hearth/internal/secrets"
)

// TestLock writes a lock that knows what the repository names, and nothing of
// the rest of the account.
func TestLock(t *testing.T) {
	s := survey(t, lab, vault)
	root := s.State.Repository.Root
	if changed, err := secrets.Relock(root, []*secrets.Survey{s}); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	data, err := os.ReadFile(filepath.Join(root, secrets.LockFile))
	if err != nil {
		t.Fatal(err)
	}
	want := `# The items and fields that the vaults had when they were last looked at: names
# only, no values. Written by "hearth secrets lock" and "hearth secrets verify".
version: 1
clusters:
  main:
    - vault: Kubernetes
      items:
        - item: api
          fields:
            - OLD
            - TOKEN
          files:
            - ca.pem
        - item: connect
          fields:
            - token
        - item: db
          fields:
            - PASSWORD
            - username
        - item: mail
          tags:
            - mail
          fields:
            - SMTP_HOST
        - item: whole
          fields:
            - KEY
            - MORE
`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("lock (-want +got):\n%s", diff)
	}
	if changed, err := secrets.Relock(root, []*secrets.Survey{s}); err != nil || changed {
		t.Errorf("written again: changed %v, %v", changed, err)
	}
	lock, err := secrets.ReadLock(root)
	if err != nil {
		t.Fatal(err)
	}
	offline, err := secrets.Look(t.Context(), s.State, &secrets.Source{Lock: lock.Clusters["main"]})
	if err != nil {
		t.Fatal(err)
	}
	if problems := offline.Problems(); len(problems) > 0 {
		t.Errorf("against its own lock: %v", problemLines(problems))
	}
}

// TestRelockKeepsOthers leaves clusters alone that nobody looked at.
func TestRelockKeepsOthers(t *testing.T) {
	s := survey(t, lab, vault)
	root := s.State.Repository.Root
	lock := &secrets.Lock{Clusters: map[string][]onepassword.Vault{"staging": parse(t, "vaults: [{name: S, items: [{title: kept}]}]")}}
	if _, err := lock.Write(root); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Relock(root, []*secrets.Survey{s}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, secrets.LockFile))
	if err != nil || !strings.Contains(string(data), "item: kept") || !strings.Contains(string(data), "item: db") {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestLockFormFull(t *testing.T) {
	text := `version: 1
clusters:
  main:
    - vault: Kubernetes
      id: aaaaaaaaaaaaaaaaaaaaaaaaaa
      items:
        - item: doc
          id: bbbbbbbbbbbbbbbbbbbbbbbbbb
          document: true
          fields:
            - label: a
              section: s
            - label: b
              id: x
          files:
            - f
`
	lock, err := secrets.ParseLock([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	again, err := lock.Text()
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := strings.Cut(string(again), "version"); "version"+body != text {
		t.Errorf("read and written it is\n%s", again)
	}
}

func TestLockFaults(t *testing.T) {
	for _, text := range []string{"", "version: 2", "version: 1\nclusters: []", "version: 1\nwhat: x", "a: &a [*a]", "{", "- x"} {
		if lock, err := secrets.ParseLock([]byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v", text, lock, err)
		}
	}
	root := t.TempDir()
	if lock, err := secrets.ReadLock(root); lock != nil || err != nil {
		t.Errorf("without a lock: %v, %v", lock, err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("version: 1\nclusters: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, secrets.LockFile)); err != nil {
		t.Fatal(err)
	}
	if lock, err := secrets.ReadLock(root); err == nil {
		t.Errorf("a lock outside of the repository was read: %v", lock)
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte("version: 1\nclusters: {main: [{vault: K, items: [{item: a, id: b, fields: [x, {label: y, section: z}], files: [f]}]}]}"))
	f.Add([]byte("version: 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := secrets.ParseLock(data)
		if err != nil {
			return
		}
		text, err := lock.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := secrets.ParseLock(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if second, err := again.Text(); err != nil || string(second) != string(text) {
			t.Errorf("%v: it is not the same when written again:\n%s\n%s", err, text, second)
		}
	})
}

// TestGate lets pass what the lock lists, and what is no business of the lock.
func TestGate(t *testing.T) {
	gate := secrets.NewGate(secrets.Names(parse(t, vault)))
	fields := []onepassword.Field{{Label: "TOKEN"}, {Label: "MADE_UP"}}
	labels := func(vault, item string) (got []string) {
		for _, f := range gate.Pass(vault, item, fields) {
			got = append(got, f.Label)
		}
		return got
	}
	if diff := cmp.Diff([]string{"TOKEN"}, labels("Kubernetes", "api")); diff != "" {
		t.Error(diff)
	}
	if got := append(labels("Private", "api"), labels("Kubernetes", "nothing")...); got != nil {
		t.Errorf("passed %q", got)
	}
	gate.Free("nothing")
	if diff := cmp.Diff([]string{"TOKEN", "MADE_UP"}, labels("Kubernetes", "nothing")); diff != "" {
		t.Error(diff)
	}
	if got := len(gate.Needs()); got != 11 {
		t.Errorf("%d fields are listed", got)
	}
	shell := gate.Shells()[0].Items[0]
	if len(shell.Fields) > 0 || shell.Files[0].Content.Reveal() == "" {
		t.Errorf("a shell with %d fields and an empty file", len(shell.Fields))
	}
	byID := secrets.NewGate(parse(t, "vaults: [{name: K, id: aaaaaaaaaaaaaaaaaaaaaaaaaa, items: [{title: a, fields: [{label: TOKEN}]}]}]"))
	if got := byID.Shells()[0].Name; got != "aaaaaaaaaaaaaaaaaaaaaaaaaa" || len(byID.Pass(got, "a", fields)) != 1 {
		t.Errorf("a vault that goes by its id is served as %q", got)
	}
}
