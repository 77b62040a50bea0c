package timeline

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// TextOptions say how the text is shown.
type TextOptions struct {
	// Width is how many columns there are; less than 60 counts as 60.
	Width int
	// Colour marks states with ANSI colours.
	Colour bool
	// Pods shows pods, too.
	Pods bool
}

const minWidth = 60

// signs are what a column of a bar looks like, by its tone.
var signs = map[Tone]string{Ready: "█", Failed: "▓", Busy: "░", Gone: "·"}

var colours = map[Tone]string{Ready: "32", Failed: "31", Busy: "33", Gone: "2"}

// WriteText draws a timeline with characters: one row an object, one column a
// span of time. What stands in a column is the worst that happened in it.
func WriteText(w io.Writer, t *Timeline, o TextOptions) error {
	var b strings.Builder
	d := drawing{Builder: &b, t: t, o: o}
	d.measure()
	d.axis()
	for _, g := range t.Groups {
		for _, r := range g.Rows {
			if r.Kind != "Pod" || o.Pods {
				d.row(r)
			}
		}
	}
	for _, f := range t.Faults {
		d.span(f)
	}
	fmt.Fprintf(&b, "\n%s busy  %s ready  %s failed   › critical path\n", d.paint(Busy, signs[Busy]), d.paint(Ready, signs[Ready]), d.paint(Failed, signs[Failed]))
	_, err := io.WriteString(w, b.String())
	return err
}

type drawing struct {
	*strings.Builder
	t            *Timeline
	o            TextOptions
	label, lanes int // widths in columns
}

// measure divides the width between labels and bars.
func (d *drawing) measure() {
	width := max(d.o.Width, minWidth)
	for _, g := range d.t.Groups {
		for _, r := range g.Rows {
			if r.Kind == "Pod" && !d.o.Pods {
				continue
			}
			d.label = max(d.label, utf8.RuneCountInString(r.label()))
		}
	}
	d.label = min(d.label, width/2)
	d.lanes = width - d.label - 4
}

func (r Row) label() string { return plain(fmt.Sprintf("%s %s", short(r.Kind), r.Name)) }

// short are the kinds as people abbreviate them.
func short(kind string) string {
	switch kind {
	case "Kustomization":
		return "ks"
	case "HelmRelease":
		return "hr"
	case "ExternalSecret":
		return "es"
	case "HTTPRoute":
		return "route"
	case "PersistentVolumeClaim":
		return "pvc"
	}
	return strings.ToLower(kind)
}

// axis writes the times above the bars.
func (d *drawing) axis() {
	line := []rune(strings.Repeat(" ", d.lanes+8))
	step := tick(d.t.Seconds, max(1, d.lanes/12))
	for at := 0.0; at < d.t.Seconds; at += step {
		copy(line[d.column(at):], []rune(seconds(at)))
	}
	fmt.Fprintf(d, "%*s   %s\n", d.label, "", strings.TrimRight(string(line), " "))
}

func (d *drawing) column(at float64) int {
	if d.t.Seconds <= 0 {
		return 0
	}
	return min(d.lanes-1, int(at/d.t.Seconds*float64(d.lanes)))
}

func (d *drawing) row(r Row) {
	mark := " "
	if r.Critical {
		mark = "›"
	}
	fmt.Fprintf(d, "%s %s ", mark, pad(r.label(), d.label))
	columns := make([]Tone, d.lanes)
	for _, bar := range r.Bars {
		for i := d.column(bar.From); i <= d.column(bar.To); i++ {
			if worse(bar.Tone, columns[i]) {
				columns[i] = bar.Tone
			}
		}
	}
	for from := 0; from < d.lanes; {
		to := from
		for to < d.lanes && columns[to] == columns[from] {
			to++
		}
		sign, ok := signs[columns[from]]
		if !ok {
			sign = " "
		}
		d.WriteString(d.paint(columns[from], strings.Repeat(sign, to-from)))
		from = to
	}
	d.WriteString("\n")
}

// worse reports whether a tone is to be shown rather than another one.
func worse(a, b Tone) bool {
	weight := map[Tone]int{"": 0, Gone: 1, Ready: 2, Busy: 3, Failed: 4}
	return weight[a] > weight[b]
}

func (d *drawing) span(f Span) {
	from, to := d.column(f.From), d.column(f.To)
	fmt.Fprintf(d, "  %s %s%s\n", pad("fault", d.label), strings.Repeat(" ", from), d.paint(Failed, strings.Repeat("━", to-from+1)+" "+plain(f.Name)))
}

func (d *drawing) paint(tone Tone, s string) string {
	code, ok := colours[tone]
	if !ok || !d.o.Colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// pad cuts or fills a text to so many columns.
func pad(s string, width int) string {
	runes := []rune(s)
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return s + strings.Repeat(" ", width-len(runes))
}

// plain takes control characters out.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// tick returns the span of time between the marks of an axis, so that there
// are no more than so many.
func tick(total float64, marks int) float64 {
	for _, step := range []float64{0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200} {
		if total/step <= float64(marks) {
			return step
		}
	}
	return 86400
}

// seconds writes a time as people do.
func seconds(at float64) string {
	switch {
	case at < 60:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", at), ".0") + "s"
	case at < 3600:
		return fmt.Sprintf("%dm%02d", int(at)/60, int(at)%60)
	}
	return fmt.Sprintf("%dh%02d", int(at)/3600, int(at)/60%60)
}
