package git

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"hearth/internal/source/gittest"
)

// checkedOut commits a tree and returns what is written of it.
func checkedOut(t *testing.T, make func(r *gittest.Repository) plumbing.Hash, o CheckoutOptions) (map[string]string, error) {
	t.Helper()
	server := gittest.NewServer(t)
	r := gittest.NewRepository(t)
	server.Put("/home.git", r)
	r.Set("refs/heads/main", r.CommitTree(make(r), "x", nil))
	_, files, err := clone(t, Remote{URL: server.HTTP() + "/home.git"}, Ref{Branch: "main"}, o)
	return files, err
}

func TestSymbolicLinksBecomeWhatTheyLeadTo(t *testing.T) {
	files, err := checkedOut(t, func(r *gittest.Repository) plumbing.Hash {
		return r.Tree(gittest.Files{
			"base/a.yaml": gittest.Text("a"), "base/deep/b.yaml": gittest.Text("b"),
			"file": gittest.Link("base/a.yaml"), "folder": gittest.Link("base"), "apps/up": gittest.Link("../base/deep"),
			"chain": gittest.Link("folder"), "nowhere": gittest.Link("none"), "self": gittest.Link("self"),
			"round1": gittest.Link("round2"), "round2": gittest.Link("round1"),
			"base/around": gittest.Link(".."), "root": gittest.Link("."),
			"absolute": gittest.Link("/etc/passwd"), "outside": gittest.Link("../../../../etc/passwd"), "sly": gittest.Link("base/../../etc"),
		})
	}, CheckoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"base/a.yaml": "a", "base/deep/b.yaml": "b", "file": "a", "folder/a.yaml": "a", "folder/deep/b.yaml": "b",
		"apps/up/b.yaml": "b", "chain/a.yaml": "a", "chain/deep/b.yaml": "b",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestBombsAreBounded(t *testing.T) {
	nested := func(r *gittest.Repository, depth, width int) plumbing.Hash {
		tree := r.Tree(gittest.Files{"a": gittest.Text("a"), "b": gittest.Text("b")})
		for range depth {
			var entries []object.TreeEntry
			for i := range width {
				entries = append(entries, object.TreeEntry{Name: fmt.Sprintf("%03d", i), Mode: filemode.Dir, Hash: tree})
			}
			tree = r.Object(plumbing.TreeObject, gittest.TreeContent(entries))
		}
		return tree
	}
	for name, test := range map[string]struct {
		tree func(r *gittest.Repository) plumbing.Hash
		err  string
	}{
		"a folder in itself, many times": {func(r *gittest.Repository) plumbing.Hash { return nested(r, 10, 10) }, "more than 1000 files"},
		"links to links": {func(r *gittest.Repository) plumbing.Hash {
			files := gittest.Files{"0/file": gittest.Text("x")}
			for i := range 30 {
				files[fmt.Sprintf("%d/a", i+1)] = gittest.Link(fmt.Sprintf("../%d", i))
				files[fmt.Sprintf("%d/b", i+1)] = gittest.Link(fmt.Sprintf("../%d", i))
			}
			return r.Tree(files)
		}, "more than 1000 files"},
		"too deep": {func(r *gittest.Repository) plumbing.Hash { return nested(r, 70, 1) }, "nested more than 64 folders deep"},
	} {
		if _, err := checkedOut(t, test.tree, CheckoutOptions{maxEntries: 1000}); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	for _, name := range []string{"..", ".", ".git", ".GIT", "a/b", "../a", "/etc", `a\b`} {
		_, err := checkedOut(t, func(r *gittest.Repository) plumbing.Hash {
			blob := r.Object(plumbing.BlobObject, "x")
			return r.Object(plumbing.TreeObject, gittest.TreeContent([]object.TreeEntry{{Name: name, Mode: filemode.Regular, Hash: blob}}))
		}, CheckoutOptions{})
		if err == nil {
			t.Errorf("a file called %q was written", name)
		}
	}
}

func TestSparse(t *testing.T) {
	tree := func(r *gittest.Repository) plumbing.Hash {
		return r.Tree(gittest.Files{"a/b/c": gittest.Text("1"), "a/d": gittest.Text("2"), "ab/e": gittest.Text("3"), "f": gittest.Text("4"), "a/b/link": gittest.Link("../../f")})
	}
	for _, test := range []struct {
		sparse []string
		want   map[string]string
	}{
		{[]string{"a/b"}, map[string]string{"a/b/c": "1"}},
		{[]string{"./a/"}, map[string]string{"a/b/c": "1", "a/d": "2"}},
		{[]string{"a/b", "f"}, map[string]string{"a/b/c": "1", "f": "4", "a/b/link": "4"}},
		{[]string{"../ab"}, map[string]string{"ab/e": "3"}},
		{[]string{"."}, map[string]string{"a/b/c": "1", "a/d": "2", "ab/e": "3", "f": "4", "a/b/link": "4"}},
		{[]string{"none"}, map[string]string{}},
	} {
		files, err := checkedOut(t, tree, CheckoutOptions{Sparse: test.sparse})
		if diff := cmp.Diff(test.want, files); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", test.sparse, err, diff)
		}
	}
}

func TestSubmodules(t *testing.T) {
	server := gittest.NewServer(t)
	url := server.HTTP()
	serve := func(path string, files gittest.Files) string {
		r := gittest.NewRepository(t)
		commit := r.Commit(files, path, nil)
		r.Set("refs/heads/main", r.Commit(gittest.Files{"newer": gittest.Text("x")}, path, nil, commit))
		server.Put(path, r)
		return commit
	}
	module := func(path, url string) string {
		return fmt.Sprintf("[submodule %q]\n\tpath = %s\n\turl = %s\n", path, path, url)
	}
	inner := serve("/group/inner.git", gittest.Files{"inner": gittest.Text("1")})
	middle := serve("/group/middle.git", gittest.Files{".gitmodules": gittest.Text(module("sub/inner", "./../inner.git")), "sub/inner": gittest.Module(inner), "middle": gittest.Text("1")})
	outer := func(modules, commit string) {
		r := gittest.NewRepository(t)
		r.Set("refs/heads/main", r.Commit(gittest.Files{".gitmodules": gittest.Text(modules), "sub/middle": gittest.Module(commit), "unnamed": gittest.Module(inner)}, "x", nil))
		server.Put("/outer.git", r)
	}
	for name, test := range map[string]struct {
		modules, commit string
		err             string
	}{
		"relative":          {modules: module("sub/middle", "../group/middle.git"), commit: middle},
		"by a whole URL":    {modules: module("sub/middle", url+"/group/middle.git"), commit: middle},
		"on disk":           {modules: module("sub/middle", "/etc"), commit: middle, err: "the URL of the repository is invalid"},
		"of another scheme": {modules: module("sub/middle", "ext::sh -c touch% /tmp/x"), commit: middle, err: "invalid"},
		"without a commit":  {modules: module("sub/middle", "../group/middle.git"), commit: strings.Repeat("1", 40), err: "submodule sub/middle"},
		"of no repository":  {modules: module("sub/middle", "../group/none.git"), commit: middle, err: "repository not found"},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				server.Plain = plain
				outer(test.modules, test.commit)
				_, files, err := clone(t, Remote{URL: url + "/outer.git"}, Ref{Branch: "main"}, CheckoutOptions{Submodules: true})
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]string{".gitmodules": test.modules, "sub/middle/.gitmodules": module("sub/inner", "./../inner.git"), "sub/middle/middle": "1", "sub/middle/sub/inner/inner": "1"}
				if diff := cmp.Diff(want, files); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestASubmoduleOfItselfEnds(t *testing.T) {
	server := gittest.NewServer(t)
	// A commit cannot hold its own hash, but a chain can be long.
	below := ""
	for i := range maxNested + 2 {
		r := gittest.NewRepository(t)
		files := gittest.Files{"a": gittest.Text("1")}
		if below != "" {
			files[".gitmodules"] = gittest.Text(fmt.Sprintf("[submodule \"m\"]\n\tpath = m\n\turl = ../%d.git\n", i-1))
			files["m"] = gittest.Module(below)
		}
		below = r.Commit(files, "x", nil)
		r.Set("refs/heads/main", below)
		server.Put(fmt.Sprintf("/%d.git", i), r)
	}
	_, _, err := clone(t, Remote{URL: fmt.Sprintf("%s/%d.git", server.HTTP(), maxNested+1)}, Ref{Branch: "main"}, CheckoutOptions{Submodules: true})
	if err == nil || !strings.Contains(err.Error(), "nested more than 10 deep") {
		t.Errorf("got %v", err)
	}
}

// TestGitsOwnServer fetches from the server that Git brings.
func TestGitsOwnServer(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed: it serves nothing")
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
	if err := os.Mkdir(filepath.Join(dir, "home"), 0o755); err != nil {
		t.Fatal(err)
	}
	run("init", "-q", "-b", "main")
	var commits []string
	for i, tag := range []string{"v1.0.0", "v1.4.0", "v2.0.0"} {
		// Alike enough for deltas.
		content := strings.Repeat("a line that stays\n", 200) + strings.Repeat("x", i+1)
		if err := os.WriteFile(filepath.Join(dir, "home", "a.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		run("add", ".")
		run("commit", "-q", "-m", tag)
		run("tag", "-a", "-m", tag, tag)
		commits = append(commits, run("rev-parse", "HEAD"))
	}
	run("gc", "-q", "--aggressive")
	over := gittest.NewServer(t)
	over.Program = func(path string) *exec.Cmd { return exec.Command(git, "upload-pack", filepath.Join(dir, path)) }
	signer, identity := gittest.NewKey(t, "")
	sshURL, hosts := over.SSH(signer.PublicKey())
	for _, remote := range []Remote{
		{URL: gitBackend(t, git, dir) + "/home/.git"},
		{URL: sshURL + "/home/.git", Credentials: Credentials{Identity: identity, KnownHosts: []byte(hosts)}},
	} {
		for _, test := range []struct {
			ref  Ref
			want string
		}{
			{Ref{Branch: "main"}, "main@sha1:" + commits[2]},
			{Ref{Tag: "v1.0.0"}, "v1.0.0@sha1:" + commits[0]},
			{Ref{SemVer: "1.x"}, "v1.4.0@sha1:" + commits[1]},
			{Ref{Branch: "main", Commit: commits[0]}, "main@sha1:" + commits[0]},
			{Ref{Commit: commits[1]}, "sha1:" + commits[1]},
			{Ref{Name: "HEAD"}, "HEAD@sha1:" + commits[2]},
		} {
			revision, files, err := clone(t, remote, test.ref, CheckoutOptions{})
			if err != nil {
				t.Fatalf("%s %v: %v", remote.URL, test.ref, err)
			}
			if revision != test.want || !strings.HasSuffix(files["a.yaml"], "x") {
				t.Errorf("%s %v: %s, %d files", remote.URL, test.ref, revision, len(files))
			}
		}
	}
	remote := Remote{URL: sshURL + "/none", Credentials: Credentials{Identity: identity, KnownHosts: []byte(hosts)}}
	if _, err := Open(t.Context(), remote); err == nil {
		t.Error("what is not there can be opened")
	}
}

func FuzzSubmoduleURL(f *testing.F) {
	for _, raw := range []string{"../a.git", "git@host:a/b.git", "https://host/a", "file:///etc", "./../../../..", "a:b", "ssh://[::1"} {
		f.Add(raw)
	}
	parent := &url.URL{Scheme: "https", Host: "example.org", Path: "/group/home.git"}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := submoduleURL(parent, raw)
		if err != nil {
			return
		}
		if u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" || u.Hostname() == "" {
			t.Errorf("%q gives %v", raw, u)
		}
	})
}

func FuzzLinkTarget(f *testing.F) {
	f.Add("a/b", "../c")
	f.Add("a", "../../etc")
	f.Fuzz(func(t *testing.T, rel, target string) {
		if to, ok := linkTarget(rel, target); ok && !filepath.IsLocal(to) && filepath.IsLocal(rel) {
			t.Errorf("%q in %q leads to %q", target, rel, to)
		}
	})
}

func FuzzModules(f *testing.F) {
	f.Add([]byte("[submodule \"a\"]\n\tpath = a\n\turl = ../a\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		urls, err := parseModules(content)
		if err == nil && urls[""] != "" {
			t.Error("a submodule without a path")
		}
	})
}
