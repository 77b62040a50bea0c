package oci

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/source/ocitest"
)

// tree returns the files below a folder, with a star where they may be run.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		info, errInfo := entry.Info()
		if err != nil || errInfo != nil {
			t.Fatal(err, errInfo)
		}
		name, _ := filepath.Rel(dir, path)
		if info.Mode()&0o100 != 0 {
			name += "*"
		}
		found[filepath.ToSlash(name)] = string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	archive := ocitest.Pack(t, []tar.Header{
		{Name: "a.yaml", Typeflag: tar.TypeReg, Mode: 0o600, Size: 1},
		{Name: "./sub/", Typeflag: tar.TypeDir, Mode: 0o700},
		{Name: "./sub/deep/b.yaml", Typeflag: tar.TypeReg, Mode: 0o755, Size: 1},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: "again", Typeflag: tar.TypeLink, Linkname: "a.yaml"},
		{Name: "pipe", Typeflag: tar.TypeFifo},
	}, map[string]string{"a.yaml": "a", "./sub/deep/b.yaml": "b"})
	if err := Unpack(t.Context(), bytes.NewReader(archive), dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a.yaml": "a", "sub/deep/b.yaml*": "b"}, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestUnpackRefuses(t *testing.T) {
	file := func(name string) []tar.Header { return []tar.Header{{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}} }
	// A link that leads out, and a file that would be written through it.
	through := []tar.Header{{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "../../"}, {Name: "out/escape", Typeflag: tar.TypeReg, Mode: 0o644}}
	var many, links []tar.Header
	for i := range 20 {
		many = append(many, tar.Header{Name: strings.Repeat("x", i+1), Typeflag: tar.TypeReg, Mode: 0o644})
		links = append(links, tar.Header{Name: strings.Repeat("l", i+1), Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("l", i+2)})
	}
	whole := ocitest.TarGz(t, map[string]string{"a": strings.Repeat("a", 5000)})
	for name, test := range map[string]struct {
		archive []byte
		says    string
	}{
		"a path that leaves it":     {ocitest.Pack(t, file("../escape"), nil), "leaves it"},
		"a path that comes back":    {ocitest.Pack(t, file("a/../../escape"), nil), "leaves it"},
		"an absolute path":          {ocitest.Pack(t, file("/etc/escape"), nil), "leaves it"},
		"a path with a backslash":   {ocitest.Pack(t, file(`..\escape`), nil), "leaves it"},
		"a folder that leaves it":   {ocitest.Pack(t, []tar.Header{{Name: "../out/", Typeflag: tar.TypeDir}}, nil), "leaves it"},
		"too deep a path":           {ocitest.Pack(t, file(strings.Repeat("d/", 20)+"f"), nil), "deeper"},
		"too many files":            {ocitest.Pack(t, many, nil), "more than 10 entries"},
		"a bomb of links":           {ocitest.Pack(t, links, nil), "more than 10 entries"},
		"a bomb of zeros":           {ocitest.TarGz(t, map[string]string{"a": strings.Repeat("\x00", 2<<20)}), "1 MiB"},
		"several that are too much": {ocitest.TarGz(t, map[string]string{"a": strings.Repeat("\x00", 1<<19), "b": strings.Repeat("\x00", 1<<20)}), "1 MiB"},
		"what is cut":               {whole[:len(whole)-20], "unexpected EOF"},
		"what is no archive":        {[]byte("plain"), "no tar.gz"},
		"nothing":                   {nil, "no tar.gz"},
	} {
		dir := t.TempDir()
		err := bounds{files: 10, bytes: 1 << 20, depth: 10}.unpack(t.Context(), bytes.NewReader(test.archive), dir)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	outside := t.TempDir()
	inside := filepath.Join(outside, "a", "b")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Unpack(t.Context(), bytes.NewReader(ocitest.Pack(t, through, nil)), inside); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a/b/out/escape": ""}, tree(t, outside)); diff != "" {
		t.Error(diff)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(ocitest.TarGz(f, map[string]string{"a/b": "c"}))
	f.Fuzz(func(t *testing.T, content []byte) {
		outside := t.TempDir()
		inside := filepath.Join(outside, "inside")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = bounds{files: 100, bytes: 1 << 20, depth: 10}.unpack(t.Context(), bytes.NewReader(content), inside)
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) != 1 {
			t.Errorf("unpacking wrote outside: %v %v", entries, err)
		}
	})
}
