package rule_test

import (
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// commit makes a folder a Git repository, and commits all that is in it.
func commit(t testing.TB, dir string) string {
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
	who := &object.Signature{Name: "owner", Email: "owner@example.com", When: time.Unix(1_700_000_000, 0)}
	hash, err := tree.Commit("state", &git.CommitOptions{Author: who, AllowEmptyCommits: true})
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}
