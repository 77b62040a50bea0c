package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/rule"
)

// counting is badValue that counts how often it runs.
func counting(runs *atomic.Int64) *rule.Rule {
	r := badValue()
	check := r.Check
	r.Check = func(p *rule.Pass) {
		runs.Add(1)
		p.Note("a note")
		check(p)
	}
	return r
}

func TestCache(t *testing.T) {
	dir, cache := write(t, lab), &rule.Cache{Dir: filepath.Join(t.TempDir(), "check"), Charts: t.TempDir()}
	commit(t, dir)
	var runs atomic.Int64
	request := rule.Request{Path: dir, Cache: cache, Options: rule.Options{Rules: []*rule.Rule{counting(&runs)}}}
	check := func(what string, q rule.Request, want int64) *rule.Report {
		t.Helper()
		before := runs.Load()
		report, err := rule.Check(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := runs.Load() - before; got != want {
			t.Errorf("%s: %d runs, want %d", what, got, want)
		}
		return report
	}
	cold := check("cold", request, 1)
	warm := check("warm", request, 0)
	cold.Elapsed, warm.Elapsed = 0, 0
	if diff := cmp.Diff(cold, warm, cmp.AllowUnexported(rule.Report{}), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".read" }, cmp.Ignore())); diff != "" {
		t.Errorf("warm differs (-cold +warm):\n%s", diff)
	}
	put(t, dir, "notes.txt", "anything")
	check("another file", request, 1)
	check("another file again", request, 0)
	put(t, dir, "notes.txt", "anythinG")
	check("a changed file", request, 1)
	put(t, cache.Charts, "refs/chart", "x")
	check("a chart came", request, 1)
	only := request
	only.Only = []string{"bad-value"}
	check("other options", only, 1)
	since := request
	since.Since = "HEAD"
	check("since", since, 2)
	check("since again", since, 0)
	put(t, dir, "notes.txt", "more")
	check("since, the past is known", since, 1)
	put(t, dir, ".gitignore", "main/hidden.yaml\n")
	put(t, dir, "main/hidden.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hidden}\n")
	put(t, dir, "main/kustomization.yaml", "resources: [one.yaml, two.yaml, hidden.yaml]\n")
	check("a file that Git ignores", request, 1)
	check("the same again", request, 0)
	put(t, dir, "main/hidden.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hidden}\ndata: {bad: value}\n")
	if report := check("it has changed", request, 1); len(report.Findings) != 3 {
		t.Errorf("findings: %s", lines(report.Findings))
	}
	moved := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	request.Path = moved
	check("the same tree elsewhere", request, 0)
}

func TestCacheSurvivesDamage(t *testing.T) {
	dir, cache := write(t, lab), &rule.Cache{Dir: t.TempDir(), Charts: t.TempDir()}
	request := rule.Request{Path: dir, Cache: cache, Options: rule.Options{Rules: []*rule.Rule{badValue()}}}
	for _, damage := range []func(name string, data []byte) error{
		func(name string, data []byte) error { return os.Truncate(name, int64(len(data)/2)) },
		func(name string, data []byte) error { return os.Truncate(name, 0) },
		func(name string, data []byte) error {
			data[len(data)/2] ^= 1
			return os.WriteFile(name, data, 0o600)
		},
		func(name string, _ []byte) error { return os.Chmod(name, 0) },
		func(name string, _ []byte) error { return os.RemoveAll(filepath.Dir(name)) },
	} {
		if _, err := rule.Check(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		entries, err := filepath.Glob(filepath.Join(cache.Dir, "*"))
		if err != nil || len(entries) != 1 {
			t.Fatalf("entries %v, %v", entries, err)
		}
		data, err := os.ReadFile(entries[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(entries[0], data); err != nil {
			t.Fatal(err)
		}
		report, err := rule.Check(t.Context(), request)
		if err != nil || len(report.Findings) != 2 {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir, cache := write(t, lab), &rule.Cache{Dir: t.TempDir(), Charts: t.TempDir()}
	for i := range 100 {
		name := filepath.Join(cache.Dir, fmt.Sprintf("old-%d", i))
		put(t, cache.Dir, filepath.Base(name), "old")
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	var runs atomic.Int64
	request := rule.Request{Path: dir, Cache: cache, Options: rule.Options{Rules: []*rule.Rule{counting(&runs)}}}
	for range 2 {
		if _, err := rule.Check(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := os.ReadDir(cache.Dir); err != nil || len(list) != 64 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	if runs.Load() != 1 {
		t.Errorf("%d runs: the newest entry went", runs.Load())
	}
}

func TestCacheIsShared(t *testing.T) {
	dir, cache := write(t, lab), &rule.Cache{Dir: t.TempDir(), Charts: t.TempDir()}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			report, err := rule.Check(t.Context(), rule.Request{Path: dir, Cache: cache, Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
			if err != nil || len(report.Findings) != 2 {
				t.Errorf("%v, %v", report, err)
			}
		})
	}
	workers.Wait()
	if list, err := os.ReadDir(cache.Dir); err != nil || len(list) != 1 {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

// TestCacheInAPlaceThatCannotBeWritten costs time only.
func TestCacheInAPlaceThatCannotBeWritten(t *testing.T) {
	dir := write(t, lab)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Cache: &rule.Cache{Dir: filepath.Join(file, "x")}, Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
	if err != nil || len(report.Findings) != 2 {
		t.Errorf("%v, %v", report, err)
	}
}
