package layout

import (
	"fmt"
	"path"
	"strings"

	generator "github.com/fluxcd/pkg/kustomize"

	"hearth/internal/manifest"
)

// reference is a file or folder that a kustomization names.
type reference struct {
	// text is as it is written, target the path below the repository's root.
	text, target string
	field        []string
	what         string
	// build says that the target, where it is a folder, is built itself.
	build bool
}

// listed are the fields of a kustomization that name files: each is a list,
// of names or of mappings with a field that names one.
var listed = []struct {
	field, item, what string
	build             bool
}{
	{"resources", "", "resource", true},
	{"bases", "", "base", true},
	{"components", "", "component", true},
	{"crds", "", "definition", false},
	{"configurations", "", "configuration", false},
	{"generators", "", "generator", true},
	{"transformers", "", "transformer", true},
	{"validators", "", "validator", true},
	{"patchesStrategicMerge", "", "patch", false},
	{"patches", "path", "patch", false},
	{"patchesJson6902", "path", "patch", false},
	{"replacements", "path", "replacement", false},
}

// references returns what a kustomization names in the repository. What is
// fetched from elsewhere, leads out of the repository or is yet to be filled
// in is left out.
func references(doc *manifest.Document) []reference {
	var list []reference
	add := func(what string, build bool, text string, field ...string) {
		if target, ok := local(path.Dir(doc.File), text); ok {
			list = append(list, reference{text: text, target: target, field: field, what: what, build: build})
		}
	}
	for _, l := range listed {
		for i := range items(doc, l.field) {
			field := []string{l.field, fmt.Sprint(i)}
			if l.item != "" {
				field = append(field, l.item)
			}
			add(l.what, l.build, doc.Text(field...), field...)
		}
	}
	for _, maker := range []string{"configMapGenerator", "secretGenerator"} {
		for i := range items(doc, maker) {
			for _, files := range []string{"files", "envs"} {
				for j := range items(doc, maker, fmt.Sprint(i), files) {
					field := []string{maker, fmt.Sprint(i), files, fmt.Sprint(j)}
					text := doc.Text(field...)
					if _, file, named := strings.Cut(text, "="); named {
						text = file
					}
					add("file of a generator", false, text, field...)
				}
			}
		}
	}
	return list
}

// items returns how many items the list at a field path has.
func items(doc *manifest.Document, field ...string) int {
	n, ok := doc.Find(field...)
	if !ok {
		return 0
	}
	return len(n.Content)
}

// local returns the path that a text of a kustomization in a folder names.
func local(folder, text string) (target string, ok bool) {
	if text == "" || isRemote(text) || strings.Contains(text, "\n") || isTemplate(text) {
		return "", false
	}
	target = path.Join(folder, text)
	return target, target != ".." && !strings.HasPrefix(target, "../")
}

// isRemote reports whether a text may name what is fetched. Addresses of Git
// repositories need no scheme.
func isRemote(text string) bool {
	return path.IsAbs(text) || !generator.IsLocalRelativePath(text) ||
		strings.ContainsAny(text, "?:") || strings.Contains(text, "//") || strings.Contains(text, ".git/") || strings.HasSuffix(text, ".git")
}
