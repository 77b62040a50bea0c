package timeline

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("timeline").Funcs(template.FuncMap{
	"plain":   plain,
	"seconds": seconds,
	"text":    func(s any) string { return plain(fmt.Sprint(s)) },
}).Parse(pageText))

// view is a timeline with what its page needs to place things.
type view struct {
	*Timeline
	Ticks []float64
}

// WriteHTML writes a timeline as one page that needs nothing else: no scripts,
// no fonts, no pictures. Groups fold, and kinds can be hidden.
func WriteHTML(w io.Writer, t *Timeline) error {
	v := view{Timeline: t}
	step := tick(t.Seconds, 12)
	for at := 0.0; at < t.Seconds; at += step {
		v.Ticks = append(v.Ticks, at)
	}
	return page.Execute(w, v)
}

// Left returns where a time stands, in per cent.
func (v view) Left(at float64) string { return v.percent(at) }

// Wide returns how wide a span is, in per cent.
func (v view) Wide(from, to float64) string { return v.percent(to - from) }

func (v view) percent(s float64) string {
	if v.Seconds <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", max(0, min(100, 100*s/v.Seconds)))
}

// Kinds are the kinds that there are, in the order in which they are told.
func (v view) Kinds() []string {
	seen := map[string]bool{}
	for _, g := range v.Groups {
		for _, r := range g.Rows {
			seen[r.Kind] = true
		}
	}
	var kinds []string
	for _, kind := range kindOrder {
		if seen[kind] {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
