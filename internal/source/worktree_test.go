package source

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

// commit makes a repository of a folder, or adds a commit, of all its files.
func commit(t *testing.T, dir string) string {
	t.Helper()
	repo, err := git.PlainOpen(dir)
	if err != nil {
		repo, err = git.PlainInitWithOptions(dir, &git.PlainInitOptions{InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName("main")}})
	}
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.AddGlob("."); err != nil {
		t.Fatal(err)
	}
	hash, err := tree.Commit("change", &git.CommitOptions{Author: &object.Signature{Name: "Owner", Email: "owner@example.org", When: time.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func stored(t *testing.T, s *Store, dir, spec string) (Artifact, map[string]string) {
	t.Helper()
	tree, err := OpenWorkingTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := tree.Store(t.Context(), s, spec)
	if err != nil {
		t.Fatal(err)
	}
	path, err := s.Dir(a.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return a, readFiles(t, path)
}

func TestRevisionOfAWorkingTree(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"apps/a.yaml": "a", ".gitignore": "*.secret\n", "README.png": "left out by default"})
	outside, _ := stored(t, s, dir, "")
	if want := "worktree@" + outside.Digest; outside.Revision != want {
		t.Errorf("outside Git the revision is %s, want %s", outside.Revision, want)
	}

	hash := commit(t, dir)
	writeFiles(t, dir, map[string]string{"local.secret": "x"})
	clean, files := stored(t, s, dir, "")
	if want := "main@sha1:" + hash; clean.Revision != want {
		t.Errorf("a clean tree's revision is %s, want %s", clean.Revision, want)
	}
	if diff := cmp.Diff(map[string]string{"apps/a.yaml": "a"}, files); diff != "" {
		t.Error(diff)
	}

	dirty := regexp.MustCompile(`^main-` + hash[:7] + `-dirty@sha256:[0-9a-f]{64}$`)
	for name, change := range map[string]func(){
		"changed":    func() { writeFiles(t, dir, map[string]string{"apps/a.yaml": "b"}) },
		"added":      func() { writeFiles(t, dir, map[string]string{"apps/b.yaml": "b"}) },
		"removed":    func() { os.Remove(filepath.Join(dir, "apps/a.yaml")) },
		"executable": func() { os.Chmod(filepath.Join(dir, "apps/a.yaml"), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			change()
			if a, _ := stored(t, s, dir, ""); !dirty.MatchString(a.Revision) {
				t.Errorf("revision is %s", a.Revision)
			}
			os.RemoveAll(filepath.Join(dir, "apps"))
			writeFiles(t, dir, map[string]string{"apps/a.yaml": "a"})
			if a, _ := stored(t, s, dir, ""); a.Revision != clean.Revision {
				t.Errorf("put back, the revision is %s", a.Revision)
			}
		})
	}

	t.Run("a folder of a repository", func(t *testing.T) {
		a, files := stored(t, s, filepath.Join(dir, "apps"), "")
		if a.Revision != clean.Revision {
			t.Errorf("revision is %s, want %s", a.Revision, clean.Revision)
		}
		if diff := cmp.Diff(map[string]string{"a.yaml": "a"}, files); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIgnore(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		spec  string
		want  []string
	}{
		"defaults": {
			files: map[string]string{"a.yaml": "", "b.jpg": "", "c.tar.gz": "", ".github/w.yaml": "", "x/.sops.yaml": "", ".gitattributes": ""},
			want:  []string{"a.yaml"},
		},
		"a source ignore file": {
			files: map[string]string{".sourceignore": "docs/\n# comment\n*.md\n", "docs/a.yaml": "", "b.md": "", "c.yaml": "", "sub/docs/d.yaml": ""},
			want:  []string{".sourceignore", "c.yaml"},
		},
		"rules of its own replace the defaults": {
			files: map[string]string{".sourceignore": "docs/\n", "icons/a.png": "", "b.zip": "", ".github/w.yaml": "", ".gitattributes": ""},
			want:  []string{".sourceignore", "icons/a.png", "b.zip", ".github/w.yaml"},
		},
		"one below another": {
			files: map[string]string{"sub/.sourceignore": "a.yaml\n", "sub/a.yaml": "", "a.yaml": ""},
			want:  []string{"a.yaml", "sub/.sourceignore"},
		},
		"everything but one folder": {
			files: map[string]string{".sourceignore": "/*\n!/kubernetes\n", "kubernetes/apps/a.yaml": "", "talos/b.yaml": ""},
			want:  []string{"kubernetes/apps/a.yaml"},
		},
		"a folder taken back in": {
			files: map[string]string{".sourceignore": "/*\n!/kubernetes/apps\n", "kubernetes/apps/a.yaml": "", "kubernetes/b.yaml": ""},
			want:  []string{"kubernetes/apps/a.yaml"},
		},
		"the source's own rules win": {
			files: map[string]string{".sourceignore": "*.md\n", "a.md": "", "b.yaml": ""},
			spec:  "!a.md\nb.yaml",
			want:  []string{".sourceignore", "a.md"},
		},
		"what git ignores, and what editors leave": {
			files: map[string]string{".gitignore": "private/\n*.key\n", "private/a": "", "b.key": "", "c.yaml": "", ".c.yaml.swp": "", "c.yaml~": "", "4913": ""},
			want:  []string{"c.yaml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, test.files)
			_, files := stored(t, openStore(t), dir, test.spec)
			want := map[string]string{}
			for _, name := range test.want {
				want[name] = test.files[name]
			}
			if diff := cmp.Diff(want, files); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATrackedFileIsKeptThoughGitIgnoresIt(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"config/a.key": "a"})
	hash := commit(t, dir)
	writeFiles(t, dir, map[string]string{".git/info/none": "", ".gitignore": "config/\n", "config/b.key": "b"})
	a, files := stored(t, openStore(t), dir, "")
	if diff := cmp.Diff(map[string]string{"config/a.key": "a"}, files); diff != "" {
		t.Error(diff)
	}
	// .gitignore itself is never part of an artifact, so the tree is clean.
	if want := "main@sha1:" + hash; a.Revision != want {
		t.Errorf("revision is %s, want %s", a.Revision, want)
	}
}

func TestOpenWorkingTreeErrors(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"file": ""})
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "file")} {
		if _, err := OpenWorkingTree(path); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}

func FuzzIgnore(f *testing.F) {
	f.Add("/*\n!/kubernetes\n", "kubernetes/apps/a.yaml")
	f.Add("**/[a-", "a/b")
	f.Add("!\n/\n\\", "x")
	f.Fuzz(func(t *testing.T, spec, rel string) {
		ignore, err := Ignore(t.TempDir(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if ignore(rel, false) != ignore(rel, false) {
			t.Error("the answer changes")
		}
	})
}
