package ruletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/internal/rule"
)

// The homelabs that rules are tried on, seen from the folder of a topic.
const (
	corpus  = "../../../../shared/corpora/k8s-homelab"
	example = "../../../examples/homelab"
)

// Homelabs runs rules over whole homelabs. What they find in one that nobody
// here wrote is for people to read (-v); here each finding must stand at text
// that is there, and the example must have none.
func Homelabs(t *testing.T, rules []*rule.Rule) {
	t.Helper()
	for _, dir := range []string{corpus, example} {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the homelab is not there:", err)
			}
			prepared := Pass(t, rules[0], dir)
			for _, r := range rules {
				pass := *prepared
				pass.Rule = r
				r.Check(&pass)
				for _, f := range pass.Findings() {
					t.Logf("%s %s %s: %s [%s] fix: %s %v", f.Severity, r.Name, f.Place, f.Message, f.Text, f.Fix, f.Edits)
					if line, ok := lineAt(dir, f); !ok || !strings.Contains(line, f.Text) {
						t.Errorf("%s points at %q at %q, where %q stands", r.Name, f.Text, f.Place, line)
					}
					if dir == example {
						t.Errorf("%s finds something in a homelab that has no faults", r.Name)
					}
				}
				for _, note := range pass.Notes() {
					t.Logf("%s: not judged: %s", r.Name, note)
				}
			}
		})
	}
}

// lineAt returns the line that a finding stands at; nothing for one that stands
// at a file or folder.
func lineAt(dir string, f rule.Finding) (string, bool) {
	name := filepath.Join(dir, filepath.FromSlash(f.Place.File))
	if _, err := os.Lstat(name); err != nil || !f.Place.Known() {
		return "", false
	}
	if f.Place.Line == 0 {
		return "", f.Text == ""
	}
	data, err := os.ReadFile(name)
	lines := strings.Split(string(data), "\n")
	if err != nil || f.Place.Line > len(lines) {
		return "", false
	}
	return lines[f.Place.Line-1], true
}

// Benchmark tells what each rule costs on a real homelab.
func Benchmark(b *testing.B, rules []*rule.Rule) {
	if _, err := os.Stat(corpus); err != nil {
		b.Skip("the homelab is not there:", err)
	}
	prepared := Pass(b, rules[0], corpus)
	for _, r := range rules {
		b.Run(r.Name, func(b *testing.B) {
			for b.Loop() {
				pass := *prepared
				pass.Rule = r
				r.Check(&pass)
			}
		})
	}
}
