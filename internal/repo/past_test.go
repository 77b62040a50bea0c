package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/object"

	"hearth/internal/manifest"
)

const pastLab = "clusters: {main: {path: main, entry: {path: main}}}\n"

// commitAll commits everything in a folder.
func commitAll(t *testing.T, dir string) string {
	t.Helper()
	repository, err := git.PlainOpen(dir)
	if err != nil {
		if repository, err = git.PlainInit(dir, false); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := repository.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	hash, err := tree.Commit("state", &git.CommitOptions{Author: &object.Signature{Name: "o", Email: "o@example.com", When: time.Unix(1_700_000_000, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func TestAt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
	write(t, filepath.Join(dir, ".hearth.yaml"), pastLab)
	write(t, filepath.Join(dir, "main", "a.yaml"), strings.Replace(object, "NAME", "old", 1))
	write(t, filepath.Join(dir, "main", "large.yaml"), strings.Repeat("#", manifest.MaxSize+1))
	write(t, filepath.Join(dir, ".hidden", "b.yaml"), object)
	for name, target := range map[string]string{"out.yaml": "../../outside.yaml", "in.yaml": "a.yaml"} {
		if err := os.Symlink(target, filepath.Join(dir, "main", name)); err != nil {
			t.Fatal(err)
		}
	}
	hash := commitAll(t, dir)
	repository, err := git.PlainOpen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repository.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{"https://git.example.com/me/lab.git"}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main", "a.yaml"), strings.Replace(object, "NAME", "new", 1))
	commitAll(t, dir)
	r, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"HEAD~1", hash, hash[:8]} {
		past, err := r.At(t.Context(), revision)
		if err != nil {
			t.Fatalf("%s: %v", revision, err)
		}
		var names []string
		for _, d := range past.Documents() {
			names = append(names, d.File+" "+d.Name())
		}
		if got := strings.Join(names, ", "); got != "main/a.yaml old, main/in.yaml old" {
			t.Errorf("%s: %s", revision, got)
		}
		var problems []string
		for _, p := range past.Problems {
			problems = append(problems, p.Error())
		}
		if got := strings.Join(problems, "; "); !strings.Contains(got, "main/large.yaml: the file is larger than") || !strings.Contains(got, "main/out.yaml: the symbolic link leads out") || len(problems) != 2 {
			t.Errorf("%s: problems %s", revision, got)
		}
		if got, want := past.Clusters[0].Entry.URL, r.Clusters[0].Entry.URL; got != want {
			t.Errorf("the entry's URL was %s, and is %s", got, want)
		}
		if filepath.Base(past.Root) != "lab" {
			t.Errorf("the root is %s", past.Root)
		}
		if _, err := os.Stat(filepath.Join(past.Root, ".hidden", "b.yaml")); err != nil {
			t.Error(err)
		}
		if err := past.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(past.Root); !os.IsNotExist(err) {
			t.Errorf("the past is still there: %v", err)
		}
	}
	var unknown *RevisionError
	if _, err := r.At(t.Context(), "nobody"); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}
