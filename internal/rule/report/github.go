package report

import (
	"fmt"
	"io"
	"path"
	"strings"

	"hearth/internal/rule"
)

// GitHub writes a report as workflow commands of GitHub Actions, which shows
// each finding beside its line.
func GitHub(w io.Writer, r *rule.Report, o Options) error {
	var out strings.Builder
	for _, f := range r.Findings {
		var properties []string
		add := func(name, value string) { properties = append(properties, name+"="+escapeProperty(value)) }
		if f.Place.Known() {
			add("file", path.Join(o.Prefix, f.Place.File))
		}
		if f.Place.Line > 0 {
			add("line", fmt.Sprint(f.Place.Line))
		}
		if f.Column > 0 {
			add("col", fmt.Sprint(f.Column))
		}
		add("title", f.Rule)
		message := visible(f.Message)
		if f.Fix != "" {
			message += "\nfix: " + f.Fix
		}
		fmt.Fprintf(&out, "::%s %s::%s\n", command(f.Severity), strings.Join(properties, ","), escapeData(message))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&out, "::notice title=%s::%s\n", escapeProperty(strings.TrimSpace("not judged "+n.Rule)), escapeData(visible(n.Text)))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func command(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "error"
	case rule.Warning:
		return "warning"
	}
	return "notice"
}

// What the runner reads as part of a command is written as percent codes.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(s string) string     { return dataEscapes.Replace(s) }
func escapeProperty(s string) string { return propertyEscapes.Replace(s) }
