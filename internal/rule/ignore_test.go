package rule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/rule"
)

func TestIgnore(t *testing.T) {
	config := func(top, data string) string {
		return top + "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: home\ndata:\n" + data
	}
	for _, test := range []struct {
		name, one, want string
		only            []string
		cluster         string
	}{
		{name: "above the line", one: config("", "  # hearth:ignore bad-value it is a test\n  bad: value\n")},
		{name: "above comments and empty lines", one: config("", "  # hearth:ignore bad-value it is a test\n\n  # about bad\n  bad: value\n")},
		{name: "at the end of the line", one: config("", "  bad: value # hearth:ignore bad-value it is a test\n")},
		{name: "another line", one: config("", "  # hearth:ignore bad-value it is a test\n  other: value\n  bad: value\n"), want: `main/one.yaml:7:5 warning ignore: the comment silences nothing: bad-value finds nothing here
main/one.yaml:9:8 error bad-value: the value is bad
`},
		{name: "without a reason", one: config("", "  # hearth:ignore bad-value\n  bad: value\n"), want: `main/one.yaml:7:5 warning ignore: the comment does not say why bad-value is silenced, and silences nothing until it does
main/one.yaml:8:8 error bad-value: the value is bad
`},
		{name: "without a rule", one: config("# hearth:ignore\n", "  a: b\n"), want: "main/one.yaml:1:3 warning ignore: the comment names no rule, so that it silences nothing\n"},
		{name: "of no rule", one: config("# hearth:ignore nobody it is a test\n", "  a: b\n"), want: "main/one.yaml:1:17 warning ignore: there is no rule \"nobody\" to be silenced\n"},
		{name: "of itself", one: config("# hearth:ignore ignore it is a test\n", "  a: b\n"), want: "main/one.yaml:1:10 warning ignore: there is no rule \"ignore\" to be silenced\n"},
		{name: "of a whole object", one: config("---\n# hearth:ignore named it is a test\n", "  a: b\n"), only: []string{"named", "ignore"}},
		{name: "of a whole object above its mark", one: config("# hearth:ignore named it is a test\n---\n", "  a: b\n"), only: []string{"named", "ignore"}},
		{name: "no comment at all", one: config("", "  a: text#hearth:ignore bad-value x\n")},
		{name: "of a rule that did not run", one: config("", "  # hearth:ignore bad-value it is a test\n  a: b\n"), only: []string{"ignore"}},
		{name: "where not all clusters were judged", one: config("", "  # hearth:ignore bad-value it is a test\n  a: b\n"), cluster: "main"},
		{name: "one comment for two findings", one: config("", "  # hearth:ignore twice it is a test\n  a: b\n"), only: []string{"twice", "ignore"}, want: "main/one.yaml:8:3 error twice: second\n"},
		{name: "two comments for two findings", one: config("", "  # hearth:ignore twice it is a test\n  # hearth:ignore twice it still is\n  a: b\n"), only: []string{"twice", "ignore"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			twice := &rule.Rule{Name: "twice", Severity: rule.Error, OffByDefault: true, Check: func(p *rule.Pass) {
				for _, o := range p.Clusters[0].State.OfKind("", "ConfigMap") {
					for _, message := range []string{"second", "first"} {
						p.Report(rule.Finding{Place: o.Place("data", "a"), Message: message})
					}
				}
			}}
			whole := named()
			whole.OffByDefault = true
			dir := write(t, strings.Replace(lab, "[one.yaml, two.yaml]", "[one.yaml]", 1))
			put(t, dir, "main/one.yaml", test.one)
			report, err := run(t, dir, rule.Options{Rules: []*rule.Rule{badValue(), whole, twice, rule.Ignore}, Only: test.only, Cluster: test.cluster})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(report.Findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
