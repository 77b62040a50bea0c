package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

var update = flag.Bool("update", false, "write what is printed into the test data")

var rules = []*rule.Rule{
	{Name: "image-latest", Topic: "images", Severity: rule.Error, Title: "No image is latest", Why: "It changes.", Remedy: "Pin it.", Section: "Don't: Use :latest Tag", Bad: "tag: latest\n", Good: "tag: v1\n"},
	{Name: "app-layout", Topic: "layout", Severity: rule.Info, Title: "Apps are laid out alike", Why: "Habit | order.", Remedy: "Move it.", Section: "App Structure Triad", Bad: "a: 1", Good: "a: 2", Fixes: true},
	{Name: "chart-default", Topic: "charts", Severity: rule.Warning, Title: "Charts are the default", Why: "x", Remedy: "y", Section: "z", Bad: "a: 1", Good: "a: 2", OffByDefault: true},
}

// sample has a finding of each kind that printers tell apart.
func sample() *rule.Report {
	app := domain.Ref{Kind: "HelmRelease", Namespace: "media", Name: "immich"}
	return &rule.Report{
		Findings: []rule.Finding{
			{Rule: "chart-default", Severity: rule.Warning, Object: domain.Ref{Kind: "Namespace", Name: "media"}, Message: "nobody knows where it stands"},
			{
				Rule: "image-latest", Severity: rule.Error, Place: domain.Place{File: "apps/a b, c:d%/helmrelease.yaml", Line: 24}, Column: 16, Object: app,
				Message: "the tag latest moves: 100% of the time", Fix: "tag: v1.2.3\n# and a digest", Fixable: true,
				Excerpt: rule.Excerpt{Text: "          tag: latest # <why>", Caret: 16, Width: 6},
			},
			{
				Rule: "app-layout", Severity: rule.Info, Place: domain.Place{File: "apps/a b, c:d%/helmrelease.yaml", Line: 30}, Column: 1, Object: app,
				Message: "the layout departs\x1b[31m", Excerpt: rule.Excerpt{Text: "values:", Caret: 1, Width: 7},
			},
			{Rule: "app-layout", Severity: rule.Info, Place: domain.Place{File: "apps/large.yaml"}, Message: "the file stands aside"},
			{Rule: "app-layout", Severity: rule.Info, Place: domain.Place{File: "apps/large.yaml"}, Message: "the file stands aside"},
		},
		Notes:    []rule.Note{{Rule: "app-layout", Text: "the chart web is not at hand"}, {Text: "the past is not known"}},
		Fixed:    []rule.Finding{{Rule: "app-layout", Place: domain.Place{File: "apps/other.yaml", Line: 3}, Message: "the layout departs"}},
		Rules:    []string{"image-latest", "app-layout", "chart-default"},
		Clusters: []string{"main", "staging"},
		Elapsed:  412 * time.Millisecond,
	}
}

// TestForms compares each form with what stands in testdata; -update writes it.
func TestForms(t *testing.T) {
	for _, form := range Forms {
		for name, o := range map[string]Options{form: {Rules: rules, Version: "v1.2.3"}, form + "-prefix": {Rules: rules, Prefix: "sub folder", Colour: true}} {
			print, ok := In(form)
			if !ok {
				t.Fatalf("there is no form %s", form)
			}
			var got bytes.Buffer
			if err := print(&got, sample(), o); err != nil {
				t.Fatal(err)
			}
			golden(t, name, got.String())
		}
	}
	if _, ok := In("yaml"); ok {
		t.Error("there is a form yaml")
	}
}

func TestRuleForms(t *testing.T) {
	var list, markdown, explained bytes.Buffer
	for _, err := range []error{List(&list, rules, Options{}), Markdown(&markdown, rules), Explain(&explained, rules[1], Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "rules", list.String())
	golden(t, "rules.md", markdown.String())
	golden(t, "explain", explained.String())
	var data bytes.Buffer
	if err := ListJSON(&data, rules); err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Rules []struct{ Name, Severity string }
	}
	if err := json.Unmarshal(data.Bytes(), &parsed); err != nil || len(parsed.Rules) != 3 || parsed.Rules[1].Severity != "info" {
		t.Errorf("%v, %v", parsed, err)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestNothingFound prints reports without a finding.
func TestNothingFound(t *testing.T) {
	empty := &rule.Report{Rules: []string{"image-latest"}, Clusters: []string{"main"}}
	for form, want := range map[string]string{
		"text":   "No findings (1 rule on cluster main, 0.00 s)\n",
		"json":   `"findings": []`,
		"sarif":  `"results": []`,
		"github": "",
		"junit":  `<testcase classname="images" name="image-latest" time="0"></testcase>`,
	} {
		print, _ := In(form)
		var got bytes.Buffer
		if err := print(&got, empty, Options{Rules: rules}); err != nil || !strings.Contains(got.String(), want) {
			t.Errorf("%s: %v\n%s", form, err, got.String())
		}
	}
}

// TestSARIFSchema holds the log to what SARIF 2.1.0 demands of the parts that
// Hearth writes; whatever else stands in it is refused.
func TestSARIFSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "sarif.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Rules: rules, Prefix: "sub"}, {}} {
		for _, r := range []*rule.Report{sample(), {}} {
			var log bytes.Buffer
			if err := SARIF(&log, r, o); err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(&log)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Error(err)
			}
		}
	}
	for _, bad := range []string{`{}`, `{"$schema":"x","version":"2.0.0","runs":[]}`, `{"version":"2.1.0","runs":[{"tool":{}}]}`} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("the schema allows %s", bad)
		}
	}
}

// TestSARIFRulesAreFound holds results to the rules that they point at.
func TestSARIFRulesAreFound(t *testing.T) {
	var text bytes.Buffer
	if err := SARIF(&text, sample(), Options{Rules: rules}); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(text.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	fingerprints := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		if got := log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID; got != r.RuleID {
			t.Errorf("a result of %s points at %s", r.RuleID, got)
		}
		fingerprints[r.Fingerprints["hearth/v1"]] = true
	}
	if len(fingerprints) != len(sample().Findings) {
		t.Errorf("%d fingerprints of %d findings", len(fingerprints), len(sample().Findings))
	}
}

// TestGitHubCommands reads the commands back as the runner does.
func TestGitHubCommands(t *testing.T) {
	var out bytes.Buffer
	if err := GitHub(&out, sample(), Options{Prefix: "sub"}); err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer("%3A", ":", "%2C", ",", "%0D", "\r", "%0A", "\n", "%25", "%")
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(sample().Findings)+len(sample().Notes) {
		t.Fatalf("%d commands:\n%s", len(lines), out.String())
	}
	rest, ok := strings.CutPrefix(lines[1], "::error ")
	properties, message, found := strings.Cut(rest, "::")
	if !ok || !found {
		t.Fatalf("no command: %s", lines[1])
	}
	got := map[string]string{}
	for _, p := range strings.Split(properties, ",") {
		name, value, _ := strings.Cut(p, "=")
		got[name] = unescape.Replace(value)
	}
	want := map[string]string{"file": "sub/apps/a b, c:d%/helmrelease.yaml", "line": "24", "col": "16", "title": "image-latest"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := unescape.Replace(message), "the tag latest moves: 100% of the time\nfix: tag: v1.2.3\n# and a digest"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestJUnitIsWellFormed(t *testing.T) {
	var out bytes.Buffer
	if err := JUnit(&out, sample(), Options{Rules: rules}); err != nil {
		t.Fatal(err)
	}
	var parsed junitSuites
	if err := xml.Unmarshal(out.Bytes(), &parsed); err != nil {
		t.Fatal(err)
	}
	suite := parsed.Suites[0]
	if suite.Tests != 5 || suite.Failures != 1 || len(suite.Cases) != 5 {
		t.Errorf("%+v", suite)
	}
}
