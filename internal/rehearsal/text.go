package rehearsal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

// TextOptions say how the text is shown.
type TextOptions struct {
	// Colour marks verdicts with ANSI colours.
	Colour bool
	// Assumptions lists every assumption instead of counting them.
	Assumptions bool
}

// WriteText writes the report for a person at a terminal.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	p := &textPrinter{colour: o.Colour}
	p.headline(r)
	p.tree(r.tree)
	p.problems(r)
	p.faults(r.Faults)
	p.findings(r.found)
	if o.Assumptions {
		p.assumptions(r.Assumptions)
	}
	p.summary(r)
	_, err := io.WriteString(w, p.String())
	return err
}

type textPrinter struct {
	strings.Builder
	colour bool
}

const (
	green  = "32"
	red    = "31"
	yellow = "33"
	faint  = "2"
)

func (p *textPrinter) paint(code, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *textPrinter) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *textPrinter) headline(r *Report) { p.printf("%s\n\n", r.kubernetes.headline()) }

func (k kubernetes) headline() string {
	minor := k.version
	if strings.Count(minor, ".") > 1 {
		minor = minor[:strings.LastIndex(minor, ".")]
	}
	return fmt.Sprintf("Kubernetes %s ready in %.1fs · %s · %s · %s",
		minor, k.ready.Seconds(), plural(k.nodes, "virtual node"), k.path, k.tree)
}

func (p *textPrinter) tree(rows []row) {
	name, namespace := 0, 0
	for _, row := range rows {
		name = max(name, utf8.RuneCountInString(row.object.Name))
		namespace = max(namespace, utf8.RuneCountInString(row.object.Namespace))
	}
	for _, row := range rows {
		mark, state := p.standing(row)
		line := fmt.Sprintf("  %s %-*s  %-*s  %s", mark, name, row.object.Name, namespace, row.object.Namespace, state)
		switch {
		case row.up() && len(row.after) > 0:
			line += p.paint(faint, "   after "+strings.Join(row.after, ", "))
		case len(row.waiting) > 0:
			line += "   by " + strings.Join(row.waiting, ", ")
		}
		p.printf("%s\n", line)
		p.causes(row.causes)
	}
	p.printf("\n")
}

// standing returns the mark and the state of a row.
func (p *textPrinter) standing(row row) (mark, state string) {
	switch o := row.object; {
	case o.suspended:
		return p.paint(yellow, "–"), "suspended"
	case row.up() && o.ReadyAfterSeconds != nil:
		return p.paint(green, "✓"), fmt.Sprintf("%6s", seconds(*o.ReadyAfterSeconds))
	case row.up():
		return p.paint(green, "✓"), ""
	case row.blocked():
		return p.paint(red, "✗"), "blocked"
	default:
		return p.paint(red, "✗"), strings.ToLower(string(o.State))
	}
}

func (p *textPrinter) causes(causes []cause) {
	var last domain.Place
	for i, c := range causes {
		p.printf("      %s\n", c.text)
		last = c.place
		if last.Known() && (i+1 == len(causes) || causes[i+1].place != last) {
			p.printf("      %s\n", p.paint(faint, last.String()))
		}
	}
}

// findings tells each cause in short; hearth explain -o json has all.
func (p *textPrinter) findings(found *diagnose.Report) {
	if found == nil || len(found.Findings) == 0 {
		return
	}
	p.printf("\n")
	for _, f := range found.Findings {
		p.printf("%s %s  %s\n", p.paint(red, "▸"), f.Title, p.paint(faint, f.Cause))
		p.printf("    %s\n", f.Sentence)
		if f.Place.Known() {
			p.printf("    %s\n", f.Place)
		}
		p.printf("    fix: %s\n", f.Fix)
		if n := len(f.Blocked); n > 1 {
			p.printf("    %s\n", p.paint(faint, plural(n, "object")+" in trouble because of it"))
		}
	}
	p.printf("\n")
}

// faults says what each fault did, the first objects by name.
func (p *textPrinter) faults(effects []Effect) {
	const shown = 5
	for _, e := range effects {
		var names []string
		for _, d := range e.Down[:min(shown, len(e.Down))] {
			names = append(names, fmt.Sprintf("%s %s", d.Ref, d.State))
		}
		if more := len(e.Down) - shown; more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		if len(names) == 0 {
			names = []string{"nothing was down"}
		}
		p.printf("%s fault %s: %s\n", p.paint(yellow, "!"), e.Fault, strings.Join(names, ", "))
	}
}

func (p *textPrinter) problems(r *Report) {
	for _, problem := range r.Problems {
		p.printf("%s %s\n", p.paint(yellow, "!"), problem)
	}
	if len(r.Problems) > 0 {
		p.printf("\n")
	}
}

func (p *textPrinter) assumptions(list []domain.Assumption) {
	if len(list) == 0 {
		return
	}
	p.printf("Assumed\n")
	kind := 0
	for _, a := range list {
		kind = max(kind, len(a.Kind))
	}
	for _, a := range list {
		p.printf("  %-*s  %s: %s\n", kind, a.Kind, a.Subject, a.Reason)
	}
	p.printf("\n")
}

func (p *textPrinter) summary(r *Report) {
	if len(r.CriticalPath) > 0 {
		var names []string
		for _, step := range r.CriticalPath {
			if !slices.Contains(names, step.Name) {
				names = append(names, step.Name)
			}
		}
		p.printf("Critical path  %s   %s at real pace\n", strings.Join(names, " → "), seconds(r.PredictedSeconds))
	}
	p.printf("Assumed        %s\n", countAssumptions(r.Assumptions))
	if len(r.OffModel) > 0 {
		p.printf("Off the model  %s\n", plural(len(r.OffModel), "transition"))
	}
	p.printf("Verdict        %s\n", p.verdict(r))
}

func (p *textPrinter) verdict(r *Report) string {
	if r.Verdict == Converged {
		return fmt.Sprintf("%s  %s   %s", p.paint(green, "CONVERGED"), tallies(r.Counts, true), seconds(r.WallSeconds))
	}
	text := cmp.Or(tallies(r.Counts, false), others(r.found))
	if text != "" {
		text += " not Ready"
	}
	if r.Incomplete != "" {
		text = strings.TrimPrefix(text+"; "+r.Incomplete, "; ")
	}
	return fmt.Sprintf("%s  %s   %s", p.paint(red, "FAILED"), text, seconds(r.WallSeconds))
}

// countedKinds are the kinds that a verdict counts, in the order it names them.
var countedKinds = []string{"Kustomization", "HelmRelease", "ExternalSecret", "Pod", "HTTPRoute"}

// tallies says how many are ready of each kind, or how many are not.
func tallies(counts map[string]Count, ready bool) string {
	var parts []string
	for _, kind := range countedKinds {
		c := counts[kind]
		switch {
		case ready && c.Total > 0:
			parts = append(parts, plural(c.Ready, kind))
		case !ready && c.Ready < c.Total:
			parts = append(parts, fmt.Sprintf("%d of %s", c.Total-c.Ready, plural(c.Total, kind)))
		}
	}
	return strings.Join(parts, ", ")
}

// others counts what is down of the kinds that are not counted.
func others(found *diagnose.Report) string {
	if found == nil {
		return ""
	}
	var kinds []string
	count := map[string]int{}
	for _, down := range found.Down {
		if count[down.Object.Kind]++; count[down.Object.Kind] == 1 {
			kinds = append(kinds, down.Object.Kind)
		}
	}
	for i, kind := range kinds {
		kinds[i] = plural(count[kind], kind)
	}
	return strings.Join(kinds, ", ")
}

var assumptionNames = []struct {
	kind domain.AssumptionKind
	noun string
}{
	{domain.AssumedChart, "chart"},
	{domain.AssumedCRD, "CRD"},
	{domain.AssumedSecret, "secret value"},
	{domain.AssumedBootstrap, "bootstrap object"},
	{domain.AssumedOperator, "operator"},
	{domain.AssumedNode, "node property"},
	{domain.AssumedStorageClass, "storage class"},
	{domain.AssumedImage, "image"},
	{domain.AssumedVersion, "version"},
	{domain.AssumedInputs, "input"},
}

func countAssumptions(list []domain.Assumption) string {
	var parts []string
	for _, name := range assumptionNames {
		n := 0
		for _, a := range list {
			if a.Kind == name.kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, plural(n, name.noun))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ") + " (--show-assumptions)"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if n := len(noun); n > 1 && noun[n-1] == 'y' && !strings.ContainsRune("aeiou", rune(noun[n-2])) {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	if strings.HasSuffix(noun, "ss") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// seconds writes a duration as a person reads it: 2.1s, 4m10s, 1h2m.
func seconds(s float64) string {
	if s < 60 {
		return fmt.Sprintf("%.1fs", s)
	}
	d := time.Duration(s * float64(time.Second)).Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// sortObjects orders objects by kind, namespace and name.
func sortObjects(objects []Object) {
	slices.SortFunc(objects, func(a, b Object) int {
		return cmp.Or(a.Ref.Compare(b.Ref), strings.Compare(string(a.State), string(b.State)))
	})
}
