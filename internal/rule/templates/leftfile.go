package templates

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
)

// checkFiles reports templates that were committed as manifests: expressions
// that YAML reads as mappings, and blocks that make it no YAML at all.
func checkFiles(p *rule.Pass) {
	folders := clusterFolders(p)
	judged := func(file string) bool {
		return !p.Config.Templates.Allow(file) && !elsewhere(p, file) &&
			slices.ContainsFunc(folders, func(folder string) bool { return within(folder, file) })
	}
	for _, d := range p.Repository.Documents() {
		if n := expression(d.Node, 0); n != nil && judged(d.File) {
			reportFile(p, domain.Place{File: d.File, Line: n.Line}, "an expression")
		}
	}
	var read *reader
	for _, problem := range p.Repository.Problems {
		file := problem.Place.File
		if ext := path.Ext(file); ext != ".yaml" && ext != ".yml" || !judged(file) {
			continue
		}
		if read == nil {
			r, err := open(p.Repository)
			if err != nil {
				return // nothing can be read, which others tell
			}
			defer r.close()
			read = &r
		}
		if line := blockLine(read.text(file)); line > 0 {
			reportFile(p, domain.Place{File: file, Line: line}, "a block")
		}
	}
}

func reportFile(p *rule.Pass, place domain.Place, what string) {
	p.Report(rule.Finding{
		Place:   place,
		Message: fmt.Sprintf("%s of Jinja2 is left outside of a string: Flux renders no templates, and applies nothing of this file", what),
		Fix:     "commit what the template renders to",
	})
}

// expression finds a {{ name }} that YAML has read as a mapping in the key of
// another one.
func expression(n *yaml.Node, depth int) *yaml.Node {
	if n == nil || depth > manifest.MaxDepth {
		return nil
	}
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) == 2 &&
		n.Content[0].Kind == yaml.MappingNode && n.Content[0].Style&yaml.FlowStyle != 0 &&
		n.Content[1].Tag == "!!null" && n.Content[0].Column == n.Column+1 {
		return n
	}
	for _, child := range n.Content {
		if found := expression(child, depth+1); found != nil {
			return found
		}
	}
	return nil
}

// block matches a line that is, or ends, in a block of a template.
var block = regexp.MustCompile(`^\s*(?:-\s+)?\{%[-+]?\s*(?:if|elif|else|endif|for|endfor|set|include|macro|raw|import|from|with|block|extends)\b.*%\}`)

// blockLine returns the first line that begins with a block.
func blockLine(text string) int {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if block.MatchString(line) {
			return number
		}
	}
	return 0
}
