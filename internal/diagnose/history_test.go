package diagnose

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"

	"hearth/internal/domain"
)

// TestHistory follows lines through commits that move them about.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	r, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(subject, text string) {
		write(text)
		if _, err := tree.Add("app.yaml"); err != nil {
			t.Fatal(err)
		}
		who := &object.Signature{Name: "owner", Email: "owner@example.org", When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		if _, err := tree.Commit(subject+"\n\nbody", &git.CommitOptions{Author: who, Committer: who}); err != nil {
			t.Fatal(err)
		}
	}
	commit("first", "kind: A\nimage: one\nport: 1\n")
	commit("second", "# a note\nkind: A\nimage: two\nport: 1\n")
	commit("third", "# a note\nkind: A\nreplicas: 1\nimage: two\nport: 1\n")
	write("# a note\nkind: A\nreplicas: 2\nimage: two\nport: 1\n")
	for line, want := range map[int]string{1: "second", 2: "first", 3: "", 4: "second", 5: "first"} {
		c := OpenHistory(dir).Commit(t.Context(), domain.Place{File: "app.yaml", Line: line})
		switch {
		case c == nil:
			t.Errorf("line %d: nothing is known", line)
		case c.Subject != want || c.Uncommitted != (want == ""):
			t.Errorf("line %d: by %q (uncommitted %v), want %q", line, c.Subject, c.Uncommitted, want)
		}
	}
	h := OpenHistory(dir)
	for _, place := range []domain.Place{{File: "app.yaml"}, {File: "app.yaml", Line: 99}, {File: "../app.yaml", Line: 1}, {File: "none.yaml", Line: 1}} {
		if c := h.Commit(t.Context(), place); c != nil && !c.Uncommitted {
			t.Errorf("%s: %+v", place, c)
		}
	}
	if OpenHistory(t.TempDir()) != nil {
		t.Error("a folder without Git has a history")
	}
}

func TestFollow(t *testing.T) {
	for _, tt := range []struct {
		later, earlier []string
		line, want     int
		ok             bool
	}{
		{[]string{"a", "b", "c"}, []string{"a", "b", "c"}, 1, 1, true},
		{[]string{"x", "a", "b"}, []string{"a", "b"}, 2, 1, true},
		{[]string{"a", "x", "b"}, []string{"a", "b"}, 1, 0, false},
		{[]string{"p", "a", "q", "b", "r"}, []string{"u", "a", "v", "b", "w"}, 3, 3, true},
		{[]string{"p", "a", "q", "b", "r"}, []string{"u", "a", "v", "b", "w"}, 2, 0, false},
		{[]string{"a"}, nil, 0, 0, false},
	} {
		at, ok := follow(tt.later, tt.earlier, tt.line)
		if ok != tt.ok || ok && at != tt.want {
			t.Errorf("line %d of %q in %q: %d %v, want %d %v", tt.line, tt.later, tt.earlier, at, ok, tt.want, tt.ok)
		}
	}
}
