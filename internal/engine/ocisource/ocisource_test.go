package ocisource

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
)

// layer packs entries the way they are given.
func layer(t testing.TB, entries ...tar.Header) string {
	t.Helper()
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	archive := tar.NewWriter(zip)
	for _, header := range entries {
		content := []byte("content")
		if header.Typeflag == 0 {
			header.Typeflag, header.Size, header.Mode = tar.TypeReg, int64(len(content)), 0o644
		}
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := archive.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "layer.tgz")
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	err := unpack(t.Context(), layer(t,
		tar.Header{Name: "a.yaml"},
		tar.Header{Name: "./sub/dir/b.yaml"},
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
	), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{"a.yaml": true, "sub/dir/b.yaml": true, "link": false} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	for name, path := range map[string]string{
		"a path that leaves it": layer(t, tar.Header{Name: "../escape"}),
		"an absolute path":      layer(t, tar.Header{Name: "/etc/escape"}),
	} {
		if err := unpack(t.Context(), path, t.TempDir()); err == nil || !strings.Contains(err.Error(), "leaves it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unpack(t.Context(), plain, t.TempDir()); err == nil {
		t.Error("a plain file was unpacked")
	}
}

func TestIgnore(t *testing.T) {
	patterns := "*.md\n!README.md\n/docs/\n"
	leaveOut := ignore(&sourcev1.OCIRepository{Spec: sourcev1.OCIRepositorySpec{Ignore: &patterns}})
	for path, want := range map[string]bool{"a.md": true, "README.md": false, "sub/a.md": true, "a.yaml": false} {
		if got := leaveOut(path, false); got != want {
			t.Errorf("%s left out: %t", path, got)
		}
	}
	if !leaveOut("docs", true) {
		t.Error("the folder docs is kept")
	}
	if ignore(&sourcev1.OCIRepository{}) != nil {
		t.Error("something is left out although nothing says so")
	}
}

func TestDockerLogins(t *testing.T) {
	logins, err := dockerLogins([]byte(`{"auths":{
		"ghcr.io":{"username":"me","password":"secret"},
		"https://index.docker.io/v1/":{"auth":"dTpw"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for registry, want := range map[string]string{"ghcr.io": "me:secret", "docker.io": "u:p", "quay.io": ":"} {
		if got := logins[registry].Username + ":" + logins[registry].Password; got != want {
			t.Errorf("%s: %q, want %q", registry, got, want)
		}
	}
}

func FuzzDockerLogins(f *testing.F) {
	f.Add([]byte(`{"auths":{"x":{"auth":"dTpw"}}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if logins, err := dockerLogins(content); err != nil && logins != nil {
			t.Error("logins beside an error")
		}
	})
}

func FuzzUnpack(f *testing.F) {
	content, err := os.ReadFile(layer(f, tar.Header{Name: "a/b"}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		outside := t.TempDir()
		path := filepath.Join(outside, "layer.tgz")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		inside := filepath.Join(outside, "inside")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = unpack(t.Context(), path, inside)
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) != 2 {
			t.Errorf("unpacking wrote outside: %v %v", entries, err)
		}
	})
}
