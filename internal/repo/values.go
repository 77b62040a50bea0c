package repo

import (
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/manifest"
)

// readValues reads a values file, which the tree itself leaves out since it
// holds no object. A file that is missing or broken has no values.
func (r *Repository) readValues(name string) []*manifest.Document {
	if !r.tree.has(name) {
		return nil
	}
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil
	}
	defer root.Close()
	data, err := manifest.Read(root, name)
	if err != nil {
		return nil
	}
	docs, err := manifest.Parse(name, data)
	if err != nil {
		r.Problems = append(r.Problems, manifest.Problems(err)...)
	}
	return docs
}

// unstructuredOf returns a document as an object.
func unstructuredOf(d *manifest.Document) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: d.Object()}
}
