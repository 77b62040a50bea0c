package islands

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// documents looks at the paths in kustomizations, and at the URLs in all
// objects.
func (b *boundary) documents() {
	slug := b.slug()
	concerned := map[string]bool{}
	for _, doc := range b.Repository.Documents() {
		concerns, known := concerned[doc.File]
		if !known {
			concerns = b.concerns(doc.File)
			concerned[doc.File] = concerns
		}
		if !concerns {
			continue
		}
		builds := isKustomization(doc)
		eachScalar(doc.Node, func(_ string, n *yaml.Node) {
			at := domain.Place{File: doc.File, Line: n.Line}
			if builds {
				b.path(at, n.Value)
			}
			if slug != "" {
				b.url(at, n.Value, slug, builds)
			}
		})
	}
}

// isKustomization reports whether kustomize builds by a document.
func isKustomization(doc *manifest.Document) bool {
	switch doc.Group() {
	case "kustomize.config.k8s.io":
		return true
	case "":
		return strings.HasPrefix(strings.ToLower(path.Base(doc.File)), "kustomization")
	}
	return false
}

// path judges a text of a kustomization that may be a path. Only one that goes
// up can leave the cluster's folder.
func (b *boundary) path(at domain.Place, text string) {
	if !strings.Contains(text, "../") || strings.ContainsAny(text, "\n ") || strings.Contains(text, "://") {
		return
	}
	name := text
	if _, file, keyed := strings.Cut(text, "="); keyed { // of a generator: KEY=FILE
		name = file
	}
	if other := b.foreign(path.Join(path.Dir(at.File), name)); other != nil {
		b.crossing(at, text, "the path", other)
	}
}

// slug is what every URL of the repository holds, "owner/name"; "" where
// nothing tells its URL.
func (b *boundary) slug() string {
	url := strings.TrimSuffix(strings.TrimRight(strings.ToLower(b.cluster.Entry.URL), "/"), ".git")
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	segments := strings.Split(rest, "/")
	if len(segments) < 3 || strings.HasSuffix(segments[0], ".invalid") {
		return ""
	}
	return strings.Join(segments[len(segments)-2:], "/")
}

// url judges a text that may be a URL of the repository itself. Outside of
// kustomizations only URLs of raw files count: others are there for people.
func (b *boundary) url(at domain.Place, text, slug string, builds bool) {
	if len(text) > maxURL || !strings.Contains(text, "/") {
		return
	}
	lower := strings.ToLower(text)
	i := strings.Index(lower, slug)
	if i < 0 || strings.ContainsAny(text, "\n ") || !builds && !strings.Contains(lower, "raw") {
		return
	}
	rest := strings.TrimPrefix(text[i+len(slug):], ".git")
	for _, other := range b.Repository.Clusters {
		if other != b.cluster.Cluster && other.Path != "." && b.names(rest, other) {
			b.crossing(at, text, "the URL", other)
			return
		}
	}
}

// maxURL bounds what is taken for a URL.
const maxURL = 2048

// names reports whether the rest of a URL leads into a cluster's folder.
func (b *boundary) names(rest string, other *repo.Cluster) bool {
	rest, _, _ = strings.Cut(rest, "?")
	_, below, found := strings.Cut(rest+"/", "/"+other.Path+"/")
	return found && b.foreign(path.Join(other.Path, below)) == other
}
