package templates

import "strings"

// disagreement is an expression that was rendered to two different texts.
type disagreement struct {
	expression  string
	first, line int
}

// disagreement looks for an expression that stands in several lines of a
// template and has different values in the rendered file. It only judges
// templates without blocks, whose lines are those of the rendered file, and
// lines with one expression.
func (s syntax) disagreement(source, text string) (disagreement, bool) {
	source, ok := s.withoutComments(source)
	if !ok || strings.Contains(source, s.blockStart) {
		return disagreement{}, false
	}
	template, twin := renderedOf(source).split(), renderedOf(text).split()
	if len(template) != len(twin) {
		return disagreement{}, false
	}
	type use struct {
		value string
		line  int
	}
	seen := map[string]use{}
	for i, line := range template {
		before, rest, ok := strings.Cut(line.text, s.variableStart)
		expression, after, closed := strings.Cut(rest, s.variableEnd)
		expression = strings.Trim(expression, "+-")
		if !ok || !closed || strings.Contains(after, s.variableStart) || strings.Contains(line.text, "op://") || strings.Contains(expression, "(") && !strings.Contains(expression, "|") {
			continue
		}
		value, starts := strings.CutPrefix(twin[i].text, before)
		value, ends := strings.CutSuffix(value, after)
		if !starts || !ends {
			return disagreement{}, false
		}
		if was, again := seen[expression]; again && was.value != value {
			return disagreement{expression, was.line, twin[i].line}, true
		}
		seen[expression] = use{value, twin[i].line}
	}
	return disagreement{}, false
}

// textLine is a line of a file as patterns see it.
type textLine struct {
	text string
	line int
}

func (r rendered) split() []textLine {
	var list []textLine
	begin := 0
	for i, c := range r.text {
		if c == '\n' {
			list = append(list, textLine{string(r.text[begin:i]), r.lines[i]})
			begin = i + 1
		}
	}
	return list
}
