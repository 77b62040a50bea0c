package charts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"hearth/internal/manifest/edit"
	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

// folder puts a case of the tests into a folder.
func folder(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return ruletest.Write(t, archive)
}

// TestFix makes the edits of findings, after which there are none.
func TestFix(t *testing.T) {
	for _, test := range []struct {
		rule *rule.Rule
		name string
		file string
		want string // in the file
		left int
	}{
		{intervalFormat, "days", "kubernetes/main/apps/app.yaml", "interval: 24h\n", 0},
		{intervalFormat, "forms", "kubernetes/main/apps/app.yaml", "retryInterval: 1m30s\n", 2},
		{intervalFormat, "patched", "kubernetes/main/more/app.yaml", "interval: 1h\n", 1},
		{releaseRemediation, "none", "kubernetes/main/apps/a.yaml", "  install:\n    remediation:\n      retries: 3\n  upgrade:\n    remediation:\n      retries: 3\n", 0},
		{releaseRemediation, "upgrade-only", "kubernetes/main/apps/a.yaml", "  install:\n    crds: CreateReplace\n    remediation:\n      retries: 3\n", 0},
	} {
		t.Run(test.rule.Name+"/"+test.name, func(t *testing.T) {
			dir := folder(t, test.rule.Name+"/"+test.name)
			edits := map[string][]edit.Edit{}
			for _, f := range ruletest.Findings(t, test.rule, dir) {
				for _, e := range f.Edits {
					edits[e.File] = append(edits[e.File], e)
				}
			}
			for file, list := range edits {
				name := filepath.Join(dir, file)
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if data, err = edit.Apply(data, list...); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(filepath.Join(dir, test.file))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(data), test.want) {
				t.Errorf("%s lacks %q:\n%s", test.file, test.want, data)
			}
			if left := ruletest.Findings(t, test.rule, dir); len(left) != test.left {
				t.Errorf("%d findings are left, want %d: %v", len(left), test.left, left)
			}
		})
	}
}

// TestNotes tells once what could not be judged.
func TestNotes(t *testing.T) {
	for _, test := range []struct {
		rule *rule.Rule
		name string
		want []string
	}{
		{valuesSchema, "good", nil},
		{valuesSchema, "network", []string{
			"1 chart that 1 release uses is not at hand, so that whether its values fit is not judged: other; hearth check --fetch gets what can be had",
			"the schema of the chart vendor cannot be used, so that values are not held against it: it refers to https://schemas.example.test/all.json, which is none of the chart's own files",
		}},
		{chartDefault, "convention", nil},
		{chartDefault, "convention-unknown", []string{
			"1 chart that 1 release uses is not at hand, so that nobody knows whether it is infrastructure: vendor; hearth check --fetch gets what can be had",
		}},
	} {
		t.Run(test.rule.Name+"/"+test.name, func(t *testing.T) {
			pass := ruletest.Pass(t, test.rule, folder(t, test.rule.Name+"/"+test.name))
			pass.Rule.Check(pass)
			if diff := cmp.Diff(test.want, pass.Notes()); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoteOfMany names each chart once.
func TestNoteOfMany(t *testing.T) {
	n := notAtHand{releases: 3, charts: []string{"b", "a", "b"}}
	want := "2 charts that 3 releases use are not at hand, so that it is so: a, b; hearth check --fetch gets what can be had"
	if got := n.note("", "it is so"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAsDuration(t *testing.T) {
	for _, test := range []struct {
		text, good string
		certain    bool
	}{
		{"1d", "24h", true},
		{"1d12h", "36h", true},
		{"1 h", "1h", true},
		{"1m 30s", "1m30s", true},
		{"90 minutes", "1h30m", true},
		{"1.5h", "1h30m", true},
		{"2w", "336h", true},
		{"60", "60s", false},
		{"1M", "", false}, // minutes or months
		{"1y", "", false},
		{"-1h", "", false},
		{"daily", "", false},
		{"", "", false},
	} {
		good, certain := asDuration(test.text)
		if good != test.good || certain != test.certain {
			t.Errorf("asDuration(%q) = %q, %v, want %q, %v", test.text, good, certain, test.good, test.certain)
		}
	}
}

// FuzzAsDuration holds that what is proposed is a duration that Flux takes.
func FuzzAsDuration(f *testing.F) {
	for _, seed := range []string{"1d", "60", "1h 30m", "0.001s", "999999w", "1e9s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		good, _ := asDuration(text)
		if good == "" {
			return
		}
		if d, err := time.ParseDuration(good); err != nil || d < 0 || !fluxDuration.MatchString(good) {
			t.Errorf("asDuration(%q) = %q, which is none: %v", text, good, err)
		}
	})
}
