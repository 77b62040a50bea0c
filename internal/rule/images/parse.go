package images

import (
	"regexp"
	"strings"
)

// Parts of a reference, as registries define them.
const (
	hostPart   = `[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?`
	namePart   = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
	tagPart    = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	digestPart = `[a-z0-9]+:[A-Za-z0-9]+`
)

var (
	referenceForm = regexp.MustCompile(`^((?:` + hostPart + `/)?` + namePart + `(?:/` + namePart + `)*)(?::(` + tagPart + `))?(?:@(` + digestPart + `))?$`)
	tagForm       = regexp.MustCompile(`^(` + tagPart + `)?(?:@?(` + digestPart + `))?$`)
	// Pictures and disks are called images, too.
	otherImage = regexp.MustCompile(`(?i)\.(jpe?g|png|gif|svg|webp|ico|avif|iso|img|qcow2|raw|vmdk|xz|gz)$`)
)

// parse takes a reference apart; ok is false for what is none.
func parse(reference string) (repository, tag, digest string, ok bool) {
	if otherImage.MatchString(reference) {
		return "", "", "", false
	}
	m := referenceForm.FindStringSubmatch(strings.TrimPrefix(reference, "docker://"))
	if m == nil {
		return "", "", "", false
	}
	return m[1], m[2], m[3], true
}

// parseTag takes apart what stands in the field of a tag, which may have the
// digest with it.
func parseTag(text string) (tag, digest string, ok bool) {
	if strings.HasPrefix(text, "sha256:") {
		return "", text, true
	}
	m := tagForm.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
