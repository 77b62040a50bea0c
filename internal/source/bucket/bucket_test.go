package bucket

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/source/bucket/buckettest"
	"hearth/internal/source/guard"
)

// fetch lists and downloads a bucket.
func fetch(t *testing.T, remote Remote, ignore string) (Index, map[string]string, error) {
	t.Helper()
	b, err := Open(remote)
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	listing, err := b.List(t.Context(), ignore)
	if err != nil {
		return nil, nil, err
	}
	dir := t.TempDir()
	index, err := b.Download(t.Context(), listing, dir)
	if err != nil {
		return nil, nil, err
	}
	return index, files(t, dir), nil
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFetch(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{
		"apps/a.yaml": "a", "apps/deep/er/b.yaml": "b", "apps/readme.md": "md", "apps/keep.md": "keep", "apps/folder/": "",
		"c.yaml": "c", "d with space+plus.yaml": "d", "/e//f.yaml": "f", ".sourceignore": "*.md\n!keep.md\n",
	})
	server.Keys = map[string]string{"owner": "hunter2"}
	signed := Remote{Endpoint: server.Start(t), Insecure: true, Name: "home", AccessKey: "owner", SecretKey: "hunter2"}
	elsewhere := signed
	elsewhere.Region = "eu-west-1"
	apps := signed
	apps.Prefix = "apps/d"
	const rules = "*.md\n!keep.md\n"
	for name, test := range map[string]struct {
		remote Remote
		ignore string
		want   map[string]string
		err    string
	}{
		"all of it": {remote: signed, want: map[string]string{
			"apps/a.yaml": "a", "apps/deep/er/b.yaml": "b", "apps/keep.md": "keep", "c.yaml": "c",
			"d with space+plus.yaml": "d", "e/f.yaml": "f", ".sourceignore": rules,
		}},
		"a prefix":                {remote: apps, want: map[string]string{"apps/deep/er/b.yaml": "b", ".sourceignore": rules}},
		"the owner's exclude":     {remote: signed, ignore: "/*\n!/c.yaml\n", want: map[string]string{"c.yaml": "c", ".sourceignore": rules}},
		"another region":          {remote: elsewhere, err: "Access Denied"},
		"another secret":          {remote: Remote{Endpoint: signed.Endpoint, Insecure: true, Name: "home", AccessKey: "owner", SecretKey: "wrong"}, err: "failed to confirm existence of 'home' bucket"},
		"no keys":                 {remote: Remote{Endpoint: signed.Endpoint, Insecure: true, Name: "home"}, err: "failed to confirm existence of 'home' bucket"},
		"no such bucket":          {remote: Remote{Endpoint: signed.Endpoint, Insecure: true, Name: "gone", AccessKey: "owner", SecretKey: "hunter2"}, err: "bucket 'gone' not found"},
		"TLS where there is none": {remote: Remote{Endpoint: signed.Endpoint, Name: "home"}, err: "HTTP response to HTTPS client"},
		"no endpoint":             {remote: Remote{Endpoint: "a/b", Name: "home"}, err: "open the bucket 'home'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got, err := fetch(t, test.remote, test.ignore)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("got %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the secret: %v", err)
			}
			if diff := cmp.Diff(test.want, got); test.err == "" && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnonymous(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a.yaml": "a"})
	_, got, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, "")
	if diff := cmp.Diff(map[string]string{"a.yaml": "a"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestNoSuchBucketIsTold(t *testing.T) {
	if _, _, err := fetch(t, Remote{Endpoint: buckettest.New().Start(t), Insecure: true, Name: "gone"}, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestDigest holds the revision to what Flux computes: the digest of the keys
// in order, each with its tag.
func TestDigest(t *testing.T) {
	sum := sha256.Sum256([]byte("a.yaml 1\nb/c.yaml 2\n"))
	if got, want := (Index{"b/c.yaml": "2", "a.yaml": "1"}).Digest(), "sha256:"+hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	server := buckettest.New()
	server.Put("home", map[string]string{"a.yaml": "a", ".sourceignore": ""})
	index, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, "")
	if diff := cmp.Diff(Index{"a.yaml": buckettest.Tag("a")}, index); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestKeysThatAreNoPaths(t *testing.T) {
	for name, test := range map[string]struct {
		objects map[string]string
		err     string
	}{
		"out of the bucket":   {map[string]string{"../x": "x"}, "leads out of the bucket"},
		"out of it and back":  {map[string]string{"a/../../x": "x"}, "leads out of the bucket"},
		"a backslash":         {map[string]string{`..\x`: "x"}, "leads out of the bucket"},
		"only slashes":        {map[string]string{"//.": "x"}, "no file's name"},
		"twice the same file": {map[string]string{"a": "1", "/a": "2"}, "stand for the same file"},
		"a file and a folder": {map[string]string{"a": "1", "a/b": "2"}, "failed to get 'a"},
		"too long":            {map[string]string{strings.Repeat("a/", 600) + "b": "x"}, "longer than"},
	} {
		server := buckettest.New()
		server.Put("home", test.objects)
		if _, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, ""); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestObjectsThatChangeMeanwhile(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "1", "b": "1", "c": "1"})
	b, err := Open(Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	listing, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	server.Delete("home", "a")
	server.Put("home", map[string]string{"b": "2"})
	dir := t.TempDir()
	got, err := b.Download(t.Context(), listing, dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Index{"b": buckettest.Tag("2"), "c": buckettest.Tag("1")}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"b": "2", "c": "1"}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestLDAP(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "1"})
	server.Keys, server.Tokens = map[string]string{"temporary": "key"}, map[string]string{"temporary": "token"}
	directory := httptest.NewServer(buckettest.LDAP{Username: "me", Password: "hunter2", AccessKey: "temporary", SecretKey: "key", Token: "token"})
	t.Cleanup(directory.Close)
	redirect := httptest.NewServer(http.RedirectHandler(directory.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)
	for name, test := range map[string]struct {
		ldap LDAP
		ok   bool
	}{
		"the password":   {LDAP{Endpoint: directory.URL, Username: "me", Password: "hunter2"}, true},
		"another one":    {LDAP{Endpoint: directory.URL, Username: "me", Password: "wrong"}, false},
		"another server": {LDAP{Endpoint: redirect.URL, Username: "me", Password: "hunter2"}, false},
		"no server":      {LDAP{Endpoint: "directory", Username: "me", Password: "hunter2"}, false},
		"the metadata":   {LDAP{Endpoint: "http://169.254.169.254/", Username: "me", Password: "hunter2"}, false},
	} {
		_, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home", LDAP: &test.ldap}, "")
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "1"})
	for name, remote := range map[string]Remote{
		"link-local": {Endpoint: "169.254.169.254", Insecure: true, Name: "home"},
		"private":    {Endpoint: server.Start(t), Insecure: true, Name: "home", RefusePrivate: true},
	} {
		if _, _, err := fetch(t, remote, ""); !errors.Is(err, guard.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirectsAreNotFollowed shows that a server cannot send Hearth elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(other.Close)
	server := buckettest.New()
	server.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL, http.StatusMovedPermanently)
		return true
	}
	if _, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, ""); err == nil || asked {
		t.Errorf("%v, asked: %t", err, asked)
	}
}

func TestAnswersThatAreTooLong(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "1"})
	server.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("list-type") {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write([]byte("<ListBucketResult>"))
		for range maxAnswer/1024 + 1 {
			if _, err := w.Write(slices.Repeat([]byte("<a/>"), 256)); err != nil {
				break
			}
		}
		return true
	}
	_, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, "")
	if !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestObjectsThatAreTooLarge(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "1"})
	server.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("list-type") {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write([]byte("<ListBucketResult><Contents><Key>a</Key><ETag>1</ETag><Size>999999999999</Size></Contents></ListBucketResult>"))
		return true
	}
	_, _, err := fetch(t, Remote{Endpoint: server.Start(t), Insecure: true, Name: "home"}, "")
	if err == nil || !strings.Contains(err.Error(), `the object "a" is larger than`) {
		t.Errorf("got %v", err)
	}
}

func FuzzPathOf(f *testing.F) {
	for _, key := range []string{"a", "/a//b", "../a", "a/..", "\x00", ".", "a\\..\\b"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if name, err := pathOf(key); err == nil && !filepath.IsLocal(filepath.FromSlash(name)) {
			t.Errorf("%q is written to %q", key, name)
		}
	})
}
