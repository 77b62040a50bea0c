package secrets

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
	"hearth/internal/rule/secrets/credential"
)

// isKustomization reports whether kustomize builds by a document.
func isKustomization(doc *manifest.Document) bool {
	return doc.Group() == "kustomize.config.k8s.io" ||
		doc.Group() == "" && strings.HasPrefix(strings.ToLower(path.Base(doc.File)), "kustomization")
}

// generators judges the Secrets that a kustomization generates.
func (g *inGit) generators(doc *manifest.Document) {
	eachGenerated(doc, func(secret, list string, at []string) {
		entry := doc.Text(at...)
		name, value, keyed := strings.Cut(entry, "=")
		place := doc.Place(at...)
		switch {
		case list == "literals":
			if keyed && !credential.StandsIn(strings.Trim(value, `"'`)) {
				g.generated(place, secret, name, "a literal")
			}
		case list == "files" && keyed:
			g.generatedFile(place, secret, name, path.Join(path.Dir(doc.File), value))
		case list == "files":
			g.generatedFile(place, secret, path.Base(entry), path.Join(path.Dir(doc.File), entry))
		default:
			g.generatedVariables(place, secret, path.Join(path.Dir(doc.File), entry))
		}
	})
}

// eachGenerated calls f for each source of the Secrets that a kustomization
// generates: a literal, a file, or a file of variables.
func eachGenerated(doc *manifest.Document, f func(secret, list string, at []string)) {
	for i := 0; ; i++ {
		item := []string{"secretGenerator", strconv.Itoa(i)}
		if _, ok := doc.Find(item...); !ok {
			return
		}
		for _, list := range []string{"literals", "files", "envs"} {
			for j := 0; doc.Text(below(item, list, strconv.Itoa(j))...) != ""; j++ {
				f(doc.Text(below(item, "name")...), list, below(item, list, strconv.Itoa(j)))
			}
		}
		if doc.Text(below(item, "env")...) != "" {
			f(doc.Text(below(item, "name")...), "env", below(item, "env"))
		}
	}
}

func (g *inGit) generated(at domain.Place, secret, key, from string) {
	g.Report(rule.Finding{
		Place: at, Text: key, Sensitive: true, Object: domain.Ref{Kind: "Secret", Name: secret},
		Message: fmt.Sprintf("the generated Secret %s takes %s from %s that stands in Git unencrypted", secret, key, from),
		Fix:     changeIt,
	})
}

// generatedVariables judges a file of variables: all it holds are values of a
// Secret.
func (g *inGit) generatedVariables(at domain.Place, secret, file string) {
	text, ok := g.plainText(file)
	if !ok {
		return
	}
	for line := range strings.Lines(text) {
		name, value, assigned := strings.Cut(strings.TrimSpace(line), "=")
		if assigned && !strings.HasPrefix(name, "#") && !credential.StandsIn(strings.Trim(value, `"'`)) {
			g.generated(at, secret, name, "a file")
			return
		}
	}
}

// generatedFile judges a file that becomes one value of a Secret. Many only
// hold a configuration, so that it must hold a credential.
func (g *inGit) generatedFile(at domain.Place, secret, key, file string) {
	text, ok := g.plainText(file)
	if !ok || text == "" {
		return
	}
	if credential.In(key, strings.TrimSpace(text)) != "" || len(credential.InText(text)) > 0 {
		g.generated(at, secret, key, "a file")
	}
}

// plainText reads a file that is not encrypted with SOPS.
func (g *inGit) plainText(file string) (string, bool) {
	root, err := os.OpenRoot(g.Repository.Root)
	if err != nil {
		return "", false
	}
	defer root.Close()
	// That a file is missing the build of the kustomization tells.
	data, err := manifest.Read(root, file)
	if err != nil {
		return "", false
	}
	text := string(data)
	return text, !strings.Contains(text, "ENC[")
}
