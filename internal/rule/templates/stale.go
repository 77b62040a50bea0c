package templates

import (
	"fmt"
	"path"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

var templateStale = &rule.Rule{
	Name:     "template-stale",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "A rendered file beside its template is what the template renders to",
	Why: "A file that a template renders to is made anew with the next rendering: a change that was made by hand is then " +
		"lost without a word. And a template that was changed without rendering it again has changed nothing.",
	Remedy:  "Make the change in the template, render it, and commit both.",
	Section: "Don't: Edit Generated Files",
	Bad: "# talos/nodes/k8s-1.yaml.j2\n" +
		"hostname: k8s-1\n" +
		"---\n" +
		"# talos/nodes/k8s-1.yaml, edited by hand\n" +
		"hostname: node-1\n",
	Good: "# talos/nodes/k8s-1.yaml.j2\n" +
		"hostname: node-1\n" +
		"---\n" +
		"# talos/nodes/k8s-1.yaml, rendered again\n" +
		"hostname: node-1\n",
	Check: checkStale,
}

func checkStale(p *rule.Pass) {
	files := map[string]bool{}
	for _, f := range p.Repository.Files() {
		files[f.Path] = true
	}
	var read *reader
	var s syntax
	for _, f := range p.Repository.Files() {
		twin := strings.TrimSuffix(f.Path, path.Ext(f.Path))
		if !isTemplate(f.Path) || !files[twin] || elsewhere(p, twin) || p.Context.Err() != nil {
			continue
		}
		if read == nil {
			r, err := open(p.Repository)
			if err != nil {
				p.Note(fmt.Sprintf("templates are not compared with what they render to: %v", err))
				return
			}
			defer r.close()
			read, s = &r, readSyntax(r.text(syntaxFile))
		}
		compare(p, s, f.Path, read.text(f.Path), twin, read.text(twin))
	}
}

// compare reports the first line that a template cannot have rendered to.
func compare(p *rule.Pass, s syntax, template, source, twin, text string) {
	pattern, ok := s.patternOf(source)
	if !ok || text == "" || isEncrypted(text) {
		return
	}
	if line := pattern.mismatch(renderedOf(text)); line > 0 {
		p.Report(rule.Finding{
			Place: domain.Place{File: twin, Line: line},
			Message: fmt.Sprintf("from this line on the file is not what %s renders to: one of them was changed alone, and rendering again undoes what stands here",
				path.Base(template)),
			Fix: "make the change in the template, and render it again",
		})
		return
	}
	if d, found := s.disagreement(source, text); found {
		p.Report(rule.Finding{
			Place: domain.Place{File: twin, Line: d.line},
			Message: fmt.Sprintf("%s renders %s here and in line %d, and the two lines differ: one was changed by hand, and rendering again undoes it",
				path.Base(template), d.expression, d.first),
			Fix: "make the change in the template, and render it again",
		})
	}
}

// isEncrypted reports whether a file was encrypted after it was rendered.
func isEncrypted(text string) bool {
	for _, mark := range []string{"ENC[AES256_GCM", "\nsops:", "$ANSIBLE_VAULT", "-----BEGIN AGE ENCRYPTED"} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}
