package secrets

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
	"hearth/internal/rule/secrets/credential"
)

var secretHardcoded = &rule.Rule{
	Name:     "secret-hardcoded",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No credential is written out in values, variables, arguments or ConfigMaps",
	Why: "A password in an environment variable or a configuration is as public as the repository, and stays in its history. " +
		"Changing it takes a commit and a review instead of a change in the store.",
	Remedy: "Put the value into the store, let an ExternalSecret make a Secret of it, and refer to that with envFrom, " +
		"secretKeyRef or a mounted file. Change the credential at its origin: the old one stays in Git's history.",
	Section: "Don't: Hardcode Secrets",
	Bad: "env:\n" +
		"  DB_PASSWORD: \"mySecretPassword123\"\n",
	Good: "envFrom:\n" +
		"  - secretRef:\n" +
		"      name: immich-secret\n",
	Unless: []string{"secret-in-git"},
	Check: func(p *rule.Pass) {
		h := &hardcoded{scope: newScope(p), parsed: map[string]bool{}}
		for _, doc := range h.Repository.Documents() {
			h.parsed[doc.File] = true
		}
		for _, doc := range h.documents() {
			if isKustomization(doc) {
				h.noteGenerated(doc)
			}
			if !isExempt(doc) {
				h.document(doc)
			}
		}
		h.files()
	},
}

// hardcoded looks for credentials in documents and in other files.
type hardcoded struct {
	scope
	parsed map[string]bool // files that are manifests, or that another rule judges
}

// isExempt reports whether a document is none to be searched: another rule
// judges Secrets, definitions describe fields and hold none, and sealed
// Secrets are encrypted.
func isExempt(doc *manifest.Document) bool {
	switch doc.Kind() {
	case "Secret", "SecretList":
		return doc.Group() == ""
	case "CustomResourceDefinition", "SealedSecret", "SopsSecret", "ClusterSopsSecret":
		return true
	}
	return false
}

func (h *hardcoded) document(doc *manifest.Document) {
	s := search{hardcoded: h, doc: doc}
	s.value(doc.Node, nil, "")
}

// noteGenerated leaves the files that generated Secrets are made of to the
// rule on Secrets.
func (h *hardcoded) noteGenerated(doc *manifest.Document) {
	eachGenerated(doc, func(_, list string, at []string) {
		entry := doc.Text(at...)
		if _, file, keyed := strings.Cut(entry, "="); keyed && list == "files" {
			entry = file
		}
		if list != "literals" {
			h.parsed[path.Join(path.Dir(doc.File), entry)] = true
		}
	})
}

// report tells of a credential on a line.
func (h *hardcoded) report(at domain.Place, object domain.Ref, what string) {
	text := strings.TrimPrefix(what, "the value of ")
	if text == what {
		text = ""
	}
	h.Report(rule.Finding{
		Place: at, Text: text, Sensitive: true, Object: object,
		Message: fmt.Sprintf("%s is written out, for everybody who can read the repository", what),
		Fix:     changeIt,
	})
}

// lineIn returns the line of the file on which a line of a scalar's text stands.
func lineIn(n *yaml.Node, line int) int {
	if n.Style == yaml.LiteralStyle {
		return n.Line + 1 + line
	}
	return n.Line
}

func place(file string, line int) domain.Place { return domain.Place{File: file, Line: line} }

// judged is what a text is found to hold.
func judged(name, text string) []credential.Found {
	if strings.Contains(strings.TrimSpace(text), "\n") {
		return credential.InText(text)
	}
	if what := credential.In(name, text); what != "" {
		return []credential.Found{{What: what}}
	}
	if strings.ContainsAny(text, "=<'{") {
		return credential.InText(text)
	}
	return nil
}
