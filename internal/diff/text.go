package diff

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Signs stand before what comes, goes and changes.
var signs = map[Kind]string{Added: "+", Removed: "-", Changed: "~", Reordered: "~"}

// writer keeps the first error of many writes.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.w, format, args...)
	}
}

// colour paints a text where colours are wanted.
type colour bool

func (c colour) paint(code, text string) string {
	if !c {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// codes are the colours of marks.
var codes = map[string]string{"+": "32", "-": "31", "~": "33", "@": "2", " ": "2"}

// WriteText writes a report for people at a terminal.
func WriteText(out io.Writer, r *Report, colours bool) error {
	w, c := &writer{w: out}, colour(colours)
	for _, app := range r.Applications {
		w.printf("%s\n", c.paint("1", clean(app.title())))
		for _, change := range app.Charts {
			w.printf("  %s\n", clean(change.String()))
		}
		for _, problem := range app.Problems {
			w.printf("  %s %s\n", c.paint("31", "!"), clean(problem))
		}
		for _, o := range app.Objects {
			w.object(c, o)
		}
		w.printf("\n")
	}
	for _, note := range r.Notes {
		w.printf("%s\n", clean(note))
	}
	w.printf("%s\n", r.Summary())
	return w.err
}

func (w *writer) object(c colour, o *Object) {
	sign := signs[o.Kind]
	w.printf("  %s %s%s\n", c.paint(codes[sign], sign), clean(o.title()), c.paint("2", at(o.Place.String())))
	for _, v := range o.Verdicts {
		w.printf("      %s\n", c.paint("31", "! "+clean(v.String())))
	}
	for _, f := range o.Fields {
		w.printf("      %s%s\n", clean(f.title()), c.paint("2", at(f.placeBeside(o))))
		for _, l := range f.lines() {
			mark := string(l.mark)
			w.printf("        %s\n", c.paint(codes[mark], strings.TrimRight(strings.TrimPrefix(mark, "@")+" "+l.text, " ")))
		}
	}
}

// at writes a place behind what stands there.
func at(place string) string {
	if place == "" {
		return ""
	}
	return "  " + clean(place)
}

// title names an application.
func (a *Application) title() string {
	if a.Of == bootstrap {
		return "Bootstrap"
	}
	return a.Of.Namespace + "/" + a.Of.Name
}

func (c ChartChange) String() string {
	switch {
	case c.Before == "":
		return fmt.Sprintf("chart of %s: %s, new", c.Release, c.After)
	case c.After == "":
		return fmt.Sprintf("chart of %s: %s, no longer", c.Release, c.Before)
	}
	return fmt.Sprintf("chart of %s: %s → %s", c.Release, c.Before, c.After)
}

func (o *Object) title() string {
	if o.From == nil {
		return o.Ref().String()
	}
	return fmt.Sprintf("%s (moves here from %s/%s)", o.Ref(), o.From.Namespace, cmp.Or(o.From.Name, "bootstrap"))
}

func (v Verdict) String() string { return string(v.Effect) + ": " + v.Message }

func (f Field) title() string {
	if f.Kind == Reordered {
		return f.Path + " (order)"
	}
	return f.Path
}

// placeBeside is the field's place where it is not that of its object.
func (f Field) placeBeside(o *Object) string {
	if f.Place == o.Place {
		return ""
	}
	return f.Place.String()
}

// Summary counts in one sentence.
func (r *Report) Summary() string {
	if !r.Differs() {
		return "no difference" + r.hidden()
	}
	text := fmt.Sprintf("%d %s: %d added, %d changed, %d removed", len(r.Applications), plural(len(r.Applications), "application", "applications"),
		r.Count(Added), r.Count(Changed), r.Count(Removed))
	effects := map[Effect]int{}
	for _, app := range r.Applications {
		for _, o := range app.Objects {
			for _, v := range o.Verdicts {
				effects[v.Effect]++
			}
		}
	}
	for _, e := range []Effect{Refused, Recreates, Destroys, Abandons} {
		if effects[e] > 0 {
			text += fmt.Sprintf(", %d %s", effects[e], e)
		}
	}
	return text + r.hidden()
}

func (r *Report) hidden() string {
	if r.Hidden == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d %s only in what repeats a chart's version or a checksum)", r.Hidden, plural(r.Hidden, "object differs", "objects differ"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
