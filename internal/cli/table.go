package cli

import (
	"io"
	"strings"
	"unicode"

	"hearth/internal/domain"
)

// printable makes text that came from a cluster safe for a terminal: control
// characters, and those that turn the direction of writing, become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

// columns returns how many columns of a terminal a text takes up.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd):
		return 2
	}
	return 1
}

// cut shortens a text to so many columns; 0 means no bound.
func cut(s string, width int) string {
	if width <= 0 || columns(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeColumns(r); n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// pad fills a text up to so many columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}

// The colours of a terminal's text, as ANSI codes.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	faint  = "2"
)

// painter colours text, or leaves it alone.
type painter bool

func (p painter) paint(code, s string) string {
	if !p || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// stateColour returns the colour of a state.
func stateColour(kind string, s domain.State, ready bool) string {
	if ready {
		return green
	}
	if m, ok := domain.MachineFor(kind); ok {
		if info, _ := m.Info(s); info.Failed {
			return red
		}
		return yellow
	}
	if s == domain.ReleaseFailed {
		return red
	}
	return yellow
}

// cell is one field of a table.
type cell struct{ text, colour string }

// table is text in aligned columns. The last column is cut to the width that
// is left, if there is a bound.
type table struct {
	header []string
	rows   [][]cell
	width  int
	painter
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// write writes the table; columns that are empty in all rows are left out.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.header))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	for i, name := range t.header {
		if widths[i] > 0 {
			widths[i] = max(widths[i], columns(name))
		}
	}
	var b strings.Builder
	header := make([]cell, len(t.header))
	for i, name := range t.header {
		header[i] = cell{text: name, colour: faint}
	}
	t.line(&b, widths, header)
	for _, row := range t.rows {
		t.line(&b, widths, row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) line(b *strings.Builder, widths []int, row []cell) {
	at, gap := 0, 0
	for i, c := range row {
		if widths[i] == 0 {
			continue
		}
		text := c.text
		if t.width > 0 {
			text = cut(text, max(1, t.width-at-gap))
		}
		if text != "" {
			b.WriteString(strings.Repeat(" ", gap))
			b.WriteString(t.paint(c.colour, text))
			at, gap = at+gap+columns(text), 0
		}
		gap += widths[i] - columns(text) + 3
	}
	b.WriteByte('\n')
}
