package diff

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// forms are all forms of a report.
var forms = map[string]func(io.Writer, *Report) error{
	"text":    func(w io.Writer, r *Report) error { return WriteText(w, r, false) },
	"github":  WriteGitHub,
	"json":    WriteJSON,
	"html":    WriteHTML,
	"unified": WriteUnified,
}

func written(t testing.TB, form string, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := forms[form](&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func configMap(text string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: media}\ndata:\n  text: |\n    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
}

// TestHostile writes what strangers wrote so that it does nothing to those who
// read it.
func TestHostile(t *testing.T) {
	report := compare(t, snapshot(t, configMap("one\n")), snapshot(t, configMap("one\n```\n</details><script>alert(1)</script>\n")))
	report.Applications[0].Of.Name = "a\x1b[31m<img>@everyone|`x`"
	report.Applications[0].Problems = []string{"\x1b]0;title\x07 | <script>"}
	for form := range forms {
		text := written(t, form, report)
		if strings.ContainsAny(text, "\x1b\x07") {
			t.Errorf("%s steers the terminal: %q", form, text)
		}
	}
	page := written(t, "html", report)
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") {
		t.Errorf("the page has markup of strangers:\n%s", page)
	}
	comment := written(t, "github", report)
	fence := regexp.MustCompile("(?m)^(`{3,})diff$").FindStringSubmatch(comment)
	if fence == nil || strings.Count(comment, fence[1]) != 2 {
		t.Errorf("the block can be left:\n%s", comment)
	}
	if strings.Contains(comment, "<img>") || strings.Contains(comment, "<b>a [31m<") {
		t.Errorf("the comment has markup of strangers:\n%s", comment)
	}
}

// TestPageNeedsNothing holds the page to what it promises.
func TestPageNeedsNothing(t *testing.T) {
	page := written(t, "html", compare(t, snapshot(t, configMap("one")), snapshot(t, configMap("two"))))
	for _, part := range []string{"<script", "src=", "href=", "url(", "@import"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q:\n%s", part, page)
		}
	}
}

// TestCommentIsBounded keeps a comment to what GitHub takes, whatever changes.
func TestCommentIsBounded(t *testing.T) {
	before, after := &Snapshot{}, &Snapshot{}
	for i := range 300 {
		for _, s := range []struct {
			to   *Snapshot
			text string
		}{{before, "old"}, {after, "new"}} {
			made := snapshot(t, configMap(strings.Repeat(fmt.Sprintf("%s line %d\n", s.text, i), 40)))
			u := made.Units[0]
			u.Of.Name = fmt.Sprintf("app-%03d", i)
			u.App = u.Of
			u.Items[0].Key.Name = u.Of.Name
			s.to.Units = append(s.to.Units, u)
		}
	}
	comment := written(t, "github", compare(t, before, after))
	if len(comment) > 65_000 || !strings.Contains(comment, "more applications differ") {
		t.Errorf("a comment of %d bytes, which ends in %q", len(comment), comment[len(comment)-200:])
	}
}

// TestUnified is what patch understands.
func TestUnified(t *testing.T) {
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	before := strings.Join(lines, "\n")
	lines[4], lines[25] = "changed", "changed, too"
	got := written(t, "unified", compare(t, snapshot(t, configMap(before)), snapshot(t, configMap(strings.Join(lines, "\n")))))
	for _, want := range []string{
		"--- a/media/app/ConfigMap media/c\n+++ b/media/app/ConfigMap media/c\n", "@@ -5,7 +5,7 @@\n", "@@ -26,7 +26,7 @@\n", "-    line 4\n+    changed\n", "-    line 25\n+    changed, too\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

// TestLines compares texts of several lines line by line.
func TestLines(t *testing.T) {
	got := written(t, "text", compare(t, snapshot(t, configMap("one\ntwo\nthree\n")), snapshot(t, configMap("one\n2\nthree\n"))))
	for _, want := range []string{"data.text", "        - two\n        + 2\n", "          one\n", "1 application: 0 added, 1 changed, 0 removed"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}
