package layout

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"hearth/internal/render/desired"
	"hearth/internal/render/kustomize"
	"hearth/internal/rule"
)

var pathMissing = &rule.Rule{
	Name:     "path-missing",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "The folder that a Flux Kustomization builds exists in its source",
	Why: "Flux builds the folder that spec.path names, counted from the root of the source. Where there is none the Kustomization fails, " +
		"nothing of the application is applied, and whatever depends on it waits for ever. A renamed folder is the usual reason.",
	Remedy:  "Write the path of the folder as it is in Git, from the root of the repository and with the case that it has there.",
	Section: "App Structure Triad",
	Bad: `# kubernetes/main/apps/media/immich/install.yaml; the folder is called app
spec:
  path: ./kubernetes/main/apps/media/immich/application
`,
	Good: `spec:
  path: ./kubernetes/main/apps/media/immich/app
`,
	Check: checkPaths,
}

func checkPaths(p *rule.Pass) {
	t := newTree(p.Repository)
	for _, c := range p.Clusters {
		for _, k := range c.State.Kustomizations {
			if errors.Is(k.Err, kustomize.ErrPathNotFound) && !c.State.Unknown(k.Spec.Path) {
				p.Report(pathFinding(t, k))
			}
		}
	}
}

func pathFinding(t *tree, k *desired.Kustomization) rule.Finding {
	wanted := strings.TrimPrefix(path.Clean("/"+k.Spec.Path), "/")
	f := rule.Finding{
		Place: k.Object.Place("spec", "path"), Text: k.Spec.Path, Object: k.Object.Ref,
		Message: fmt.Sprintf("the repository has no folder %s: %s fails and applies nothing", wanted, k.Object.Ref),
	}
	if t.known[wanted] {
		f.Message = fmt.Sprintf("%s is a file, and a folder is built: %s fails and applies nothing", wanted, k.Object.Ref)
		wanted = path.Dir(wanted)
		f.Fix = "path: ./" + wanted
		return f
	}
	if meant := t.meant(wanted); meant != "" {
		f.Fix = "path: ./" + meant
	}
	return f
}

// meant returns the folder that the path of a missing one probably means: one
// that is spelled a little differently, the only one that ends alike, or the
// only one beside it. It is "" where that is not clear.
func (t *tree) meant(wanted string) string {
	if spelled := t.spelled(wanted); spelled != "" {
		return spelled
	}
	last := path.Join(path.Base(path.Dir(wanted)), path.Base(wanted))
	return cmp.Or(t.only(func(folder string) bool { return strings.HasSuffix(folder, "/"+last) }),
		t.only(func(folder string) bool { return path.Dir(folder) == path.Dir(wanted) }))
}

// spelled follows a path folder by folder, ignoring spelling.
func (t *tree) spelled(wanted string) string {
	at := "."
	for _, step := range strings.Split(wanted, "/") {
		next := path.Join(at, step)
		if !t.isFolder(next) {
			next = nameLike(next, t.folders)
		}
		if next == "" {
			return ""
		}
		at = next
	}
	return at
}

// only returns the folder that fulfils a condition, if exactly one does.
func (t *tree) only(fulfils func(string) bool) string {
	found := ""
	for _, folder := range t.folders {
		if !fulfils(folder) {
			continue
		}
		if found != "" {
			return ""
		}
		found = folder
	}
	return found
}
