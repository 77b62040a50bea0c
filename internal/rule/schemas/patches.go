package schemas

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// checkPatches reports what is wrong with the YAML of patches that stand in
// files of their own. Those that are no objects are read by the build only.
func checkPatches(p *rule.Pass, s *desired.State) {
	files := patchFiles(p, s)
	if len(files) == 0 {
		return
	}
	root, err := os.OpenRoot(p.Repository.Root)
	if err != nil {
		p.Note(fmt.Sprintf("the patches are not read: %v", err))
		return
	}
	defer root.Close()
	for _, file := range files {
		data, err := manifest.Read(root, file)
		if err == nil {
			_, err = manifest.Parse(file, data)
		}
		for _, problem := range manifest.Problems(err) {
			p.Report(rule.Finding{Place: problem.Place, Message: problem.Message, Sensitive: true})
		}
	}
}

// patchFiles returns the patches of the kustomizations that builds read, but
// for those that the repository has as objects.
func patchFiles(p *rule.Pass, s *desired.State) []string {
	objects := map[string]bool{}
	for _, d := range p.Repository.Documents() {
		objects[d.File] = true
	}
	var files []string
	for _, d := range p.Repository.Documents() {
		switch path.Base(d.File) {
		case "kustomization.yaml", "kustomization.yml", "Kustomization":
		default:
			continue
		}
		if !s.Reached(d.File) {
			continue
		}
		for _, name := range patchesOf(d) {
			file := path.Join(path.Dir(d.File), name)
			if !objects[file] && s.Reached(file) {
				files = append(files, file)
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// patchesOf returns the files that a kustomization names as patches.
func patchesOf(d *manifest.Document) []string {
	var names []string
	for _, field := range []string{"patches", "patchesJson6902"} {
		for i := 0; ; i++ {
			item := []string{field, fmt.Sprint(i)}
			if _, ok := d.Find(item...); !ok {
				break
			}
			if name := d.Text(append(item, "path")...); name != "" {
				names = append(names, name)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml")
	})
}
