package source

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
)

// age makes everything in a store look as if nobody had asked for it lately.
func age(t *testing.T, s *Store, by time.Duration) {
	t.Helper()
	for _, folder := range []string{treeFolder, blobFolder} {
		entries, err := os.ReadDir(filepath.Join(s.root, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			then := time.Now().Add(-by)
			if err := os.Chtimes(filepath.Join(s.root, folder, entry.Name()), then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// kept returns which of some artifacts a store has.
func kept(s *Store, digests ...string) (have []bool) {
	for _, digest := range digests {
		_, inTree := s.Dir(digest)
		_, inBlob := s.File(digest)
		have = append(have, inTree == nil || inBlob == nil)
	}
	return have
}

func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	again, err := OpenStore(s.root)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func requireCollecting(t *testing.T) {
	t.Helper()
	if !collects {
		t.Skip("processes cannot tell each other here what they use: nothing is removed")
	}
}

func TestReplacedArtifactsAreCollected(t *testing.T) {
	requireCollecting(t)
	s, dir := openStore(t), t.TempDir()
	ref := domain.Ref{Kind: "GitRepository", Namespace: "a", Name: "b"}
	chart := domain.Ref{Kind: "HelmChart", Namespace: "a", Name: "b"}
	var digests []string
	for i := range 3 {
		writeFiles(t, dir, map[string]string{"a": fmt.Sprint(i)})
		a := put(t, s, dir, DirOptions{})
		s.Artifact(a, ref)
		digests = append(digests, a.Digest)
	}
	for i := range 3 {
		a, err := s.PutFile(t.Context(), "c.tgz", "1", strings.NewReader(fmt.Sprint(i)), 100)
		if err != nil {
			t.Fatal(err)
		}
		s.Artifact(a, chart)
		digests = append(digests, a.Digest)
	}
	check := func(when string, want ...bool) {
		t.Helper()
		if err := s.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, kept(s, digests...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("at once", true, true, true, true, true, true)
	age(t, s, 2*unusedFor)
	check("later", false, true, true, false, true, true)
	s.Release(ref)
	check("when an object is gone", false, false, false, false, true, true)
}

func TestOthersArtifactsAreKept(t *testing.T) {
	requireCollecting(t)
	mine, dir := openStore(t), t.TempDir()
	theirs := reopen(t, mine)
	writeFiles(t, dir, map[string]string{"a": "1"})
	a := put(t, theirs, dir, DirOptions{})
	ref := domain.Ref{Kind: "GitRepository", Namespace: "a", Name: "b"}
	theirs.Artifact(a, ref)
	age(t, mine, 2*unusedFor)
	collect := func(want bool, when string) {
		t.Helper()
		if err := mine.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kept(mine, a.Digest)[0]; got != want {
			t.Errorf("%s the artifact is there: %t", when, got)
		}
	}
	collect(true, "while another uses it")

	// That process ends, as its lock tells.
	name := theirs.user.Name()
	if err := theirs.user.Close(); err != nil {
		t.Fatal(err)
	}
	collect(true, "for a while after it ended")
	long := time.Now().Add(-2 * endedFor)
	if err := os.Chtimes(name, long, long); err != nil {
		t.Fatal(err)
	}
	collect(false, "long after it ended")
	if _, err := os.Stat(name); err == nil {
		t.Error("what it used is still written down")
	}
}

func TestAdoptedArtifactsAreKept(t *testing.T) {
	requireCollecting(t)
	s, dir := openStore(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "1"})
	a := put(t, s, dir, DirOptions{})
	status := s.Artifact(a, domain.Ref{Kind: "GitRepository", Namespace: "a", Name: "b"})
	// Another process finds the status, and nothing else.
	name := s.user.Name()
	s.user.Close()
	again := reopen(t, s)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Resolve(status); err != nil {
		t.Fatal(err)
	}
	age(t, again, 2*unusedFor)
	if err := again.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !kept(again, a.Digest)[0] {
		t.Error("an artifact that was read was removed")
	}
}

// TestStoresAreShared lets several processes write, read and remove at once:
// whatever one has just stored is there for it.
func TestStoresAreShared(t *testing.T) {
	requireCollecting(t)
	if os.Getenv("HEARTH_TEST_STORE") != "" {
		shareStore(t, os.Getenv("HEARTH_TEST_STORE"))
		return
	}
	dir := t.TempDir()
	var processes sync.WaitGroup
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStoresAreShared$")
		cmd.Env = append(os.Environ(), "HEARTH_TEST_STORE="+dir)
		processes.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("a process: %v\n%s", err, out)
			}
		})
	}
	processes.Wait()
}

func shareStore(t *testing.T, root string) {
	s, err := OpenStore(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ref := domain.Ref{Kind: "GitRepository", Namespace: "a", Name: fmt.Sprint(os.Getpid())}
	for i := range 60 {
		writeFiles(t, dir, map[string]string{"a": fmt.Sprint(i % 7), "b/c": "same"})
		a := put(t, s, dir, DirOptions{})
		s.Artifact(a, ref)
		// Before it was published another process may have let it look old. Now
		// nothing may take it away.
		a = put(t, s, dir, DirOptions{})
		letLookOld(s)
		if err := s.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		folder, err := s.Dir(a.Digest)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		if content, err := os.ReadFile(filepath.Join(folder, "b/c")); err != nil || string(content) != "same" {
			t.Fatalf("round %d: %q, %v", i, content, err)
		}
	}
}

// letLookOld ages what is still there; others may be removing it.
func letLookOld(s *Store) {
	entries, _ := os.ReadDir(filepath.Join(s.root, treeFolder))
	then := time.Now().Add(-2 * unusedFor)
	for _, entry := range entries {
		_ = os.Chtimes(filepath.Join(s.root, treeFolder, entry.Name()), then, then)
	}
}
