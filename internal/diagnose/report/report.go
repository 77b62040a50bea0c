// Package report writes what was found to be wrong with a cluster: as text for
// a terminal, as Markdown for an issue or a chat, and as JSON for programs.
// Every text is escaped for where it is written.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

// maxBlocked bounds how many objects are told by name; the JSON form has all.
const maxBlocked = 40

// Painter colours a text; see [Text].
type Painter func(text string) string

// Style says how text looks. The zero value is plain.
type Style struct {
	Heading, Faint Painter
}

func paint(p Painter, text string) string {
	if p == nil || text == "" {
		return text
	}
	return p(text)
}

// Text writes a report for a terminal: a paragraph a finding, the widest first.
func Text(w io.Writer, r *diagnose.Report, style Style) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s  %s\n", paint(style.Heading, f.Title), paint(style.Faint, f.Cause+", confidence "+string(f.Confidence)))
		fmt.Fprintf(&b, "  %s\n", f.Sentence)
		if place := placeOf(f); place != "" {
			fmt.Fprintf(&b, "  at       %s\n", place)
		}
		for i, e := range f.Evidence {
			fmt.Fprintf(&b, "  %-8s %s\n", once(i, "because"), evidence(e))
		}
		fmt.Fprintf(&b, "  fix      %s\n", f.Fix)
		for i, c := range f.Commands {
			fmt.Fprintf(&b, "  %-8s %s\n", once(i, "see"), paint(style.Faint, c))
		}
		textBlocked(&b, f.Blocked)
		b.WriteByte('\n')
	}
	for _, u := range r.Unexplained {
		fmt.Fprintf(&b, "%s\n  %s is %s%s\n", paint(style.Heading, "No cause found"), u.Object, u.State, after(": ", u.Message))
		if u.Place.Known() {
			fmt.Fprintf(&b, "  at       %s\n", clean(u.Place.String()))
		}
		fmt.Fprintf(&b, "  looked   at %s\n", strings.Join(u.LookedAt, ", "))
		for i, c := range u.Commands {
			fmt.Fprintf(&b, "  %-8s %s\n", once(i, "see"), paint(style.Faint, c))
		}
		textBlocked(&b, u.Blocked)
		b.WriteByte('\n')
	}
	for _, unseen := range r.Unseen {
		fmt.Fprintf(&b, "not looked at: %s\n", unseen)
	}
	fmt.Fprintf(&b, "%s\n", Summary(r))
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary says in one line what was found.
func Summary(r *diagnose.Report) string {
	looked := fmt.Sprintf("%d objects looked at", r.Objects)
	if r.Healthy() {
		return "nothing is wrong; " + looked
	}
	text := count(len(r.Findings), "cause")
	if n := len(r.Unexplained); n > 0 {
		text += ", " + count(n, "symptom") + " without one"
	}
	blocked := map[domain.Ref]bool{}
	for _, f := range r.Findings {
		for _, a := range f.Blocked {
			blocked[a.Object] = true
		}
	}
	return text + ", " + count(len(blocked), "object") + " in trouble because of them; " + looked
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func once(i int, word string) string {
	if i > 0 {
		return ""
	}
	return word
}

func after(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

func evidence(e diagnose.Evidence) string {
	text := e.Object.String() + ", " + e.Field + after(": ", e.Text)
	if !e.Time.IsZero() {
		text += " (since " + e.Time.UTC().Format(time.DateTime) + " UTC)"
	}
	return clean(text)
}

// placeOf tells where a finding stands, and the commit that brought it.
func placeOf(f *diagnose.Finding) string {
	if !f.Place.Known() {
		return ""
	}
	text := f.Place.String()
	switch c := f.Commit; {
	case c == nil:
	case c.Uncommitted:
		text += ", not committed yet"
	default:
		text += fmt.Sprintf(", by %.8s of %s: %s", c.Hash, c.Time.Format(time.DateOnly), c.Subject)
	}
	return clean(text)
}

func textBlocked(b *strings.Builder, list []diagnose.Affected) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "  blocks   %s\n", count(len(list), "object"))
	for i, a := range list {
		if i == maxBlocked {
			fmt.Fprintf(b, "           and %d more\n", len(list)-i)
			return
		}
		fmt.Fprintf(b, "           %s\n", clean(a.Object.String()+" is "+string(a.State)))
	}
}

// clean is for what was put together from names: a file may be called anything.
func clean(text string) string { return diagnose.Clean(text) }

// JSON writes a report as one JSON object; fields are only ever added.
func JSON(w io.Writer, r *diagnose.Report) error {
	out := document{Report: r, Findings: []finding{}, Unexplained: []unexplained{}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, finding{f, diagnose.RefOf(f.Subject), at(f.Place)})
	}
	for _, u := range r.Unexplained {
		out.Unexplained = append(out.Unexplained, unexplained{u, at(u.Place)})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func at(p domain.Place) *domain.Place {
	if !p.Known() {
		return nil
	}
	return &p
}

type (
	document struct {
		*diagnose.Report
		Findings    []finding     `json:"findings"`
		Unexplained []unexplained `json:"unexplained"`
	}
	finding struct {
		*diagnose.Finding
		Subject domain.Ref    `json:"subject"`
		Place   *domain.Place `json:"place,omitempty"`
	}
	unexplained struct {
		*diagnose.Unexplained
		Place *domain.Place `json:"place,omitempty"`
	}
)
