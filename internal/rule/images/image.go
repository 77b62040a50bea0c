package images

import (
	"cmp"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// Image is a container image as the tree names it.
type Image struct {
	// Repository may be "" where a chart supplies it.
	Repository string
	// Tag and Digest are "" where the tree names none.
	Tag, Digest string
	// Final says that nothing completes the reference: without a tag and a
	// digest it means latest.
	Final bool
	// Object names the image; for a release, in its values.
	Object *desired.Object

	release *desired.Release // nil where the object itself holds the path
	path    []string         // of the tag, or else of the repository
	text    string           // what stands there
}

// Place returns where the version stands: the tag, or else the repository.
func (i Image) Place() domain.Place {
	if i.release != nil {
		return i.release.ValuePlace(i.path...)
	}
	return i.Object.Place(i.path...)
}

// Path leads to the version in the object.
func (i Image) Path() []string {
	if i.release != nil {
		return append([]string{"spec", "values"}, i.path...)
	}
	return i.path
}

// Text is what stands at the place.
func (i Image) Text() string { return i.text }

// Name is the repository, or says that the chart names it.
func (i Image) Name() string { return cmp.Or(i.Repository, "the chart's image") }

// isLatest reports whether the image is whatever is newest when it is pulled.
func (i Image) isLatest() bool {
	return i.Digest == "" && (i.Tag == latestTag || i.Tag == "" && i.Final)
}

const latestTag = "latest"

// join completes the repository with a registry.
func join(registry, repository string) string {
	if registry == "" || repository == "" {
		return repository
	}
	return strings.TrimSuffix(registry, "/") + "/" + repository
}
