package edit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	file := filepath.Join(dir, "sub", "a.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o666); err != nil { // more than the umask leaves
		t.Fatal(err)
	}
	if err := WriteFile(root, "sub/a.yaml", []byte("new")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || string(data) != "new" {
		t.Errorf("it holds %q, %v", data, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o666 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if err := os.Symlink("a.yaml", filepath.Join(dir, "sub", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"sub/link.yaml": "no regular file", "sub": "no regular file", "none.yaml": "no such file", "../a.yaml": "escapes"} {
		if err := WriteFile(root, name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 2 {
		t.Errorf("files were left behind: %v, %v", entries, err)
	}
}
