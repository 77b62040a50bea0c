package images

import (
	"cmp"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/desired"
)

// replaced returns the images that a release's post-renderers put in the place
// of what the chart renders. Their names are those that the values have.
func replaced(s *desired.State, r *desired.Release) []Image {
	f := finder{state: s, object: r.Object}
	renderers, _, _ := unstructured.NestedSlice(r.Object.Object, "spec", "postRenderers")
	for i, renderer := range renderers {
		content, _ := renderer.(map[string]any)
		images, _, _ := unstructured.NestedSlice(content, "kustomize", "images")
		for j, image := range images {
			m, _ := image.(map[string]any)
			path := []string{"spec", "postRenderers", strconv.Itoa(i), "kustomize", "images", strconv.Itoa(j)}
			tag, digest, ok := parseTag(scalar(m["newTag"]))
			if !ok {
				continue
			}
			f.found = append(f.found, Image{
				Repository: scalar(m["name"]), Tag: tag, Digest: cmp.Or(digest, scalar(m["digest"])),
				Object: r.Object, path: below(path, "newTag"), text: scalar(m["newTag"]),
			})
		}
	}
	return f.found
}
