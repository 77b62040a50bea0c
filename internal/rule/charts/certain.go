package charts

import (
	"strconv"
	"strings"
)

// isCertain reports whether a mismatch holds whatever is not known from the
// tree: a Secret's values, and variables that a vault supplies. What the
// release itself does not set is the chart's own affair, unless it is missing.
// The values are those of the chart at the path, its defaults among them.
func (j *judgement) isCertain(m mismatch, values map[string]any, path []string) bool {
	if m.conditional && (j.open || j.isUnknown(values)) {
		return false
	}
	here, _ := at(values, m.at)
	if m.choice && j.isUnknown(here) {
		return false
	}
	if m.lacks {
		return !j.open
	}
	own, set := at(j.release.Values, append(append([]string{}, path...), m.at...))
	if !set {
		return false
	}
	_, isMap := own.(map[string]any)
	if m.extra {
		return true
	}
	if isMap || m.choice {
		return !j.open
	}
	return !j.isUnknown(own)
}

// isUnknown reports whether a value holds text that is not known from the tree.
func (j *judgement) isUnknown(value any) bool {
	switch in := value.(type) {
	case string:
		return j.state.Unknown(in) || strings.Contains(in, "${")
	case map[string]any:
		for key, below := range in {
			if j.isUnknown(key) || j.isUnknown(below) {
				return true
			}
		}
	case []any:
		for _, below := range in {
			if j.isUnknown(below) {
				return true
			}
		}
	}
	return false
}

// at returns the value at a path.
func at(value any, path []string) (any, bool) {
	for _, step := range path {
		switch in := value.(type) {
		case map[string]any:
			below, ok := in[step]
			if !ok {
				return nil, false
			}
			value = below
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			value = in[i]
		default:
			return nil, false
		}
	}
	return value, true
}

func isIndex(step string) bool {
	_, err := strconv.Atoi(step)
	return err == nil
}
