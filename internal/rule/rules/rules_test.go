package rules

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/manifest"
	"hearth/internal/rule"
	"hearth/internal/rule/report"
)

var update = flag.Bool("update", false, "write the reference of the rules anew")

var ruleName = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

func TestRulesAreDocumented(t *testing.T) {
	sections := sections(t)
	names := map[string]bool{}
	for _, r := range All() {
		t.Run(r.Name, func(t *testing.T) {
			if names[r.Name] || !ruleName.MatchString(r.Name) {
				t.Errorf("the name %q is taken, or no lower-case words joined by hyphens", r.Name)
			}
			names[r.Name] = true
			if r.Severity < rule.Info || r.Severity > rule.Error {
				t.Errorf("severity %v", r.Severity)
			}
			for field, text := range map[string]string{"Topic": r.Topic, "Title": r.Title, "Why": r.Why, "Remedy": r.Remedy, "Bad": r.Bad, "Good": r.Good} {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s is empty", field)
				}
			}
			if strings.HasSuffix(r.Title, ".") || strings.Contains(r.Title, "\n") {
				t.Errorf("the title is no sentence without a full stop: %q", r.Title)
			}
			if sections != nil && !sections[r.Section] {
				t.Errorf("the domain model has no section %q", r.Section)
			}
			if r.Check == nil && r != rule.Ignore {
				t.Error("it checks nothing")
			}
			if docs, err := manifest.Parse("good.yaml", []byte(r.Good)); err != nil || len(docs) == 0 {
				t.Errorf("the good example does not parse: %v", err)
			}
			if _, err := manifest.Parse("bad.yaml", []byte(r.Bad)); err != nil && r.Name != "yaml" && r.Topic != "schema" {
				t.Errorf("the bad example does not parse: %v", err)
			}
		})
	}
	for _, r := range All() {
		for _, name := range r.Unless {
			if _, ok := rule.Find(All(), name); !ok {
				t.Errorf("%s yields to %q, which does not exist", r.Name, name)
			}
		}
	}
}

// TestNames holds the list to the names that are part of Hearth's interface.
func TestNames(t *testing.T) {
	want := strings.Fields(`
		chart-default chart-reference interval-format release-name release-remediation values-schema values-unused
		image-digest image-latest
		island-boundary island-network
		app-layout manifest-orphan object-duplicate path-missing prune-data resource-missing
		bootstrap-order depends-on-cycle depends-on-missing depends-on-unknown substitution-undefined
		gateway-exposure route-backend route-grant route-hostname route-parent
		schema
		secret-field secret-hardcoded secret-in-git secret-reference secret-refresh secret-reload secret-store secret-template
		storage-class
		template-leftover template-placement template-stale
		build ignore yaml`)
	var got []string
	for _, r := range All() {
		got = append(got, r.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sections are the headings of the domain model, nil where it is not at hand.
func sections(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "spec", "domain-model.md"))
	if err != nil {
		t.Logf("the domain model is not at hand, so that its sections are not compared: %v", err)
		return nil
	}
	found := map[string]bool{}
	fenced := false
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if title := strings.TrimLeft(line, "#"); title != line && !fenced {
			found[strings.TrimSpace(title)] = true
		}
	}
	return found
}

// TestReference holds docs/rules.md to the rules; with -update it is written anew.
func TestReference(t *testing.T) {
	var want bytes.Buffer
	if err := report.Markdown(&want, All()); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("..", "..", "..", "docs", "rules.md")
	if *update {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("docs/rules.md is stale, run go generate ./internal/rule/rules (-want +got):\n%s", diff)
	}
}
