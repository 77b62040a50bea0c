package repo

import (
	"context"
	"os"
	"path"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"hearth/internal/manifest"
)

// tree is every manifest of a repository.
type tree struct {
	files     []manifest.File
	known     map[string]bool      // files and folders
	documents []*manifest.Document // ordered by file and line
	byFile    map[string]parsedFile
	problems  []*Problem
}

// readTree lists the repository's files and parses its manifests. The
// templates of charts are no manifests.
func readTree(ctx context.Context, root *os.Root, limits manifest.Limits) (*tree, error) {
	files, problems, err := listFiles(ctx, root, limits)
	if err != nil {
		return nil, err
	}
	t := &tree{files: files, problems: problems, known: map[string]bool{".": true}}
	charts := map[string]bool{}
	for _, f := range files {
		for name := f.Path; !t.known[name]; name = path.Dir(name) {
			t.known[name] = true
		}
		if path.Base(f.Path) == "Chart.yaml" {
			charts[path.Dir(f.Path)] = true
		}
	}
	var names []string
	for _, f := range files {
		if isYAML(f.Path) && !inChart(charts, f.Path) {
			names = append(names, f.Path)
		}
	}
	t.parse(ctx, root, names)
	return t, ctx.Err()
}

// listFiles lists the files of a repository, without hidden folders and what
// Git ignores.
func listFiles(ctx context.Context, root *os.Root, limits manifest.Limits) ([]manifest.File, []*Problem, error) {
	ignored := newIgnore(root)
	skip := func(name string, dir bool) bool {
		if dir && (strings.HasPrefix(path.Base(name), ".") || path.Base(name) == "node_modules") {
			return true
		}
		return ignored.match(name, dir)
	}
	files, problems, err := manifest.Files(ctx, root, ".", limits, skip)
	return files, append(problems, ignored.problems...), err
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func inChart(charts map[string]bool, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if charts[dir] {
			return true
		}
	}
	return false
}

// parsedFile is what was read of a file.
type parsedFile struct {
	documents []*manifest.Document
	// whole says that the file holds nothing else, whoever reads it.
	whole    bool
	problems []*Problem
}

// parse reads files side by side and keeps their order.
func (t *tree) parse(ctx context.Context, root *os.Root, names []string) {
	results := make([]parsedFile, len(names))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				results[i] = readManifest(root, names[i])
			}
		})
	}
	for i := range names {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	t.byFile = make(map[string]parsedFile, len(names))
	for i, r := range results {
		t.byFile[names[i]] = r
		t.documents = append(t.documents, r.documents...)
		t.problems = append(t.problems, r.problems...)
	}
}

var objectLine = regexp.MustCompile(`(?m)^apiVersion:`)

// readManifest reads the objects of a file. What is wrong with a file that
// is no manifest (a template, a chart's values) is nobody's problem.
func readManifest(root *os.Root, name string) parsedFile {
	data, err := manifest.Read(root, name)
	if err != nil {
		return parsedFile{problems: manifest.Problems(err)}
	}
	kustomization := isKustomizationFile(name)
	if !kustomization && !objectLine.Match(data) {
		return parsedFile{}
	}
	all, err := manifest.Parse(name, data)
	f := parsedFile{problems: manifest.Problems(err)}
	for _, d := range all {
		if d.Kind() != "" || kustomization {
			f.documents = append(f.documents, d)
		}
	}
	f.whole = err == nil && len(f.documents) == len(all) && len(all) > 0 && manifest.DividedByLines(data)
	return f
}

// isKustomizationFile reports whether kustomize reads a file by its name.
func isKustomizationFile(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// has reports whether a file or folder exists.
func (t *tree) has(name string) bool { return t.known[name] }

// of returns the documents of a group and kind, in order. The group is given
// without its version.
func (t *tree) of(group, kind string) []*manifest.Document {
	var list []*manifest.Document
	for _, d := range t.documents {
		if d.Kind() == kind && d.Group() == group {
			list = append(list, d)
		}
	}
	return list
}

// in returns the documents of one file.
func (t *tree) in(file string) []*manifest.Document { return t.byFile[file].documents }
