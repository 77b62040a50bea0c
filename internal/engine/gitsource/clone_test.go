package gitsource

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"hearth/internal/source"
)

// repositoryServer serves a Git repository over http, behind a password, and
// returns the commits of its branch main, the oldest first.
func repositoryServer(t *testing.T) (url string, commits []string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed: nothing serves a repository")
	}
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(git, args...)
		cmd.Dir = filepath.Join(dir, "home")
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=o", "GIT_AUTHOR_EMAIL=o@example.org", "GIT_COMMITTER_NAME=o", "GIT_COMMITTER_EMAIL=o@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, "home", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("apps/a.yaml", "1")
	write("other/b.yaml", "1")
	write("README.png", "left out")
	run("init", "-q", "-b", "main")
	for i, tag := range []string{"v1.0.0", "v1.4.0", "v2.0.0"} {
		write("apps/a.yaml", strings.Repeat("x", i+1))
		run("add", ".")
		run("commit", "-q", "-m", tag)
		run("tag", tag)
		commits = append(commits, run("rev-parse", "HEAD"))
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "owner" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/home/.git", commits
}

func TestClone(t *testing.T) {
	url, commits := repositoryServer(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "login"}, Data: map[string][]byte{"username": []byte("owner"), "password": []byte("hunter2")}}
	for name, test := range map[string]struct {
		ref      *sourcev1.GitRepositoryRef
		sparse   []string
		noSecret bool
		want     string
		content  string
		err      string
	}{
		"a branch":         {ref: &sourcev1.GitRepositoryRef{Branch: "main"}, want: "main@sha1:" + commits[2], content: "xxx"},
		"a tag":            {ref: &sourcev1.GitRepositoryRef{Tag: "v1.0.0"}, want: "v1.0.0@sha1:" + commits[0], content: "x"},
		"a semver range":   {ref: &sourcev1.GitRepositoryRef{SemVer: "1.x"}, want: "v1.4.0@sha1:" + commits[1], content: "xx"},
		"a commit":         {ref: &sourcev1.GitRepositoryRef{Commit: commits[1]}, want: "sha1:" + commits[1], content: "xx"},
		"a branch's":       {ref: &sourcev1.GitRepositoryRef{Branch: "main", Commit: commits[0]}, want: "main@sha1:" + commits[0], content: "x"},
		"a reference":      {ref: &sourcev1.GitRepositoryRef{Name: "refs/tags/v1.4.0"}, want: "refs/tags/v1.4.0@sha1:" + commits[1], content: "xx"},
		"one folder":       {ref: &sourcev1.GitRepositoryRef{Branch: "main"}, sparse: []string{"./apps"}, want: "main@sha1:" + commits[2], content: "xxx"},
		"no such branch":   {ref: &sourcev1.GitRepositoryRef{Branch: "none"}, err: "failed to checkout and determine revision"},
		"no default":       {err: "failed to checkout"},
		"no such version":  {ref: &sourcev1.GitRepositoryRef{SemVer: "9.x"}, err: "no match found for semver: 9.x"},
		"no such commit":   {ref: &sourcev1.GitRepositoryRef{Commit: strings.Repeat("0", 40)}, err: "unable to resolve commit object"},
		"without password": {ref: &sourcev1.GitRepositoryRef{Branch: "main"}, noSecret: true, err: "failed to checkout"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := source.OpenStore(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			r := &reconciler{o: Options{Store: store}, client: fake.NewClientBuilder().WithObjects(secret).Build()}
			obj := &sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "home"}, Spec: sourcev1.GitRepositorySpec{URL: url, Reference: test.ref, SparseCheckout: test.sparse}}
			if !test.noSecret {
				obj.Spec.SecretRef = &meta.LocalObjectReference{Name: "login"}
			}
			a, err := r.fetch(t.Context(), obj)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a.Revision != test.want {
				t.Errorf("revision is %s, want %s", a.Revision, test.want)
			}
			dir, err := store.Dir(a.Digest)
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(filepath.Join(dir, "apps/a.yaml"))
			if err != nil || string(content) != test.content {
				t.Errorf("apps/a.yaml holds %q, %v", content, err)
			}
			var files []string
			for _, name := range []string{"README.png", "other/b.yaml", ".git"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					files = append(files, name)
				}
			}
			want := []string{"other/b.yaml"}
			if test.sparse != nil {
				want = nil
			}
			if diff := cmp.Diff(want, files); diff != "" {
				t.Errorf("other files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnsupportedIsRefused(t *testing.T) {
	for name, spec := range map[string]sourcev1.GitRepositorySpec{
		"spec.verify":  {Verification: &sourcev1.GitRepositoryVerification{}},
		"spec.include": {Include: []sourcev1.GitRepositoryInclude{{}}},
	} {
		if err := unsupported(&sourcev1.GitRepository{Spec: spec}); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestSameRepository(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://github.com/owner/home", "ssh://git@github.com/owner/home.git", true},
		{"git@github.com:owner/home.git", "https://GitHub.com/owner/home/", true},
		{"https://user:secret@host/a", "https://host/a", true},
		{"https://github.com/owner/home", "https://github.com/owner/other", false},
		{"https://github.com/owner/home", "https://gitlab.com/owner/home", false},
	} {
		if got := sameRepository(test.a, test.b); got != test.want {
			t.Errorf("%s and %s: %t", test.a, test.b, got)
		}
	}
}

func FuzzRepository(f *testing.F) {
	f.Add("git@github.com:owner/home.git")
	f.Add("https://[::1")
	f.Fuzz(func(t *testing.T, raw string) {
		if !sameRepository(raw, raw) {
			t.Error("a URL is not its own")
		}
	})
}
