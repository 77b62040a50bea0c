package draw

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"hearth/internal/graph"
)

// SVG writes a picture in which arrows lead from what needs something to what
// it needs; dashed ones are optional. Hovering tells more about a node or an
// arrow. It fails for a network too large to be laid out.
func SVG(w io.Writer, title string, n *graph.Network) error {
	l, err := layOut(n)
	if err != nil {
		return err
	}
	var b strings.Builder
	width, height := math.Ceil(l.width), math.Ceil(l.height)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="system-ui, sans-serif" font-size="11" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", xmlText(title))
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" fill="#ffffff"/>`+"\n", width, height)
	for _, f := range l.frames {
		svgFrame(&b, f)
	}
	for _, e := range n.Edges {
		svgEdge(&b, e, l.lines[e])
	}
	for _, node := range n.Nodes {
		svgNode(&b, node, l.boxes[node])
	}
	b.WriteString("</svg>\n")
	_, err = io.WriteString(w, b.String())
	return err
}

func svgFrame(b *strings.Builder, f frame) {
	fmt.Fprintf(b, `<g><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="8" fill="#fcfcfd" stroke="#d0d7de"/>`, f.x, f.y, f.w, f.h)
	title := f.title
	if title == "" {
		title = "cluster"
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="#57606a" font-size="13" font-weight="600">%s</text></g>`+"\n", f.x+framePadding, f.y+frameTitle, xmlText(title))
}

func svgEdge(b *strings.Builder, e *graph.Edge, line []point) {
	stroke, dash := "#8c959f", ""
	if !e.Hard {
		dash = ` stroke-dasharray="4 3"`
	}
	if e.To.Missing {
		stroke = colourOf(missing).stroke
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" marker-end="url(#arrow)"%s><title>%s</title></path>`+"\n",
		curve(line), stroke, dash, xmlText(e.From.Ref.String()+" "+e.Why+" "+e.To.Ref.String()+" ("+string(e.Kind)+")"))
}

// curve leads a smooth line through points: it leaves and enters each of them
// level.
func curve(line []point) string {
	var b strings.Builder
	for i, p := range line {
		if i == 0 {
			fmt.Fprintf(&b, "M%.1f %.1f", p.x, p.y)
			continue
		}
		before := line[i-1]
		middle := (before.x + p.x) / 2
		fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", middle, before.y, middle, p.y, p.x, p.y)
	}
	return b.String()
}

func svgNode(b *strings.Builder, n *graph.Node, at box) {
	kind, name := label(n)
	c := colourOf(mermaidClass(n))
	dash := ""
	if n.Doubt != "" {
		dash = ` stroke-dasharray="4 3"`
	}
	fmt.Fprintf(b, `<g><title>%s</title><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6" fill="%s" stroke="%s"%s/>`,
		xmlText(tooltip(n)), at.x, at.y, at.w, at.h, c.fill, c.stroke, dash)
	middle := at.x + at.w/2
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#57606a" font-size="9">%s</text>`, middle, at.y+13, xmlText(kind))
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#1f2328">%s</text></g>`+"\n", middle, at.y+28, xmlText(name))
}

// xmlText escapes a text for SVG; what XML cannot hold is replaced.
func xmlText(s string) string {
	var b strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
