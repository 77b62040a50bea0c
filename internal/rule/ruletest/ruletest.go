// Package ruletest runs rules on small repositories, each a txtar archive whose
// comment says what is to be found.
package ruletest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"hearth/charts"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/rule"
	"hearth/internal/source"
)

// cases is how many repositories a rule must flag at least, and how many it
// must not flag.
const cases = 3

// Run runs each rule on the archives testdata/RULE/*.txtar. The comment of an
// archive holds one wanted finding a line, "FILE:LINE: MESSAGE"; one without
// any must not be flagged. Lines that begin with # are for the reader. A file
// "link: TARGET" is written as a symbolic link where its content is that line.
func Run(t *testing.T, rules []*rule.Rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			archives, err := filepath.Glob(filepath.Join("testdata", r.Name, "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			flagged, passed := 0, 0
			for _, file := range archives {
				archive, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				want := wanted(archive.Comment)
				if len(want) > 0 {
					flagged++
				} else {
					passed++
				}
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
					var got []string
					for _, f := range Findings(t, r, Write(t, archive)) {
						got = append(got, f.Place.String()+": "+f.Message)
					}
					slices.Sort(got)
					got = slices.Compact(got)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("findings (-want +got):\n%s", diff)
					}
				})
			}
			if flagged < cases || passed < cases {
				t.Errorf("%d repositories that it must flag and %d that it must not; want %d of each", flagged, passed, cases)
			}
		})
	}
}

func wanted(comment []byte) []string {
	var want []string
	for line := range strings.Lines(string(comment)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			want = append(want, line)
		}
	}
	slices.Sort(want)
	return want
}

// Write writes an archive to a temporary folder.
func Write(t testing.TB, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, link := strings.CutPrefix(string(f.Data), "link: "); link {
			if err := os.Symlink(strings.TrimSpace(target), name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Findings returns what a rule finds in a folder, in all its clusters.
func Findings(t testing.TB, r *rule.Rule, dir string) []rule.Finding {
	t.Helper()
	pass := Pass(t, r, dir)
	r.Check(pass)
	return pass.Findings()
}

// Pass prepares a run of a rule over a folder. Charts come from the mapping in
// the folder's .hearth.yaml, and from what Hearth brings along.
func Pass(t testing.TB, r *rule.Rule, dir string) *rule.Pass {
	t.Helper()
	ctx := context.Background()
	opened, err := repo.Open(ctx, dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fetch, err := source.NewCharts(source.ChartOptions{
		Mapping: opened.Config.Sources, Root: opened.Root, CacheDir: filepath.Join(t.TempDir(), "charts"),
		Embedded: charts.FS, Offline: true, StandIn: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	pass := &rule.Pass{Context: ctx, Rule: r, Repository: opened, Config: opened.Config.WithDefaults()}
	for _, c := range opened.Clusters {
		state, err := desired.Build(ctx, opened, c, desired.Options{Charts: fetch})
		if err != nil {
			t.Fatal(err)
		}
		pass.Clusters = append(pass.Clusters, &rule.Cluster{Cluster: c, State: state, Graph: graph.Build(state)})
	}
	return pass
}
