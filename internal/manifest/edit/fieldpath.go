package edit

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSteps bounds how deep a field path leads.
const maxSteps = 64

// FieldPath reads a field path as people write it: spec.patches[0].path,
// metadata.annotations["a.b/c"].
func FieldPath(text string) ([]string, error) {
	var path []string
	rest := text
	for rest != "" {
		step, more, err := nextStep(rest, len(path) == 0)
		if err != nil {
			return nil, fmt.Errorf("the field path %q: %w", text, err)
		}
		path, rest = append(path, step), more
		if len(path) > maxSteps {
			return nil, fmt.Errorf("the field path %.40q… leads deeper than %d fields", text, maxSteps)
		}
	}
	if len(path) == 0 {
		return nil, fmt.Errorf("the field path is empty: name a field such as spec.path")
	}
	return path, nil
}

// nextStep cuts the first step off a path.
func nextStep(text string, first bool) (step, rest string, err error) {
	if text[0] == '[' {
		return bracketed(text)
	}
	if text[0] == '.' {
		if first {
			return "", "", fmt.Errorf("it begins with a dot")
		}
		text = text[1:]
	} else if !first {
		return "", "", fmt.Errorf("a dot is missing before %q", text)
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if end == 0 {
		return "", "", fmt.Errorf("a field has no name")
	}
	return text[:end], text[end:], nil
}

// bracketed reads [0] or ["a.b"].
func bracketed(text string) (step, rest string, err error) {
	if quoted, err := strconv.QuotedPrefix(text[1:]); err == nil {
		step, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(text[1+len(quoted):], "]")
		if err == nil && closed {
			return step, rest, nil
		}
		return "", "", fmt.Errorf("the bracket before %q is not closed", rest)
	}
	inside, rest, closed := strings.Cut(text[1:], "]")
	if _, ok := index(inside); !closed || !ok {
		return "", "", fmt.Errorf("%q is neither [0] nor [\"name\"]", text)
	}
	return inside, rest, nil
}
