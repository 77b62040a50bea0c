package images

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/render/desired"
)

// maxDepth bounds how deep values are searched.
const maxDepth = 40

// Of returns the images that a cluster's tree names, in its order.
func Of(s *desired.State) []Image {
	found, _ := search(s)
	return found
}

// Unfinished returns the images in whose parts a variable is left that nothing
// replaced, or in objects a template. Only their place and text are known.
func Unfinished(s *desired.State) []Image {
	_, left := search(s)
	return left
}

func search(s *desired.State) (found, left []Image) {
	for _, o := range s.Objects {
		if !holdsImages(o) {
			continue
		}
		f := finder{state: s, object: o}
		for _, part := range []string{"spec", "template"} {
			f.value([]string{part}, o.Object[part])
		}
		found, left = append(found, f.found...), append(left, f.left...)
	}
	for _, r := range s.Releases {
		later := replaced(s, r)
		f := finder{state: s, object: r.Object, release: r, final: r.ChartName == appTemplate}
		f.value(nil, r.Values)
		for _, i := range f.found {
			if !slices.ContainsFunc(later, func(l Image) bool { return l.Repository == i.Repository }) {
				found = append(found, i)
			}
		}
		found, left = append(found, later...), append(left, f.left...)
	}
	return found, left
}

// appTemplate is the chart that supplies no image of its own.
const appTemplate = "app-template"

// finder looks for images in one object, or in one release's values.
type finder struct {
	state   *desired.State
	object  *desired.Object
	release *desired.Release
	// final says that nothing completes what the values of containers name.
	final bool
	found []Image
	left  []Image
}

func (f *finder) value(path []string, value any) {
	if len(path) > maxDepth {
		return
	}
	switch in := value.(type) {
	case map[string]any:
		f.mapping(path, in)
	case []any:
		for i, item := range in {
			f.value(below(path, strconv.Itoa(i)), item)
		}
	}
}

func (f *finder) mapping(path []string, m map[string]any) {
	if isBlock(path) {
		f.block(path, m, "repository", "tag", "digest")
		if text, ok := m["reference"].(string); ok { // a volume
			f.reference(below(path, "reference"), text, m)
		}
	}
	f.block(path, m, "imageRepository", "imageTag", "imageDigest")
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if text, ok := m[key].(string); ok && isImageField(key) {
			f.reference(below(path, key), text, m)
		} else if !isOpaque(key) {
			f.value(below(path, key), m[key])
		}
	}
}

// isImageField reports whether a field of that name may hold an image.
func isImageField(key string) bool {
	return key == "image" || key == "imageName" || strings.HasSuffix(key, "Image")
}

// isBlock reports whether a mapping may be an image in parts, by its own name
// or because it is one of several images.
func isBlock(path []string) bool {
	if len(path) == 0 {
		return false
	}
	return isImageField(path[len(path)-1]) || len(path) > 1 && path[len(path)-2] == "images"
}

// isOpaque reports whether what is below a field is text for others to read.
func isOpaque(key string) bool {
	switch key {
	case "env", "data", "stringData", "pullSecrets", "imagePullSecrets":
		return true
	}
	lower := strings.ToLower(key)
	return strings.HasSuffix(lower, "annotations") || strings.HasSuffix(lower, "labels")
}

// below returns a path with another step, in memory of its own.
func below(path []string, step string) []string {
	return append(slices.Clip(path), step)
}

// isFinal reports whether a path leads into a container, where nothing
// completes the reference: that of a pod, or one of app-template's.
func (f *finder) isFinal(path []string) bool {
	for i, step := range path {
		switch step {
		case "containers", "initContainers", "ephemeralContainers":
			if i+1 < len(path) && (isIndex(path[i+1]) || f.final) {
				return true
			}
		case "imageName", "reference": // of a database, and of a volume
			if i == len(path)-1 && f.release == nil {
				return step == "reference" || f.object.GroupVersionKind().Group == "postgresql.cnpg.io"
			}
		}
	}
	return false
}

func isIndex(step string) bool {
	_, err := strconv.Atoi(step)
	return err == nil
}

// add keeps an image, unless part of it is not known from the tree.
func (f *finder) add(i Image) {
	for _, part := range []string{i.Repository, i.Tag, i.Digest} {
		if f.isUnknown(part) {
			return
		}
	}
	i.Object, i.release, i.Final = f.object, f.release, f.isFinal(i.path)
	if i.Tag == "" && i.Digest == "" && !i.Final {
		return // the chart, or the operator, completes it
	}
	f.found = append(f.found, i)
}

// isUnknown reports whether a text is not what the cluster would see.
func (f *finder) isUnknown(text string) bool {
	return f.state.Unknown(text) || strings.Contains(text, "${") || strings.Contains(text, "{{")
}

var variable = regexp.MustCompile(`\$\{[A-Za-z][A-Za-z0-9_]*`)

// unfinished notes the fields of an image in which a variable is left, and
// reports whether there is one. Helm replaces templates in values.
func (f *finder) unfinished(path []string, m map[string]any, fields ...string) bool {
	is := false
	for _, key := range fields {
		text := scalar(m[key])
		if variable.MatchString(text) || f.release == nil && strings.Contains(text, "{{") {
			f.left = append(f.left, Image{Object: f.object, release: f.release, path: below(path, key), text: text})
			is = true
		}
	}
	return is
}

// scalar returns a text or a number as text; "" for anything else.
func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int, int64, float64:
		return fmt.Sprint(v)
	}
	return ""
}
