package secrets

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/rule/secrets/credential"
)

// templates judges the Secrets that templates of the bootstrap make. What a
// template renders to is known only with its variables at hand, so that the
// lines of the template itself are judged.
func (g *inGit) templates() {
	files := map[string]bool{}
	for _, c := range g.Clusters {
		for _, o := range c.Bootstrap.Objects {
			if o.Object.GetKind() == "Secret" && strings.HasSuffix(o.Place.File, ".j2") {
				files[o.Place.File] = true
			}
		}
	}
	if len(files) == 0 {
		return
	}
	root, err := os.OpenRoot(g.Repository.Root)
	if err != nil {
		g.Note("the repository's folder cannot be opened, so that templates are not judged")
		return
	}
	defer root.Close()
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if data, err := manifest.Read(root, file); err == nil {
			g.template(file, string(data))
		}
	}
}

// template judges the fields below data and stringData in the text of a
// template. A value of more than one line is not judged here.
func (g *inGit) template(file, text string) {
	kind, name, inData, indent := "", "", false, 0
	number := 0
	for line := range strings.Lines(text) {
		number++
		body := strings.TrimSpace(line)
		depth := len(line) - len(strings.TrimLeft(line, " "))
		key, value, isField := strings.Cut(body, ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch {
		case body == "---":
			kind, name, inData = "", "", false
		case !isField || strings.HasPrefix(body, "#"):
		case depth == 0 && key == "kind":
			kind = value
		case depth == 0:
			inData, indent = key == "data" || key == "stringData", 0
		case key == "name" && !inData && name == "":
			name = value
		case inData && kind == "Secret" && (indent == 0 || depth == indent):
			indent = depth
			if value == "" || value == "|" || value == ">" || value == "|-" || value == ">-" || credential.StandsIn(value) {
				continue
			}
			g.Report(rule.Finding{
				Place: place(file, number), Text: key, Sensitive: true,
				Message: fmt.Sprintf("the template of Secret %s holds %s unencrypted, for everybody who can read the repository", name, key),
				Fix:     "let the template read it from the vault or the environment, and change it at its origin, since Git's history keeps it",
			})
		}
	}
}

// releases judges the Secrets that values give to the default chart.
func (g *inGit) releases() {
	for _, c := range g.Clusters {
		for _, r := range c.State.Releases {
			if r.ChartName == g.Config.Charts.Default {
				g.values(c.State, r)
			}
		}
	}
}

func (g *inGit) values(state *desired.State, r *desired.Release) {
	secrets, _ := r.Values["secrets"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(secrets)) {
		secret, _ := secrets[id].(map[string]any)
		data, _ := secret["stringData"].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(data)) {
			value, _ := data[key].(string)
			if secret["enabled"] == false || state.Unknown(value) || credential.StandsIn(value) && len(credential.InText(value)) == 0 {
				continue
			}
			at := r.ValuePlace("secrets", id, "stringData", key)
			if !g.judges(at.File) {
				continue
			}
			g.Report(rule.Finding{
				Place: at, Text: key, Sensitive: true, Object: r.Object.Ref,
				Message: fmt.Sprintf("the Secret %s of the release holds %s unencrypted, for everybody who can read the repository", id, key),
				Fix:     changeIt,
			})
		}
	}
}
