package diff

import (
	"fmt"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"
)

// Bounds of what is shown of one value.
const (
	maxLines = 400
	maxLine  = 2_000 // in bytes
)

// shown writes a value as YAML, in lines; one line for a scalar. What stands for
// a secret's value says so.
func shown(v any) []string {
	if isMasked(v) {
		return []string{unmarked(v.(string))}
	}
	if text, ok := v.(string); ok && strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		return cleanLines(strings.TrimRight(text, "\n"))
	}
	data, err := yaml.Marshal(v)
	if err != nil {
		return []string{clean(fmt.Sprint(v))}
	}
	return cleanLines(unmarked(strings.TrimRight(string(data), "\n")))
}

func cleanLines(text string) []string {
	lines := strings.Split(text, "\n")
	if len(lines) > maxLines {
		left := len(lines) - maxLines
		lines = append(lines[:maxLines:maxLines], fmt.Sprintf("… %d more lines", left))
	}
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return lines
}

// clean bounds a line, and takes out what would steer a terminal.
func clean(line string) string {
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar) {
			return ' '
		}
		return r
	}, line)
}

// line is one line of a difference: ' ', '-' or '+', and its text.
type line struct {
	mark byte
	text string
}

// lines returns the lines in which two values differ, with some around them.
func (f Field) lines() []line {
	var before, after []string
	if f.Kind != Added {
		before = shown(f.Before)
	}
	if f.Kind != Removed {
		after = shown(f.After)
	}
	if len(before) == 1 && len(after) == 1 && before[0] == after[0] {
		if isMasked(f.Before) {
			return []line{{'~', after[0] + " changes"}}
		}
		return []line{{'~', after[0] + " changes in its type, or in what cannot be shown"}}
	}
	return changes(before, after, around)
}

// around is how many lines are shown beside those that differ.
const around = 3

// changes compares lines.
func changes(before, after []string, around int) []line {
	pairs := align(len(before), len(after), func(i, j int) bool { return before[i] == after[j] })
	var all []line
	i, j := 0, 0
	for _, p := range append(pairs, [2]int{len(before), len(after)}) {
		for ; i < p[0]; i++ {
			all = append(all, line{'-', before[i]})
		}
		for ; j < p[1]; j++ {
			all = append(all, line{'+', after[j]})
		}
		if i < len(before) && j < len(after) {
			all = append(all, line{' ', before[i]})
		}
		i, j = i+1, j+1
	}
	return near(all, around)
}

// near leaves out the lines that are far from any that differs.
func near(all []line, around int) []line {
	keep := make([]bool, len(all))
	for i, l := range all {
		if l.mark == ' ' {
			continue
		}
		for k := max(0, i-around); k <= min(len(all)-1, i+around); k++ {
			keep[k] = true
		}
	}
	var kept []line
	for i, l := range all {
		switch {
		case keep[i]:
			kept = append(kept, l)
		case i > 0 && keep[i-1]:
			kept = append(kept, line{'@', "…"})
		case i == 0:
			kept = append(kept, line{'@', "…"})
		}
	}
	return kept
}
