package repo

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/manifest"
)

func TestFingerprint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	write(t, filepath.Join(dir, ".hearth.yaml"), pastLab)
	write(t, filepath.Join(dir, "main", "a.yaml"), "a: 1\n")
	write(t, filepath.Join(dir, ".gitignore"), "ignored\n")
	commitAll(t, dir)
	sum := func() [32]byte {
		t.Helper()
		f, err := FingerprintOf(t.Context(), filepath.Join(dir, "main"))
		if err != nil {
			t.Fatal(err)
		}
		if f.Root != dir || !f.Files["main/a.yaml"] {
			t.Fatalf("root %s, files %v", f.Root, f.Files)
		}
		return f.Sum
	}
	link := func(target string) func() error {
		return func() error {
			name := filepath.Join(dir, "main", "link")
			_ = os.Remove(name) // the first time there is none
			return os.Symlink(target, name)
		}
	}
	text := func(name, content string) func() error {
		return func() error {
			write(t, filepath.Join(dir, name), content)
			return nil
		}
	}
	for _, test := range []struct {
		what   string
		change func() error
		same   bool
	}{
		{"nothing", func() error { return nil }, true},
		{"content of the same size", text("main/a.yaml", "a: 2\n"), false},
		{"another file", text("notes.txt", "x"), false},
		{"a file that Git ignores", text("ignored", "x"), true},
		{"a file in a hidden folder", text(".cache/x", "x"), true},
		{"a large file", func() error {
			write(t, filepath.Join(dir, "large"), "")
			return os.Truncate(filepath.Join(dir, "large"), manifest.MaxSize+1)
		}, false},
		{"a larger one", func() error { return os.Truncate(filepath.Join(dir, "large"), manifest.MaxSize+2) }, false},
		{"a link", link("a.yaml"), false},
		{"a link that leads elsewhere", link("../notes.txt"), false},
		{"a link to a folder", link("../main"), false},
		{"a link that leads nowhere", link("gone"), false},
		{"a link that leads nowhere else", link("lost"), false},
		{"a branch", func() error {
			return os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte("ref: refs/heads/none\n"), 0o600)
		}, false},
		{"a file that is gone", func() error { return os.Remove(filepath.Join(dir, "notes.txt")) }, false},
	} {
		before := sum()
		if err := test.change(); err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		if got := sum() == before; got != test.same {
			t.Errorf("%s: the same is %v", test.what, got)
		}
	}
}
