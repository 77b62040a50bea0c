package keys

import (
	"context"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// Original returns a name that the steps turn into wanted, and whether there
// is one that could be found: a step back is guessed from the step, and
// believed only if the way forward confirms it.
func Original(ctx context.Context, steps []v1.Rewrite, wanted string) (string, bool) {
	candidates := []string{wanted}
	for i := len(steps) - 1; i >= 0; i-- {
		var before []string
		for _, name := range candidates {
			before = append(before, stepBack(steps[i], name)...)
		}
		candidates = before
		if len(candidates) > maxCandidates {
			candidates = candidates[:maxCandidates]
		}
	}
	for _, name := range candidates {
		if forward, err := Rename(ctx, steps, name); err == nil && forward == wanted && name != "" {
			return name, true
		}
	}
	return "", false
}

// maxCandidates bounds the guesses that are tried.
const maxCandidates = 64

// stepBack guesses what a name was before a step, likely ones first.
func stepBack(step v1.Rewrite, name string) []string {
	var guesses []string
	switch {
	case step.Regexp != nil:
		if guess, ok := invertRegexp(step.Regexp.Source, step.Regexp.Target, name); ok {
			guesses = append(guesses, guess)
		}
	case step.Transform != nil:
		guesses = append(guesses, strings.ToUpper(name), strings.ToLower(name))
		for i := range name {
			if i > 0 && !isLetterOrDigit(name[i-1]) {
				guesses = append(guesses, name[i:], name[:i-1])
			}
		}
	}
	return append(guesses, name)
}

func isLetterOrDigit(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

var groupReference = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+)|(\$))`)

// invertRegexp reads the groups out of a name by the target, and puts them
// into the source.
func invertRegexp(source, target, name string) (string, bool) {
	var pattern strings.Builder
	var groups []string
	last := 0
	for _, m := range groupReference.FindAllStringSubmatchIndex(target, -1) {
		pattern.WriteString(regexp.QuoteMeta(target[last:m[0]]))
		last = m[1]
		switch {
		case m[6] >= 0:
			pattern.WriteString(`\$`)
			continue
		case m[2] >= 0:
			groups = append(groups, target[m[2]:m[3]])
		default:
			groups = append(groups, target[m[4]:m[5]])
		}
		pattern.WriteString(`(.*)`)
	}
	pattern.WriteString(regexp.QuoteMeta(target[last:]))
	re, err := regexp.Compile("^" + pattern.String() + "$")
	if err != nil {
		return "", false
	}
	match := re.FindStringSubmatch(name)
	if match == nil {
		return partial(source, target, name)
	}
	values := map[string]string{}
	for i, group := range groups {
		values[group] = match[i+1]
	}
	return fill(source, values)
}

// partial handles a source that matches only a part of the name, such as a
// prefix: the part is put back where it was taken from.
func partial(source, target, name string) (string, bool) {
	if groupReference.MatchString(target) {
		return "", false
	}
	text, ok := fill(source, nil)
	switch {
	case !ok:
		return "", false
	case strings.HasPrefix(source, "^") && strings.HasPrefix(name, target):
		return text + name[len(target):], true
	case strings.HasSuffix(source, "$") && strings.HasSuffix(name, target):
		return name[:len(name)-len(target)] + text, true
	case target != "" && strings.Contains(name, target):
		return strings.Replace(name, target, text, 1), true
	}
	return "", false
}

// fill returns a text that a pattern matches, with given values for its groups.
func fill(source string, groups map[string]string) (string, bool) {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	ok := write(&b, tree, groups)
	return b.String(), ok
}

func write(b *strings.Builder, re *syntax.Regexp, groups map[string]string) bool {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCapture:
		value, ok := groups[strconv.Itoa(re.Cap)]
		if named, found := groups[re.Name]; !ok && re.Name != "" {
			value, ok = named, found
		}
		if ok {
			b.WriteString(value)
			return true
		}
		return write(b, re.Sub[0], groups)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !write(b, sub, groups) {
				return false
			}
		}
	case syntax.OpPlus:
		return write(b, re.Sub[0], groups)
	case syntax.OpAlternate:
		return write(b, re.Sub[0], groups)
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			b.WriteRune(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpRepeat:
		for range re.Min {
			if b.Len() > 1<<10 || !write(b, re.Sub[0], groups) {
				return false
			}
		}
	}
	return true
}
