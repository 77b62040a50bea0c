package islands

import (
	"bytes"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/render/desired"
)

// maxText bounds, in bytes, the files that are read besides manifests.
const maxText = 1 << 20

// plainFiles judges what is no manifest in the cluster's folder: templates,
// the configuration of nodes, values, files that become ConfigMaps.
func (n *networks) plainFiles() {
	parsed := map[string]bool{}
	for _, doc := range n.Repository.Documents() {
		parsed[doc.File] = true
	}
	root, err := os.OpenRoot(n.Repository.Root)
	if err != nil {
		n.Note("the repository's folder cannot be opened, so that only its manifests are judged")
		return
	}
	defer root.Close()
	for _, f := range n.Repository.Files() {
		if parsed[f.Path] || f.Link || f.Size > maxText || !mayConfigure(f.Path) || n.Repository.Owner(f.Path) != n.cluster.Cluster {
			continue
		}
		// What cannot be read is a problem of the tree itself.
		data, err := manifest.Read(root, f.Path)
		if err != nil || !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
			continue
		}
		n.text(f.Path, string(data))
	}
}

// mayConfigure reports whether a file is one that machines read. The text for
// people may name any cluster's addresses.
func mayConfigure(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".txt", ".rst", ".adoc", ".svg", ".lock", ".html":
		return false
	}
	return true
}

func (n *networks) text(file, text string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		key, _, _ := strings.Cut(strings.TrimLeft(line, " -\t"), ":")
		if !isVersion(key) {
			n.line(line, func() domain.Place { return domain.Place{File: file, Line: number} })
		}
	}
}

// shared judges the objects that the cluster builds from folders that are
// nobody's, as its own patches and variables leave them.
func (n *networks) shared() {
	for _, o := range n.cluster.State.Objects {
		if file := o.File(); file == "" || o.Bootstrap || n.Repository.Owner(file) != nil {
			continue
		}
		n.value(o, o.Object, nil)
	}
}

func (n *networks) value(o *desired.Object, v any, at []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.value(o, v[key], append(at[:len(at):len(at)], key))
		}
	case []any:
		for i, item := range v {
			n.value(o, item, append(at[:len(at):len(at)], strconv.Itoa(i)))
		}
	case string:
		n.scalar(keyOf(at), v, func(int) domain.Place { return o.Place(at...) })
	}
}

// keyOf returns the last step of a path that is a key.
func keyOf(at []string) string {
	for _, step := range slices.Backward(at) {
		if _, err := strconv.Atoi(step); err != nil {
			return step
		}
	}
	return ""
}
