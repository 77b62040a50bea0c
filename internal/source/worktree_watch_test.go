package source

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"apps/a.yaml": "a", ".gitignore": "ignored/\n", "ignored/x": "", "old/b.yaml": "b"})
	commit(t, dir)
	changed := make(chan struct{}, 64)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Watch(ctx, dir, func() { changed <- struct{}{} }) }()

	expect := func(name string, want bool) {
		t.Helper()
		wait := 5 * time.Second
		if !want {
			wait = 3 * settleTime
		}
		select {
		case <-changed:
			if !want {
				t.Errorf("%s was told", name)
			}
		case <-time.After(wait):
			if want {
				t.Fatalf("%s was not told", name)
			}
		}
		for { // what the same step still causes belongs to it
			select {
			case <-changed:
			case <-time.After(3 * settleTime):
				return
			}
		}
	}
	// The first change may come before the tree is followed: repeat it.
	for i := 0; len(changed) == 0 && i < 100; i++ {
		writeFiles(t, dir, map[string]string{"apps/a.yaml": "b"})
		time.Sleep(2 * settleTime)
	}
	expect("a changed file", true)
	writeFiles(t, dir, map[string]string{"apps/.a.yaml.swp": "x"})
	expect("an editor's file", false)
	writeFiles(t, dir, map[string]string{"ignored/x": "y"})
	expect("an ignored file", false)
	writeFiles(t, dir, map[string]string{"apps/new/sub/c.yaml": "c"})
	expect("a new folder", true)
	writeFiles(t, dir, map[string]string{"apps/new/sub/c.yaml": "d"})
	expect("a file in a new folder", true)
	if err := os.Rename(filepath.Join(dir, "old"), filepath.Join(dir, "renamed")); err != nil {
		t.Fatal(err)
	}
	expect("a renamed folder", true)
	writeFiles(t, dir, map[string]string{"renamed/b.yaml": "c"})
	expect("a file in a renamed folder", true)
	writeFiles(t, dir, map[string]string{"apps/tmp123": "z"})
	if err := os.Rename(filepath.Join(dir, "apps/tmp123"), filepath.Join(dir, "apps/a.yaml")); err != nil {
		t.Fatal(err)
	}
	expect("a file replaced by a rename", true)
	commit(t, dir)
	expect("a commit", true)
	if err := os.Remove(filepath.Join(dir, "apps/a.yaml")); err != nil {
		t.Fatal(err)
	}
	expect("a removed file", true)

	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it does not end with its context")
	}
}
