package secrets

import (
	"bytes"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule/secrets/credential"
)

// maxText bounds, in bytes, the files that are read besides manifests.
const maxText = 1 << 20

// files searches what is no manifest: values, templates, the configuration of
// nodes, files that become ConfigMaps.
func (h *hardcoded) files() {
	root, err := os.OpenRoot(h.Repository.Root)
	if err != nil {
		h.Note("the repository's folder cannot be opened, so that only its manifests are judged")
		return
	}
	defer root.Close()
	for _, f := range h.Repository.Files() {
		if h.parsed[f.Path] || f.Link || f.Size > maxText || !mayConfigure(f.Path) || !h.judges(f.Path) {
			continue
		}
		// What cannot be read is a problem of the tree itself.
		data, err := manifest.Read(root, f.Path)
		if err != nil || bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
			continue
		}
		h.file(f.Path, data)
	}
}

// mayConfigure reports whether a file is one that machines read; text for
// people shows examples, and pictures hold none.
func mayConfigure(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".txt", ".rst", ".adoc", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".lock", ".html", ".css", ".sum":
		return false
	}
	return true
}

func (h *hardcoded) file(name string, data []byte) {
	if ext := path.Ext(name); ext == ".yaml" || ext == ".yml" {
		if docs, err := manifest.Parse(name, data); err == nil {
			for _, doc := range docs {
				h.document(doc)
			}
			return
		}
	}
	for _, found := range credential.InText(string(data)) {
		h.report(place(name, found.Line+1), domain.Ref{}, found.What)
	}
}
