package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
)

func openStore(t testing.TB) *Store {
	t.Helper()
	s, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeFiles(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readFiles(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func put(t testing.TB, s *Store, dir string, o DirOptions) Artifact {
	t.Helper()
	a, err := s.PutDir(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPutDirKeepsWhatTheFolderHeld(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	files := map[string]string{"a.yaml": "a: 1\n", "sub/deep/b.yaml": "b: 2\n", "sub/copy.yaml": "a: 1\n"}
	writeFiles(t, dir, files)
	first := put(t, s, dir, DirOptions{Revision: func(digest string) string { return "main@" + digest }})
	if want := "main@" + first.Digest; first.Revision != want {
		t.Errorf("revision is %s, want %s", first.Revision, want)
	}

	writeFiles(t, dir, map[string]string{"a.yaml": "a: changed\n"})
	second := put(t, s, dir, DirOptions{})
	if first.Digest == second.Digest {
		t.Error("a changed file left the digest as it was")
	}
	for _, check := range []struct {
		digest string
		a      string
	}{{first.Digest, "a: 1\n"}, {second.Digest, "a: changed\n"}} {
		path, err := s.Dir(check.digest)
		if err != nil {
			t.Fatal(err)
		}
		files["a.yaml"] = check.a
		if diff := cmp.Diff(files, readFiles(t, path)); diff != "" {
			t.Errorf("artifact %s (-want +got):\n%s", check.digest, diff)
		}
	}

	// Unchanged files of the second artifact are the first's, not copies.
	one, _ := s.Dir(first.Digest)
	two, _ := s.Dir(second.Digest)
	a, _ := os.Stat(filepath.Join(one, "sub/deep/b.yaml"))
	b, _ := os.Stat(filepath.Join(two, "sub/deep/b.yaml"))
	if !os.SameFile(a, b) {
		t.Error("an unchanged file was copied")
	}
	if again := put(t, s, dir, DirOptions{}); again.Digest != second.Digest {
		t.Error("the same content got another digest")
	}
}

func TestPutDirCopiesWhereALinkFails(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "1", "b": "2"})
	first := put(t, s, dir, DirOptions{})
	path, _ := s.Dir(first.Digest)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"b": "3"})
	second := put(t, s, dir, DirOptions{})
	path, err := s.Dir(second.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "3"}, readFiles(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestPutDirLeavesOutWhatMustNotLeaveTheFolder(t *testing.T) {
	s, dir, outside := openStore(t), t.TempDir(), t.TempDir()
	writeFiles(t, outside, map[string]string{"secret": "x"})
	writeFiles(t, dir, map[string]string{"a": "1", "skip/b": "2"})
	for name, target := range map[string]string{"file": filepath.Join(outside, "secret"), "folder": outside, "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	a := put(t, s, dir, DirOptions{Ignore: func(rel string, isDir bool) bool { return isDir && rel == "skip" }})
	path, _ := s.Dir(a.Digest)
	if diff := cmp.Diff(map[string]string{"a": "1"}, readFiles(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestPutDirErrors(t *testing.T) {
	s := openStore(t)
	if _, err := s.PutDir(t.Context(), filepath.Join(t.TempDir(), "none"), DirOptions{}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing folder gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "1"})
	if _, err := s.PutDir(ctx, dir, DirOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
	left, err := os.ReadDir(filepath.Join(s.root, workFolder))
	if err != nil || len(left) != 0 {
		t.Errorf("%d unfinished writes stayed behind, %v", len(left), err)
	}
}

func TestPutDirConcurrently(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "1", "b/c": "2"})
	var group sync.WaitGroup
	digests := make([]string, 8)
	for i := range digests {
		group.Go(func() {
			a, err := s.PutDir(t.Context(), dir, DirOptions{})
			if err != nil {
				t.Error(err)
			}
			digests[i] = a.Digest
		})
	}
	group.Wait()
	for _, digest := range digests {
		if digest != digests[0] {
			t.Errorf("digests differ: %v", digests)
		}
	}
}

func TestPutFile(t *testing.T) {
	s := openStore(t)
	a, err := s.PutFile(t.Context(), "charts/demo-1.0.0.tgz", "1.0.0", strings.NewReader("chart"), 100)
	if err != nil {
		t.Fatal(err)
	}
	path, err := s.File(a.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(path); string(content) != "chart" || filepath.Base(path) != "demo-1.0.0.tgz" || a.Revision != "1.0.0" || a.Size != 5 {
		t.Errorf("got %q at %s, %+v", content, path, a)
	}
	if _, err := s.PutFile(t.Context(), "big", "1", strings.NewReader("too long"), 3); err == nil {
		t.Error("a file over the limit was stored")
	}
	if _, err := s.PutFile(t.Context(), "..", "1", strings.NewReader("x"), 3); err == nil {
		t.Error("a file named .. was stored")
	}
}

func TestUnknownDigests(t *testing.T) {
	s := openStore(t)
	for _, digest := range []string{"", "sha256:../../etc", "sha256:" + strings.Repeat("0", 64), "md5:0"} {
		if _, err := s.Dir(digest); !errors.Is(err, ErrNotStored) {
			t.Errorf("Dir(%q) gives %v", digest, err)
		}
		if _, err := s.File(digest); !errors.Is(err, ErrNotStored) {
			t.Errorf("File(%q) gives %v", digest, err)
		}
	}
	if _, err := s.Resolve(nil); !errors.Is(err, ErrNotStored) {
		t.Errorf("Resolve(nil) gives %v", err)
	}
}

func TestServedArtifactHasItsDigest(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	files := map[string]string{"z.yaml": "z", "a/b.yaml": "b", "a.yaml": "a", "a-c/d": "d"}
	writeFiles(t, dir, files)
	if err := os.Chmod(filepath.Join(dir, "z.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := s.Artifact(put(t, s, dir, DirOptions{}), domain.Ref{Kind: "GitRepository", Namespace: "flux-system", Name: "home"})
	if !strings.HasPrefix(a.URL, "http://127.0.0.1:") || !strings.HasSuffix(a.URL, "/gitrepository/flux-system/home/"+strings.TrimPrefix(a.Digest, "sha256:")+".tar.gz") {
		t.Errorf("URL is %s", a.URL)
	}
	body := get(t, a.URL, http.StatusOK)
	if sum := sha256.Sum256(body); "sha256:"+hex.EncodeToString(sum[:]) != a.Digest || int64(len(body)) != *a.Size {
		t.Errorf("served %d bytes with digest %x, want %d and %s", len(body), sum, *a.Size, a.Digest)
	}
	got := map[string]string{}
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(zip); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(r)
		got[header.Name] = string(content)
		if want := header.Name == "z.yaml"; (header.Mode == 0o755) != want {
			t.Errorf("%s has mode %o", header.Name, header.Mode)
		}
	}
	if diff := cmp.Diff(files, got); diff != "" {
		t.Error(diff)
	}
	get(t, s.url+"/gitrepository/flux-system/home/../../../etc/passwd", http.StatusNotFound)
	get(t, s.url+"/gitrepository/flux-system/home/"+strings.Repeat("0", 64)+".tar.gz", http.StatusNotFound)
}

func get(t *testing.T, url string, want int) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		t.Fatalf("GET %s: %s, %v", url, response.Status, err)
	}
	return body
}

func TestAbandonedWritesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenStore(dir); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"tmp/tree-old/a": "1", "tmp/tree-new/a": "1"})
	long := time.Now().Add(-2 * abandonedAfter)
	if err := os.Chtimes(filepath.Join(dir, "tmp/tree-old"), long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"tree-new/a": "1"}, readFiles(t, filepath.Join(dir, "tmp"))); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s, dir := openStore(b), b.TempDir()
	files := map[string]string{}
	for i := range 741 {
		files[fmt.Sprintf("apps/ns%d/app%d/file%d.yaml", i%20, i%100, i)] = strings.Repeat(fmt.Sprintf("line: %d\n", i), 300)
	}
	writeFiles(b, dir, files)
	tree, err := OpenWorkingTree(dir)
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i++
		writeFiles(b, dir, map[string]string{"apps/changed.yaml": fmt.Sprint(i)})
		if _, err := tree.Store(b.Context(), s, ""); err != nil {
			b.Fatal(err)
		}
	}
}
