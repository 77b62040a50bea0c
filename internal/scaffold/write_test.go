package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteIsAllOrNothing(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("apps/kustomization.yaml", "resources: [a] # changed meanwhile\n")
	plan := &Plan{
		Created: []File{{Path: "apps/media/web/install.yaml", After: []byte("x")}},
		Changed: []File{{Path: "apps/kustomization.yaml", Before: []byte("resources: [a]\n"), After: []byte("resources: [a, b]\n")}},
	}
	if err := plan.Write(root); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "apps/media")); !os.IsNotExist(err) {
		t.Errorf("apps/media was left behind: %v", err)
	}
	write("apps/kustomization.yaml", "resources: [a]\n")
	if err := plan.Write(root); err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(root); err == nil {
		t.Error("a plan overwrites what it has written before")
	}
}

func TestWriteStaysInTheRepository(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(root, "apps")); err != nil {
		t.Fatal(err)
	}
	plan := &Plan{Created: []File{{Path: "apps/web/install.yaml", After: []byte("x")}}}
	if err := plan.Write(root); err == nil {
		t.Error("a link led out of the repository")
	}
	left, err := os.ReadDir(outside)
	if err != nil || len(left) > 0 {
		t.Errorf("%v was written outside of the repository (%v)", left, err)
	}
}
