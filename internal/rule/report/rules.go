package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hearth/internal/rule"
)

// Explain writes what a rule enforces, why, and how to put right what it finds.
func Explain(w io.Writer, r *rule.Rule, o Options) error {
	t := text{colour: o.Colour}
	fmt.Fprintf(&t, "%s (%s, topic %s%s)\n%s.\n", t.paint(bold, r.Name), r.Severity, r.Topic, traits(r), r.Title)
	section := func(title, body string) { fmt.Fprintf(&t, "\n%s\n%s\n", t.paint(bold, title), fold(body)) }
	section("Why", r.Why)
	section("How to fix", r.Remedy)
	for _, example := range []struct{ title, yaml string }{{"Wrong", r.Bad}, {"Right", r.Good}} {
		fmt.Fprintf(&t, "\n%s\n", t.paint(bold, example.title))
		for line := range strings.Lines(strings.TrimRight(example.yaml, "\n") + "\n") {
			fmt.Fprintf(&t, "    %s", line)
		}
	}
	fmt.Fprintf(&t, "\nIt enforces the section %q of the domain model.\n", r.Section)
	_, err := io.WriteString(w, t.String())
	return err
}

// traits says what is special about a rule.
func traits(r *rule.Rule) string {
	said := ""
	if r.Fixes {
		said += ", --fix corrects it"
	}
	if r.OffByDefault {
		said += ", off until configured"
	}
	return said
}

// fold breaks a text into lines of up to 80 characters.
func fold(body string) string {
	const width = 80
	var lines []string
	line := ""
	for _, word := range strings.Fields(body) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

// List writes a line for each rule.
func List(w io.Writer, rules []*rule.Rule, o Options) error {
	t := text{colour: o.Colour}
	width := 0
	for _, r := range rules {
		width = max(width, len(r.Name))
	}
	topic := ""
	for _, r := range rules {
		if r.Topic != topic {
			topic = r.Topic
			fmt.Fprintf(&t, "%s\n", t.paint(bold, topic))
		}
		special := strings.TrimPrefix(traits(r), ", ")
		if special != "" {
			special = t.paint(faint, " ("+special+")")
		}
		fmt.Fprintf(&t, "  %-*s  %s  %s%s\n", width, r.Name, t.severity(r.Severity), r.Title, special)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// ListJSON writes the rules as one JSON document.
func ListJSON(w io.Writer, rules []*rule.Rule) error {
	type jsonRule struct {
		Name         string `json:"name"`
		Topic        string `json:"topic"`
		Severity     string `json:"severity"`
		Title        string `json:"title"`
		Why          string `json:"why"`
		Remedy       string `json:"remedy"`
		Section      string `json:"section"`
		Bad          string `json:"bad"`
		Good         string `json:"good"`
		OffByDefault bool   `json:"offByDefault"`
		Fixes        bool   `json:"fixes"`
	}
	list := []jsonRule{}
	for _, r := range rules {
		list = append(list, jsonRule{r.Name, r.Topic, r.Severity.String(), r.Title, r.Why, r.Remedy, r.Section, r.Bad, r.Good, r.OffByDefault, r.Fixes})
	}
	return writeJSON(w, map[string]any{"rules": list})
}

// Markdown writes the reference of the rules.
func Markdown(w io.Writer, rules []*rule.Rule) error {
	var out strings.Builder
	out.WriteString("# The rules\n\n" +
		"What `hearth check` judges. A rule is set in [.hearth.yaml](configuration.md): `rules: {NAME: off | info | warning | error}`,\n" +
		"or `rules: {NAME: {severity: …, exclude: [FILES or NAMESPACE/NAME]}}`. One finding is silenced by a comment above its line:\n" +
		"`# hearth:ignore NAME reason`. This page is generated from the rules themselves: `go generate ./internal/rule/rules`.\n\n" +
		"| rule | severity | what it enforces |\n| --- | --- | --- |\n")
	for _, r := range rules {
		fmt.Fprintf(&out, "| [`%s`](#%s) | %s | %s |\n", r.Name, r.Name, r.Severity, strings.ReplaceAll(r.Title, "|", `\|`))
	}
	var topics []string
	for _, r := range rules {
		if !slices.Contains(topics, r.Topic) {
			topics = append(topics, r.Topic)
		}
	}
	for _, topic := range topics {
		fmt.Fprintf(&out, "\n## %s\n", topic)
		for _, r := range rules {
			if r.Topic == topic {
				markdownRule(&out, r)
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func markdownRule(out *strings.Builder, r *rule.Rule) {
	fmt.Fprintf(out, "\n### %s\n\n%s. Severity: %s%s. Section of the domain model: %s.\n\n%s\n\n**To fix it**: %s\n",
		r.Name, r.Title, r.Severity, traits(r), r.Section, r.Why, r.Remedy)
	fmt.Fprintf(out, "\nWrong:\n\n```yaml\n%s\n```\n\nRight:\n\n```yaml\n%s\n```\n", strings.TrimRight(r.Bad, "\n"), strings.TrimRight(r.Good, "\n"))
}
