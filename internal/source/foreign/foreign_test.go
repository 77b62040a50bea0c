package foreign

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"

	"hearth/internal/domain"
	"hearth/internal/source"
	"hearth/internal/source/guard"
)

var ref = domain.Ref{Kind: "ExternalArtifact", Namespace: "ns", Name: "theirs"}

// pack makes a tar.gz of files, as another controller would.
func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func openStore(t *testing.T) *source.Store {
	t.Helper()
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func TestFindFetchesOnce(t *testing.T) {
	packed := pack(t, map[string]string{"deploy/a.yaml": "a"})
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write(packed)
	})
	store := openStore(t)
	artifacts := New(store)
	artifact := &meta.Artifact{URL: url + "/a.tar.gz", Path: "externalartifact/ns/theirs/a.tar.gz", Digest: digestOf(packed), Revision: "1"}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dir, err := artifacts.Find(t.Context(), ref, artifact)
			if err != nil {
				t.Error(err)
				return
			}
			if content, err := os.ReadFile(filepath.Join(dir, "deploy/a.yaml")); err != nil || string(content) != "a" {
				t.Errorf("got %q, %v", content, err)
			}
		})
	}
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
	// What was removed meanwhile is fetched again.
	dir, err := artifacts.Find(t.Context(), ref, artifact)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := artifacts.Find(t.Context(), ref, artifact); err != nil || asked.Load() != 2 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestFindPrefersTheStore(t *testing.T) {
	store := openStore(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	stored, err := store.PutDir(t.Context(), dir, source.DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	artifact := store.Artifact(stored, ref)
	artifact.URL = serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	if _, err := New(store).Find(t.Context(), ref, artifact); err != nil {
		t.Error(err)
	}
	if _, err := New(store).Find(t.Context(), ref, nil); !errors.Is(err, source.ErrNotStored) {
		t.Errorf("no artifact: %v", err)
	}
}

func TestDigestsOfOtherKinds(t *testing.T) {
	packed := pack(t, map[string]string{"a": "a"})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(packed) })
	for _, digest := range []string{fmt.Sprintf("sha384:%x", sha512.Sum384(packed)), fmt.Sprintf("sha512:%x", sha512.Sum512(packed))} {
		if _, err := New(openStore(t)).Find(t.Context(), ref, &meta.Artifact{URL: url, Digest: digest}); err != nil {
			t.Error(err)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	good := pack(t, map[string]string{"a": "a"})
	escape := pack(t, map[string]string{"../a": "a"})
	absolute := pack(t, map[string]string{"/etc/a": "a"})
	content := map[string][]byte{"/good": good, "/escape": escape, "/absolute": absolute, "/plain": []byte("plain"), "/cut": good[:len(good)/2]}
	var url string
	url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case "/round":
			http.Redirect(w, r, url+"/round", http.StatusFound)
		default:
			if content[r.URL.Path] == nil {
				http.NotFound(w, r)
			}
			_, _ = w.Write(content[r.URL.Path])
		}
	})
	for name, test := range map[string]struct {
		url, digest, err string
	}{
		"another digest":     {url + "/good", digestOf(escape), "and not the one that its object names"},
		"no digest":          {url + "/good", "", "names no sha256"},
		"a weak digest":      {url + "/good", "md5:0123", "names no sha256"},
		"not there":          {url + "/gone", digestOf(good), "404 Not Found"},
		"out of its folder":  {url + "/escape", digestOf(escape), "leaves it"},
		"an absolute path":   {url + "/absolute", digestOf(absolute), "leaves it"},
		"no archive":         {url + "/plain", digestOf([]byte("plain")), "no tar.gz"},
		"a cut archive":      {url + "/cut", digestOf(good[:len(good)/2]), "unexpected EOF"},
		"the metadata":       {"http://169.254.169.254/", digestOf(good), guard.ErrRefused.Error()},
		"to the metadata":    {url + "/metadata", digestOf(good), guard.ErrRefused.Error()},
		"round and round":    {url + "/round", digestOf(good), "redirects more than 5 times"},
		"a file":             {"file:///etc/passwd", digestOf(good), "neither http nor https"},
		"secrets in its URL": {strings.Replace(url, "http://", "http://me:hunter2@", 1) + "/gone?token=hunter2", digestOf(good), "404"},
	} {
		_, err := New(openStore(t)).Find(t.Context(), ref, &meta.Artifact{URL: test.url, Digest: test.digest})
		if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
