package images

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// block reads an image that is written in parts: {registry, repository, tag,
// digest}, under the names given.
func (f *finder) block(path []string, m map[string]any, repositoryKey, tagKey, digestKey string) {
	repository, at := scalar(m[repositoryKey]), repositoryKey
	if repository == "" && repositoryKey == "repository" {
		repository, at = scalar(m["name"]), "name"
	}
	if strings.Contains(repository, "://") || m["image"] != nil && repository == "" {
		return
	}
	if repository == "" && m[tagKey] == nil {
		return
	}
	if f.unfinished(path, m, "registry", at, tagKey, digestKey) {
		return
	}
	text := scalar(m[tagKey])
	tag, digest, ok := parseTag(text)
	if !ok {
		return
	}
	digest = cmp.Or(digest, digestIn(m))
	if inner, innerTag, innerDigest, ok := parse(repository); ok {
		repository, digest = inner, cmp.Or(digest, innerDigest)
		if tag == "" && innerTag != "" {
			tag, text = innerTag, ""
		}
	}
	i := Image{Repository: join(scalar(m["registry"]), repository), Tag: tag, Digest: digest, path: below(path, tagKey), text: text}
	if text == "" {
		i.path, i.text = below(path, at), scalar(m[at])
	}
	f.add(i)
}

// digestIn returns the digest that stands in a mapping, under whatever name the
// chart has for it.
func digestIn(m map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lower := strings.ToLower(key)
		if text := scalar(m[key]); text != "" && (strings.HasSuffix(lower, "digest") || lower == "sha" || lower == "sha256") {
			return text
		}
	}
	return ""
}

// reference reads an image that is written in one piece, or whose tag stands
// beside it.
func (f *finder) reference(path []string, text string, beside map[string]any) {
	field := path[len(path)-1]
	if f.unfinished(path[:len(path)-1], beside, field) {
		return
	}
	repository, tag, digest, ok := parse(text)
	if !ok || f.isUnknown(text) {
		return
	}
	i := Image{Repository: join(scalar(beside["registry"]), repository), Tag: tag, Digest: digest, path: path, text: text}
	for _, key := range []string{field + "Tag", "tag", "imageTag"} {
		if i.Tag != "" || scalar(beside[key]) == "" {
			continue
		}
		written := scalar(beside[key])
		if i.Tag, digest, ok = parseTag(written); !ok {
			return
		}
		i.Digest = cmp.Or(i.Digest, digest)
		i.path, i.text = below(path[:len(path)-1], key), written
	}
	i.Digest = cmp.Or(i.Digest, digestIn(beside))
	if i.Tag == "" && scalar(beside["version"]) != "" {
		return // an operator completes it
	}
	f.add(i)
}
