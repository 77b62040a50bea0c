package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hearth/internal/rule"
)

// ANSI codes of the colours of a terminal.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	yellow = "33"
	blue   = "34"
	green  = "32"
)

// Text writes a report for people: the findings of each file with the lines
// that they stand on, and a summary at the end.
func Text(w io.Writer, r *rule.Report, o Options) error {
	t := text{colour: o.Colour}
	file := ""
	for i, f := range r.Findings {
		if i == 0 || f.Place.File != file {
			file = f.Place.File
			t.heading(file, i > 0)
		}
		t.finding(f)
	}
	t.fixed(r.Fixed)
	t.notes(r.Notes)
	if t.Len() > 0 {
		t.WriteByte('\n')
	}
	t.summary(r)
	_, err := io.WriteString(w, t.String())
	return err
}

type text struct {
	strings.Builder
	colour bool
}

func (t *text) paint(code, s string) string {
	if !t.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) heading(file string, gap bool) {
	if gap {
		t.WriteByte('\n')
	}
	fmt.Fprintln(t, t.paint(bold, cmp.Or(visible(file), "(no file)")))
}

func (t *text) finding(f rule.Finding) {
	at := ""
	if f.Place.Line > 0 {
		at = fmt.Sprintf("%d:%d", f.Place.Line, max(1, f.Column))
	}
	fmt.Fprintf(t, "  %-8s %s %s: %s\n", at, t.severity(f.Severity), f.Rule, visible(f.Message))
	if e := f.Excerpt; e.Text != "" {
		number := fmt.Sprintf("%8d", f.Place.Line)
		fmt.Fprintf(t, "  %s %s\n", t.paint(faint, number+" |"), e.Text)
		fmt.Fprintf(t, "  %s %s%s\n", t.paint(faint, strings.Repeat(" ", len(number))+" |"),
			strings.Repeat(" ", e.Caret-1), t.paint(colourOf(f.Severity), strings.Repeat("^", e.Width)))
	}
	if f.Fix != "" {
		lines := strings.Split(strings.TrimRight(f.Fix, "\n"), "\n")
		for i, line := range lines {
			label := "         fix:"
			if i > 0 {
				label = "             "
			}
			fmt.Fprintf(t, "%s %s\n", t.paint(green, label), visible(line))
		}
	}
}

func (t *text) fixed(list []rule.Finding) {
	if len(list) == 0 {
		return
	}
	if t.Len() > 0 {
		t.WriteByte('\n')
	}
	fmt.Fprintln(t, t.paint(bold, "Fixed"))
	for _, f := range list {
		fmt.Fprintf(t, "  %s %s: %s\n", visible(f.Place.String()), f.Rule, visible(f.Message))
	}
}

func (t *text) notes(list []rule.Note) {
	if len(list) == 0 {
		return
	}
	if t.Len() > 0 {
		t.WriteByte('\n')
	}
	fmt.Fprintln(t, t.paint(bold, "Not judged"))
	for i, n := range list {
		if slices.ContainsFunc(list[:i], func(told rule.Note) bool { return told.Text == n.Text }) {
			continue
		}
		var names []string
		for _, same := range list[i:] {
			if same.Text == n.Text && same.Rule != "" {
				names = append(names, same.Rule)
			}
		}
		name := strings.Join(names, ", ")
		if name != "" {
			name += ": "
		}
		fmt.Fprintf(t, "  %s%s\n", name, visible(abridged(n.Text)))
	}
}

// summary says in one line what came of it.
func (t *text) summary(r *rule.Report) {
	verdict := t.paint(green, "No findings")
	if len(r.Findings) > 0 {
		files, fixable := map[string]bool{}, 0
		for _, f := range r.Findings {
			files[f.Place.File] = true
			if f.Fixable {
				fixable++
			}
		}
		verdict = strings.Join([]string{
			t.tally(r, rule.Error, "error"), t.tally(r, rule.Warning, "warning"), t.tally(r, rule.Info, "info"),
		}, ", ") + " in " + count(len(files), "file")
		if fixable > 0 {
			verdict += fmt.Sprintf("; --fix can put %d right", fixable)
		}
	}
	if len(r.Fixed) > 0 {
		verdict += fmt.Sprintf("; %d fixed", len(r.Fixed))
	}
	fmt.Fprintf(t, "%s (%s on %s, %s)\n", verdict, count(len(r.Rules), "rule"), clusters(r.Clusters), spent(r.Elapsed))
}

func (t *text) tally(r *rule.Report, s rule.Severity, name string) string {
	n := r.Count(s)
	said := fmt.Sprintf("%d %s", n, name)
	if s != rule.Info {
		said = count(n, name)
	}
	if n == 0 {
		return said
	}
	return t.paint(colourOf(s), said)
}

func (t *text) severity(s rule.Severity) string {
	return t.paint(colourOf(s), fmt.Sprintf("%-7s", s))
}

func colourOf(s rule.Severity) string {
	switch s {
	case rule.Error:
		return red
	case rule.Warning:
		return yellow
	}
	return blue
}

func clusters(names []string) string {
	if len(names) == 1 {
		return "cluster " + names[0]
	}
	return "clusters " + strings.Join(names, ", ")
}

func spent(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// visible makes text from a repository safe for a terminal.
func visible(s string) string { return strings.Map(rule.Printable, s) }
