package repo

import (
	"errors"
	"path"
	"strings"
)

// Match reports whether a slash-separated name matches a pattern: "*", "?" and
// "[a-z]" stand for text between slashes, "**" for any number of whole
// segments, none included. A malformed pattern matches nothing.
func Match(pattern, name string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// matchSegments goes through both once: what the latest "**" stands for grows
// only where the rest does not fit, so that no pattern takes exponential time.
func matchSegments(pattern, name []string) bool {
	p, n := 0, 0
	star, resume := -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == "**" {
			star, resume = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if ok, err := path.Match(pattern[p], name[n]); ok && err == nil {
				p, n = p+1, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		resume++
		p, n = star+1, resume
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

// checkPattern says what is wrong with a pattern.
func checkPattern(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("is empty and matches nothing")
	case strings.HasPrefix(pattern, "/"), !local(pattern):
		return errors.New("leads out of the repository")
	case path.Clean(pattern) != strings.TrimSuffix(pattern, "/"):
		return errors.New(`is no clean path: leave out "./" and doubled slashes`)
	}
	for _, segment := range strings.Split(pattern, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			return errors.New("is malformed: a bracket is open, or ends in a backslash")
		}
		if strings.Contains(segment, "**") && segment != "**" {
			return errors.New(`holds "**" within a segment; it stands for whole ones`)
		}
	}
	return nil
}
