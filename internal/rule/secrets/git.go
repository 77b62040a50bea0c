package secrets

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
	"hearth/internal/rule/secrets/credential"
)

var secretInGit = &rule.Rule{
	Name:     "secret-in-git",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No Secret stands in Git unencrypted",
	Why: "A repository is read by more people and machines than a cluster, and its history keeps what was ever committed. " +
		"The data of a Secret is only encoded, not encrypted.",
	Remedy: "Put the values into the store and replace the Secret by an ExternalSecret of the same name, or encrypt it with SOPS. " +
		"What was committed has to be changed at its origin as well, since the history keeps it.",
	Section: "Rule 3: Secrets live in 1Password, not Git",
	Bad: "apiVersion: v1\n" +
		"kind: Secret\n" +
		"metadata:\n" +
		"  name: immich-secret\n" +
		"stringData:\n" +
		"  DB_PASSWORD: a-real-password\n",
	Good: "apiVersion: external-secrets.io/v1\n" +
		"kind: ExternalSecret\n" +
		"metadata:\n" +
		"  name: immich\n" +
		"spec:\n" +
		"  refreshInterval: 12h\n" +
		"  secretStoreRef:\n" +
		"    kind: ClusterSecretStore\n" +
		"    name: onepassword-connect\n" +
		"  target:\n" +
		"    name: immich-secret\n" +
		"  dataFrom:\n" +
		"    - extract:\n" +
		"        key: immich\n",
	Check: func(p *rule.Pass) {
		g := &inGit{scope: newScope(p)}
		for _, doc := range g.documents() {
			g.document(doc)
		}
		g.templates()
		g.releases()
	},
}

// inGit looks for the values of Secrets in files.
type inGit struct{ scope }

// changeIt is what to do about a value that was committed.
const changeIt = "take it from the store with an ExternalSecret, and change it at its origin, since Git's history keeps it"

func (g *inGit) document(doc *manifest.Document) {
	switch {
	case doc.Group() == "" && doc.Kind() == "Secret":
		g.secret(doc, nil)
	case doc.Group() == "" && (doc.Kind() == "List" || doc.Kind() == "SecretList"):
		for i := 0; ; i++ {
			item := []string{"items", strconv.Itoa(i)}
			if _, ok := doc.Find(item...); !ok {
				break
			}
			if kind := doc.Text(append(item, "kind")...); kind == "Secret" || doc.Kind() == "SecretList" {
				g.secret(doc, item)
			}
		}
	case isKustomization(doc):
		g.generators(doc)
	}
}

// secret judges a Secret at a path of a document.
func (g *inGit) secret(doc *manifest.Document, at []string) {
	if _, encrypted := doc.Find(below(at, "sops")...); encrypted {
		return
	}
	if _, encrypted := doc.Find("sops"); encrypted {
		return
	}
	var keys []string
	line := 0
	for _, field := range []string{"data", "stringData"} {
		node, ok := doc.Find(below(at, field)...)
		if !ok || node.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			if isWritten(value, field == "data") {
				if keys = append(keys, key.Value); line == 0 {
					line = key.Line
				}
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	g.Report(rule.Finding{
		Place: domain.Place{File: doc.File, Line: line}, Text: keys[0], Sensitive: true,
		Object:  domain.Ref{Kind: "Secret", Namespace: doc.Text(below(at, "metadata", "namespace")...), Name: doc.Text(below(at, "metadata", "name")...)},
		Message: fmt.Sprintf("Secret %s holds %s unencrypted, for everybody who can read the repository", doc.Text(below(at, "metadata", "name")...), list(keys)),
		Fix:     changeIt,
	})
}

// list names keys: the first, and how many there are besides.
func list(keys []string) string {
	switch len(keys) {
	case 1:
		return keys[0]
	case 2:
		return keys[0] + " and " + keys[1]
	}
	return fmt.Sprintf("%s and %d other values", keys[0], len(keys)-1)
}

// isWritten reports whether a value of a Secret is the value itself, and not
// what stands for it. A text that holds a placeholder is searched for what
// stands beside it.
func isWritten(n *yaml.Node, encoded bool) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return false
	}
	text := n.Value
	if encoded {
		if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
			text = string(plain)
		}
	}
	if credential.StandsIn(text) {
		return len(credential.InText(text)) > 0
	}
	return true
}

func below(at []string, names ...string) []string { return append(at[:len(at):len(at)], names...) }
