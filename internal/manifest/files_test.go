package manifest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "hunter2")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b", "x.yaml"), "x")
	write(t, filepath.Join(dir, "a.yaml"), "aa")
	write(t, filepath.Join(dir, "skipped", "y.yaml"), "y")
	link(t, filepath.Join(dir, "b", "inside"), "../a.yaml")
	link(t, filepath.Join(dir, "b", "outside"), filepath.Join(outside, "secret"))
	link(t, filepath.Join(dir, "b", "loop"), "..")
	link(t, filepath.Join(dir, "b", "nowhere"), "gone")

	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	skip := func(path string, isDir bool) bool { return path == "skipped" && isDir }
	files, problems, err := Files(t.Context(), root, ".", Limits{}, skip)
	if err != nil {
		t.Fatal(err)
	}
	want := []File{
		{Path: "a.yaml", Size: 2}, {Path: "b/inside", Size: 2, Link: true, Target: "../a.yaml"},
		{Path: "b/loop", Link: true, Folder: true, Target: ".."}, {Path: "b/x.yaml", Size: 1},
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	var broken []string
	for _, p := range problems {
		broken = append(broken, p.Place.File)
	}
	if diff := cmp.Diff([]string{"b/nowhere", "b/outside"}, broken); diff != "" {
		t.Error(diff)
	}
	if data, err := Read(root, "b/inside"); err != nil || string(data) != "aa" {
		t.Errorf("read %q, %v", data, err)
	}
	for _, name := range []string{"b/outside", "../" + filepath.Base(outside) + "/secret", "b", "gone"} {
		if data, err := Read(root, name); err == nil {
			t.Errorf("%s was read: %q", name, data)
		}
	}
}

func TestFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", "b", "c", "d"), "")
	write(t, filepath.Join(dir, "x"), "")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, _, err := Files(t.Context(), root, "", Limits{Files: 1}, nil); err == nil || !strings.Contains(err.Error(), "more than 1 files") {
		t.Errorf("got %v", err)
	}
	files, problems, err := Files(t.Context(), root, "", Limits{Depth: 2}, nil)
	if err != nil || len(files) != 1 || len(problems) != 1 || problems[0].Place.File != "a/b/c" {
		t.Errorf("got %v, %v, %v", files, problems, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Files(ctx, root, "", Limits{}, nil); err == nil {
		t.Error("a cancelled walk goes on")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, name, target string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
