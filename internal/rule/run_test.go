package rule_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

func TestRun(t *testing.T) {
	off := &rule.Rule{Name: "off", OffByDefault: true, Severity: rule.Warning, Check: func(p *rule.Pass) {
		p.Report(rule.Finding{Message: "without a place"})
		p.Note("not judged")
		p.Note("not judged")
	}}
	general := &rule.Rule{Name: "general", Severity: rule.Error, Unless: []string{"bad-value"}, Check: func(p *rule.Pass) {
		p.Report(rule.Finding{Place: domain.Place{File: "main/one.yaml", Line: 7}, Message: "something is bad"})
		p.Report(rule.Finding{Place: domain.Place{File: "main/one.yaml", Line: 1}, Message: "something else is bad"})
		p.Report(rule.Finding{Place: domain.Place{File: "main/one.yaml", Line: 1}, Message: "something else is bad"})
	}}
	all := []*rule.Rule{badValue(), general, named(), off}
	for _, test := range []struct {
		name, config, want string
		only               []string
	}{
		{"everything that is on", "", `main/one.yaml:1:1 error general: something else is bad
main/one.yaml:4:3 info named: it has a name
main/one.yaml:7:8 error bad-value: the value is bad
main/two.yaml:4:3 info named: it has a name
main/two.yaml:7:8 error bad-value: the value is bad
`, nil},
		{"what is chosen", "", ":0 warning off: without a place\nmain/one.yaml:7:8 error bad-value: the value is bad\nmain/two.yaml:7:8 error bad-value: the value is bad\n", []string{"off", "bad-value"}},
		{"severities", "rules: {bad-value: info, general: off, named: {severity: warning}}", `main/one.yaml:4:3 warning named: it has a name
main/one.yaml:7:8 info bad-value: the value is bad
main/two.yaml:4:3 warning named: it has a name
main/two.yaml:7:8 info bad-value: the value is bad
`, nil},
		{"exclusions", "rules: {bad-value: {exclude: [home/one]}, general: off, named: {exclude: ['main/t*.yaml']}}", "main/one.yaml:4:3 info named: it has a name\nmain/two.yaml:7:8 error bad-value: the value is bad\n", nil},
		{"an exclusion of all rules", "rules: {off: {}, named: off}\nexclude: [main/one.yaml, main/t*]", ":0 warning off: without a place\n", nil},
		{"an excluded folder", "exclude: [main/]", "", nil},
		{"a rule that is named though it is off", "rules: {general: off}", "main/one.yaml:1:1 error general: something else is bad\nmain/one.yaml:7:3 error general: something is bad\n", []string{"general"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, lab)
			put(t, dir, ".hearth.yaml", "clusters: {main: {path: main, entry: {path: main}}}\n"+test.config+"\n")
			report, err := run(t, dir, rule.Options{Rules: all, Only: test.only})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(report.Findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotesAreToldOnce(t *testing.T) {
	note := func(name string) *rule.Rule {
		return &rule.Rule{Name: name, Check: func(p *rule.Pass) { p.Note("b"); p.Note("a"); p.Note("b") }}
	}
	report, err := run(t, write(t, lab), rule.Options{Rules: []*rule.Rule{note("second"), note("first")}})
	if err != nil {
		t.Fatal(err)
	}
	want := []rule.Note{{"first", "a"}, {"first", "b"}, {"second", "a"}, {"second", "b"}}
	if diff := cmp.Diff(want, report.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestMisuse(t *testing.T) {
	dir := write(t, lab)
	for want, o := range map[string]rule.Options{
		`there is no rule "nobody": hearth rules lists them`: {Only: []string{"nobody"}},
		`has no cluster "prod": choose one of main with`:     {Cluster: "prod"},
	} {
		o.Rules = []*rule.Rule{named()}
		if report, err := run(t, dir, o); err == nil || report != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	put(t, dir, ".hearth.yaml", "clusters: {main: {path: main, entry: {path: main}}}\nrules:\n  nobody: off\n")
	_, err := run(t, dir, rule.Options{Rules: []*rule.Rule{named()}})
	if want := `.hearth.yaml:3: there is no rule "nobody": hearth rules lists them`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestABrokenRuleLeavesTheOthers(t *testing.T) {
	broken := &rule.Rule{Name: "broken", Check: func(p *rule.Pass) {
		var none map[string]int
		none["x"] = 1
	}}
	report, err := run(t, write(t, lab), rule.Options{Rules: []*rule.Rule{broken, named()}})
	var cause *rule.BrokenError
	if !errors.As(err, &cause) || cause.Rule != "broken" || !strings.Contains(err.Error(), "rule broken broke down") {
		t.Errorf("error %v", err)
	}
	if report == nil || len(report.Findings) != 2 {
		t.Errorf("report %+v", report)
	}
}
