package rule_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

// TestExcerpt shows what a report shows of a line.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("ä", 300) + "needle" + strings.Repeat("ö", 300)
	dir := write(t, lab, "-- main/file.yaml --\n"+
		"a: ümläut value # why\n"+
		"  \t- b\n"+
		"\n"+
		long+"\n"+
		"c: \x1b[31mred\u202e\r\n"+
		"  API_TOKEN: hunter2\n"+
		"env: hunter2\n",
		"-- main/secret.yaml --\n"+
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: shown}\n---\n"+
			"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  user: hunter2\n  config: |\n    hunter2\n",
		"-- main/broken.yaml --\n"+"kind: Secret\ndata: [hunter2\n")
	for _, test := range []struct {
		file      string
		line      int
		text      string
		sensitive bool
		column    int
		want      string
		mark      string
	}{
		{"main/file.yaml", 1, "value", false, 11, "a: ümläut value # why", "value"},
		{"main/file.yaml", 1, "", false, 1, "a: ümläut value # why", "a: ümläut value # why"},
		{"main/file.yaml", 1, "absent", false, 1, "a: ümläut value # why", "a: ümläut value # why"},
		{"main/file.yaml", 2, "", false, 4, "   - b", "- b"},
		{"main/file.yaml", 3, "", false, 0, "", ""},
		{"main/file.yaml", 99, "", false, 0, "", ""},
		{"main/file.yaml", 0, "", false, 0, "", ""},
		{"main/none.yaml", 1, "", false, 0, "", ""},
		{"main/file.yaml", 5, "red", false, 9, "c:  [31mred ", "red"},
		{"main/file.yaml", 6, "", false, 3, "  API_TOKEN: …", "API_TOKEN: …"},
		{"main/file.yaml", 7, "", true, 1, "env: …", "env: …"},
		{"main/file.yaml", 7, "env", true, 1, "env: …", "env"},
		{"main/secret.yaml", 4, "shown", false, 11, "data: {x: shown}", "shown"},
		{"main/secret.yaml", 10, "", false, 3, "  user: …", "user: …"},
		{"main/secret.yaml", 12, "", false, 5, "    …", "…"},
		{"main/broken.yaml", 2, "", false, 1, "data: …", "data: …"},
	} {
		f := findingAt(t, dir, rule.Finding{Place: domain.Place{File: test.file, Line: test.line}, Text: test.text, Sensitive: test.sensitive, Message: "x"})
		e := f.Excerpt
		if f.Column != test.column || e.Text != test.want {
			t.Errorf("%s:%d: column %d of %q, want %d of %q", test.file, test.line, f.Column, e.Text, test.column, test.want)
		}
		if e.Text != "" {
			if got := string([]rune(e.Text)[e.Caret-1 : e.Caret-1+e.Width]); strings.TrimSpace(got) != test.mark {
				t.Errorf("%s:%d: %q is marked, want %q", test.file, test.line, got, test.mark)
			}
		}
	}
	f := findingAt(t, dir, rule.Finding{Place: domain.Place{File: "main/file.yaml", Line: 4}, Text: "needle", Message: "x"})
	if n := utf8.RuneCountInString(f.Excerpt.Text); n > 160 || f.Column != 301 {
		t.Errorf("%d characters are shown, the column is %d", n, f.Column)
	}
	if got := string([]rune(f.Excerpt.Text)[f.Excerpt.Caret-1 : f.Excerpt.Caret+5]); got != "needle" {
		t.Errorf("%q is marked", got)
	}
}

// findingAt reports one finding, and returns it as a report has it.
func findingAt(t *testing.T, dir string, f rule.Finding) rule.Finding {
	t.Helper()
	report, err := run(t, dir, rule.Options{Rules: []*rule.Rule{{Name: "x", Severity: rule.Error, Check: func(p *rule.Pass) { p.Report(f) }}}})
	if err != nil || len(report.Findings) != 1 {
		t.Fatalf("%v, %v", report, err)
	}
	return report.Findings[0]
}
