package notification

import (
	"regexp"
	"strings"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// commitHash is a commit's hash in SHA-1 or SHA-256.
var commitHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// commitOf returns the hash of the commit that an event is about.
func commitOf(event *eventv1.Event) (string, error) {
	revision, ok := event.GetRevision()
	if !ok {
		return "", permanent("missing revision metadata")
	}
	hash, ok := parseRevision(revision)
	if !ok {
		return "", permanent("failed to extract commit hash from '%s' revision", shorten(revision, 256))
	}
	return hash, nil
}

// parseRevision finds the commit in a source's revision: NAME@ALGORITHM:HASH,
// ALGORITHM:HASH, the older NAME/HASH, or a bare hash.
func parseRevision(revision string) (hash string, ok bool) {
	_, pinned, found := cutLast(revision, "@")
	if !found {
		pinned = revision
	}
	algorithm, hash, found := strings.Cut(pinned, ":")
	if !found {
		hash = pinned
		if _, last, slashed := cutLast(pinned, "/"); slashed {
			hash = last
		}
		return hash, commitHash.MatchString(hash)
	}
	sized := algorithm == "sha1" && len(hash) == 40 || algorithm == "sha256" && len(hash) == 64
	return hash, sized && commitHash.MatchString(hash)
}

// cutLast cuts text around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
