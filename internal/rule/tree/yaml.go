package tree

import (
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/rule"
)

// YAML reports files that cannot be read.
var YAML = &rule.Rule{
	Name:     "yaml",
	Topic:    "tree",
	Severity: rule.Error,
	Title:    "Every file of the repository can be read",
	Why: "Flux stops at the first file that it cannot read: nothing of the Kustomization that holds it is applied, and the " +
		"cluster stays as it was, silently. Files that are too large, that are nested too deeply or whose anchors explode are not read " +
		"either, and a symbolic link that leads out of the repository leads nowhere once Flux has fetched it.",
	Remedy:  "Correct the line that is named. A field that is written twice counts once: keep the one that is meant.",
	Section: "Rule 1: GitOps is the source of truth",
	Bad: "metadata:\n" +
		"  name: web\n" +
		"  labels: {app: web}\n" +
		" namespace: home\n",
	Good: "metadata:\n" +
		"  name: web\n" +
		"  labels: {app: web}\n" +
		"  namespace: home\n",
	Unless: []string{"schema", "island-boundary"},
	Check:  checkYAML,
}

func checkYAML(p *rule.Pass) {
	for _, problem := range p.Repository.Problems {
		severity := rule.Error
		if !isManifest(problem.Place.File) {
			severity = rule.Warning
		}
		report(p, problem, severity)
	}
	// Bootstrap is read by other programs, whose dialects are only followed so far.
	for _, c := range p.Clusters {
		for _, problem := range c.Bootstrap.Problems {
			report(p, problem, rule.Warning)
		}
	}
}

func report(p *rule.Pass, problem *manifest.Problem, severity rule.Severity) {
	p.Report(rule.Finding{
		Place:     problem.Place,
		Severity:  severity,
		Message:   strings.TrimSuffix(oneLine(problem.Message), "."),
		Sensitive: true, // a line that is not understood may be anybody's
	})
}

func isManifest(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// oneLine returns a text without line breaks, at most so long.
func oneLine(text string) string {
	const longest = 500
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest-1]) + "…"
	}
	return text
}
