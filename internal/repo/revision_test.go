package repo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// committed makes a Git repository of a small homelab, with one commit.
func committed(t *testing.T) (dir string, repository *git.Repository) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "clusters", "home", "apps.yaml"), "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n")
	write(t, filepath.Join(dir, ".gitignore"), "*.tmp\n")
	repository, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, repository)
	return dir, repository
}

func commit(t *testing.T, repository *git.Repository) string {
	t.Helper()
	w, err := repository.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddGlob("."); err != nil {
		t.Fatal(err)
	}
	hash, err := w.Commit("change", &git.CommitOptions{Author: &object.Signature{Name: "Test", Email: "test@example.org", When: time.Unix(1, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func open(t *testing.T, dir string) *Repository {
	t.Helper()
	r, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("problem: %v", p)
	}
	return r
}

func TestRevision(t *testing.T) {
	dir, repository := committed(t)
	clean := open(t, dir).Revision
	if clean.Dirty || len(clean.SHA) != 40 || clean.Branch != "master" || clean.String() != clean.SHA[:7] {
		t.Errorf("after a commit: %+v", clean)
	}
	file := filepath.Join(dir, "clusters", "home", "apps.yaml")
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name  string
		do    func()
		dirty bool
	}{
		{"touched", func() { write(t, file, string(original)) }, false},
		{"edited, same size", func() { write(t, file, strings.Replace(string(original), "apps", "xxxx", 1)) }, true},
		{"restored", func() { write(t, file, string(original)) }, false},
		{"ignored file", func() { write(t, filepath.Join(dir, "x.tmp"), "x") }, false},
		{"new file", func() { write(t, filepath.Join(dir, "new"), "x") }, true},
		{"staged", func() {
			w, _ := repository.Worktree()
			if _, err := w.Add("new"); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"committed", func() { commit(t, repository) }, false},
		{"removed", func() { os.Remove(filepath.Join(dir, "new")) }, true},
	}
	for _, step := range steps {
		step.do()
		r := open(t, dir).Revision
		if r.Dirty != step.dirty {
			t.Errorf("%s: dirty is %v", step.name, r.Dirty)
		}
		if strings.HasSuffix(r.String(), "-dirty") != step.dirty {
			t.Errorf("%s: %s", step.name, r)
		}
	}
}

func TestOriginKeepsNoCredentials(t *testing.T) {
	for url, want := range map[string]string{
		"https://me:hunter2@git.example/home.git": "https://git.example/home.git",
		"git@git.example:me/home.git":             "ssh://git@git.example/me/home.git",
		"ssh://git@git.example/me/home.git":       "ssh://git@git.example/me/home.git",
		"/srv/home.git":                           "https://git.invalid/",
	} {
		dir, repository := committed(t)
		if _, err := repository.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{url}}); err != nil {
			t.Fatal(err)
		}
		c, err := open(t, dir).Cluster("")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(c.Entry.URL, want) || strings.Contains(c.Entry.URL, "hunter2") {
			t.Errorf("%s becomes %s", url, c.Entry.URL)
		}
		if c.Entry.Ref != "refs/heads/master" {
			t.Errorf("the entry follows %s", c.Entry.Ref)
		}
	}
}

func TestFolderInsideRepository(t *testing.T) {
	dir, _ := committed(t)
	r := open(t, filepath.Join(dir, "clusters", "home"))
	if want, _ := filepath.EvalSymlinks(dir); r.Root != want {
		t.Errorf("root %s, want %s", r.Root, want)
	}
	// A configuration further down is a root of its own, at the same revision.
	inner := filepath.Join(dir, "examples", "lab")
	write(t, filepath.Join(inner, ConfigFile), "clusters: {lab: {path: flux}}\n")
	write(t, filepath.Join(inner, "flux", "apps.yaml"), "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n")
	lab := open(t, inner)
	if len(lab.Clusters) != 1 || lab.Clusters[0].Name != "lab" || lab.Revision.SHA != r.Revision.SHA || !lab.Revision.Dirty {
		t.Errorf("clusters %v, revision %v", lab.Clusters, lab.Revision)
	}
}
