package sealed_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword/sealed"
)

const canary = "c4n4ry"

func TestSealAndOpen(t *testing.T) {
	mine, other := filepath.Join(t.TempDir(), "a", "mine.key"), filepath.Join(t.TempDir(), "other.key")
	recipients, made, err := sealed.EnsureIdentity(mine)
	if err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	if info, err := os.Stat(mine); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, made, err := sealed.EnsureIdentity(mine)
	if err != nil || made || cmp.Diff(recipients, again) != "" {
		t.Errorf("the identity was not taken as it is: made %v, %v", made, err)
	}
	if _, _, err := sealed.EnsureIdentity(other); err != nil {
		t.Fatal(err)
	}
	data, err := sealed.Seal([]byte(canary), recipients)
	if err != nil {
		t.Fatal(err)
	}
	if !sealed.IsSealed(data) || bytes.Contains(data, []byte(canary)) || sealed.IsSealed([]byte("vaults: []\n")) {
		t.Error("it is not told what is sealed")
	}
	if text, err := sealed.Open(data, 100, mine); err != nil || string(text) != canary {
		t.Errorf("opened: %v", err)
	}
	for name, tt := range map[string]struct {
		data     []byte
		limit    int64
		identity string
		want     string
	}{
		"another identity": {data, 100, other, "is not encrypted for the identity in " + other},
		"no identity":      {data, 100, filepath.Join(t.TempDir(), "none"), "no such file"},
		"too large":        {data, 2, mine, "is larger than"},
		"cut off":          {data[:len(data)/2], 100, mine, "damaged"},
		"no age file":      {[]byte(canary), 100, mine, "damaged"},
	} {
		if _, err := sealed.Open(tt.data, tt.limit, tt.identity); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestBinaryAndHybrid(t *testing.T) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("# mine\n"+identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	recipients, _, err := sealed.EnsureIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sealed.CheckRecipients(recipients); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(canary)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := sealed.Open(out.Bytes(), 100, path); err != nil || string(text) != canary || !sealed.IsSealed(out.Bytes()) {
		t.Errorf("opened: %v", err)
	}
}

func TestIdentitiesAreRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, path := range map[string]string{
		"is open to every user":   write("open", canary, 0o644),
		"holds no age identit":    write("garbage", canary, 0o600),
		"is larger than":          write("large", strings.Repeat("#"+canary+"\n", 20_000), 0o600),
		"is no file":              dir,
		"the age identity " + dir: dir,
	} {
		if _, _, err := sealed.EnsureIdentity(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestRecipientsAreRefused(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for want, recipients := range map[string][]string{
		"no recipient":               nil,
		"is no age recipient":        {"age1nonsense"},
		"never give it away":         {identity.String()},
		"more than 100 recipients":   strings.Split(strings.Repeat("a,", 100), ","),
		`"" is no age recipient (ag`: {""},
	} {
		if _, err := sealed.Seal([]byte(canary), recipients); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), identity.String()) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "key")
	recipients, _, err := sealed.EnsureIdentity(path)
	if err != nil {
		f.Fatal(err)
	}
	data, err := sealed.Seal([]byte("vaults: []\n"), recipients)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("age-encryption.org/v1\n-> X25519 x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := sealed.Open(data, 1000, path); err == nil && len(text) > 1000 {
			t.Error("more than allowed")
		}
	})
}
