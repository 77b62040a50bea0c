package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// frame is one picture of the live tree: Kustomizations in the order of their
// dependencies, each with what it waits for, and a line that sums up.
type frame struct {
	objects       []observe.Object
	start         time.Time
	elapsed       time.Duration
	width, height int // of the terminal; 0 where it does not tell
	painter
}

// The height of a terminal that does not tell, and the bounds of what is drawn.
const (
	usualHeight = 24
	maxIndent   = 6
	maxName     = 48
)

// lines draws the frame. It fits the height: where it must, those that are
// Ready, and then those that wait, are folded into one line.
func (f frame) lines() []string {
	room := max(1, cmp.Or(f.height, usualHeight)-3)
	shown, ready, more := fold(liveRows(f.objects), room)
	var lines []string
	if ready > 0 {
		lines = append(lines, f.line(cell{text: "  "}, cell{"✓", green}, cell{text: fmt.Sprintf(" %d Ready", ready)}))
	}
	name, namespace := 0, 0
	for _, r := range shown {
		name = max(name, min(maxName, columns(label(r))))
		namespace = max(namespace, columns(printable(r.Namespace)))
	}
	for _, r := range shown {
		lines = append(lines, f.row(r, name, namespace))
	}
	if more > 0 {
		lines = append(lines, f.line(cell{fmt.Sprintf("  … and %d more", more), faint}))
	}
	return append(lines, "", f.summary())
}

// fold selects the rows that fit into so many lines, in their order: the Ready
// ones are left out first, then the last of those that only wait, then the
// last of all.
func fold(rows []liveRow, room int) (shown []liveRow, ready, more int) {
	if len(rows) <= room {
		return rows, 0, 0
	}
	rest := slices.DeleteFunc(slices.Clone(rows), func(r liveRow) bool { return r.Ready })
	ready = len(rows) - len(rest)
	if ready > 0 {
		room--
	}
	if len(rest) <= room {
		return rest, ready, 0
	}
	room = max(0, room-1)
	moving := 0
	for _, r := range rest {
		if !r.waiting() {
			moving++
		}
	}
	waiting := max(0, room-moving)
	for _, r := range rest {
		switch {
		case len(shown) == room:
			return shown, ready, len(rest) - len(shown)
		case !r.waiting():
			shown = append(shown, r)
		case waiting > 0:
			shown = append(shown, r)
			waiting--
		}
	}
	return shown, ready, len(rest) - len(shown)
}

// waiting reports whether nothing happens to a Kustomization for now.
func (r liveRow) waiting() bool { return r.Suspended || r.State == domain.KustomizationIdle }

// label is a Kustomization's name, set in by its depth.
func label(r liveRow) string {
	return strings.Repeat("  ", min(r.depth, maxIndent)) + printable(r.Name)
}

// row draws a Kustomization.
func (f frame) row(r liveRow, name, namespace int) string {
	mark := liveMark(r)
	head := fmt.Sprintf(" %s  %s  ", pad(cut(label(r), name), name), pad(printable(r.Namespace), namespace))
	state := cell{pad(f.state(r), len("suspended")), mark.colour}
	if r.Ready {
		state.colour = ""
	}
	return f.line(cell{text: "  "}, mark, cell{text: head}, state, cell{"  " + detail(r), faint})
}

func liveMark(r liveRow) cell {
	switch {
	case r.Suspended:
		return cell{"–", faint}
	case r.Ready:
		return cell{"✓", green}
	case r.State == domain.KustomizationFailed:
		return cell{"✗", red}
	case r.State == domain.KustomizationIdle:
		return cell{"○", faint}
	}
	return cell{"●", yellow}
}

// state is the state's name, or when it became Ready.
func (f frame) state(r liveRow) string {
	switch {
	case r.Suspended:
		return "suspended"
	case r.Ready && !r.ReadyAt.IsZero():
		return fmt.Sprintf("%8s", seconds(r.ReadyAt.Sub(f.start)))
	}
	return string(r.State)
}

// detail says what a Kustomization waits for, or has waited for.
func detail(r liveRow) string {
	after := dependencies(r.Object)
	switch {
	case r.Suspended:
		return ""
	case r.State == domain.KustomizationFailed, r.State == domain.KustomizationIdle:
		return printable(r.Message)
	case len(r.waits) > 0:
		return strings.Join(r.waits, "; ")
	case r.Ready && after != "":
		return "after " + after
	}
	return ""
}

// summary counts what is ready.
func (f frame) summary() string {
	counts := observe.Counts(f.objects)
	var parts []string
	for _, k := range viewKinds {
		if c := counts[k.kind]; c.Total > 0 {
			parts = append(parts, fmt.Sprintf("%s %d/%d", k.title, c.Ready, c.Total))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "waiting for the first objects")
	}
	return f.line(cell{text: "  " + strings.Join(append(parts, seconds(f.elapsed)), " · ")})
}

// line joins cells into a line that does not wrap.
func (f frame) line(cells ...cell) string {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1].text) == "" {
		cells = cells[:len(cells)-1]
	}
	if n := len(cells); n > 0 {
		cells[n-1].text = strings.TrimRight(cells[n-1].text, " ")
	}
	var b strings.Builder
	used := 0
	for _, c := range cells {
		if f.width > 0 {
			left := f.width - 1 - used
			if left <= 0 {
				break
			}
			c.text = cut(c.text, left)
		}
		used += columns(c.text)
		b.WriteString(f.paint(c.colour, c.text))
	}
	return b.String()
}

// seconds writes a duration as a person reads it: 2.1s, 4m10s, 1h02m.
func seconds(d time.Duration) string {
	if d = max(0, d); d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	epoch := time.Unix(0, 0)
	return age(epoch.Add(d), epoch)
}
