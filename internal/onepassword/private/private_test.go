package private_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/internal/onepassword/private"
)

// editor returns one that is a shell script.
func editor(t *testing.T, script string) private.Editor {
	t.Helper()
	path := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return private.Editor{Command: path, Stdout: os.Stderr, Stderr: os.Stderr, Warn: func(string) {}}
}

func TestEdit(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	e := editor(t, `
d=$(dirname "$1")
echo "$d $(stat -c '%a' "$d") $(stat -c '%a' "$1") $(basename "$1")" > `+seen+`
cp "$1" "$d/.swap"
sed s/old/new/ "$d/.swap" > "$1"`)
	s, err := private.Begin(e, "some/vault.yaml", []byte("an old text\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Edit()
	if err != nil || string(text) != "an new text\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(said))
	if words[1] != "700" || words[2] != "600" || words[3] != "vault.yaml" {
		t.Errorf("folder mode %s, file mode %s, name %s", words[1], words[2], words[3])
	}
	if _, err := os.Stat(words[0]); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestEditGoesOn(t *testing.T) {
	s, err := private.Begin(editor(t, `echo more >> "$1"`), "vault.yaml", []byte("text\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.End()
	for _, want := range []string{"text\nmore\n", "text\nmore\nmore\n"} {
		if text, err := s.Edit(); err != nil || string(text) != want {
			t.Errorf("got %q, %v; want %q", text, err, want)
		}
	}
}

func TestEditorFails(t *testing.T) {
	for name, script := range map[string]string{
		"fails":            "exit 3",
		"removes the file": `rm "$1"`,
		"makes it no file": `rm "$1"; mkdir "$1"`,
	} {
		s, err := private.Begin(editor(t, script), "vault.yaml", []byte("c4n4ry"))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := s.Edit(); err == nil || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("%s: got %d bytes, %v", name, len(text), err)
		}
		if err := s.End(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEditorsAreKeptQuiet sees what known editors are told, and others are not.
func TestEditorsAreKeptQuiet(t *testing.T) {
	for program, want := range map[string]string{"vim": "noundofile", "emacs": "make-backup-files nil", "other": ""} {
		path := filepath.Join(t.TempDir(), program)
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho \"$@\""), 0o700); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s, err := private.Begin(private.Editor{Command: path + " --flag", Stdout: &out, Warn: func(string) {}}, "vault.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Edit(); err != nil {
			t.Error(err)
		}
		if err := s.End(); err != nil {
			t.Error(err)
		}
		if said := out.String(); !strings.HasPrefix(said, "--flag") || !strings.Contains(said, want) || want == "" && strings.Count(said, " ") != 1 {
			t.Errorf("%s was told %q", program, said)
		}
	}
}
