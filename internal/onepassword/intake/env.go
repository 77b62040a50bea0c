package intake

import (
	"regexp"
	"strings"

	"hearth/internal/onepassword"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// env reads NAME=value lines: quotes as in a shell, over several lines where
// they are not closed on the first; "export" in front and comments are passed
// over. Nothing is expanded.
func (t *text) env(data []byte) error {
	rest, line := strings.ReplaceAll(string(data), "\r\n", "\n"), 1
	for rest != "" {
		current, next, _ := strings.Cut(rest, "\n")
		entry := strings.TrimSpace(current)
		if entry == "" || strings.HasPrefix(entry, "#") {
			rest, line = next, line+1
			continue
		}
		before, _, assigned := strings.Cut(current, "=")
		name := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(before), "export "))
		if !assigned || !envName.MatchString(name) {
			return t.fault(line, "is no NAME=value")
		}
		value, after, problem := envValue(rest[len(before)+1:])
		if problem != "" {
			return t.fault(line, problem)
		}
		if err := t.addField("", onepassword.Field{Label: name, Type: "CONCEALED", Value: onepassword.NewValue(value)}, line); err != nil {
			return err
		}
		line += strings.Count(rest[:len(rest)-len(after)], "\n")
		rest = after
	}
	return nil
}

// envValue reads the value that a text begins with, and returns what comes
// after its line.
func envValue(text string) (value, rest, problem string) {
	trimmed := strings.TrimLeft(text, " \t")
	if trimmed == "" || (trimmed[0] != '"' && trimmed[0] != '\'') {
		value, rest, _ = strings.Cut(text, "\n")
		if i := strings.Index(" "+value, " #"); i >= 0 {
			value = value[:max(0, i-1)]
		}
		return strings.TrimSpace(value), rest, ""
	}
	value, after, closed := quoted(trimmed)
	if !closed {
		return "", "", "a quote is not closed"
	}
	tail, rest, _ := strings.Cut(after, "\n")
	if tail = strings.TrimSpace(tail); tail != "" && !strings.HasPrefix(tail, "#") {
		return "", "", "something stands behind the closing quote"
	}
	return value, rest, ""
}

var envEscapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '"': `"`, '\\': `\`, '$': "$", '`': "`", '\n': ""}

// quoted reads a text in quotes: between single ones everything is itself.
func quoted(text string) (value, rest string, closed bool) {
	quote := text[0]
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return out.String(), text[i+1:], true
		case c == '\\' && quote == '"' && i+1 < len(text):
			i++
			escaped, known := envEscapes[text[i]]
			if !known {
				escaped = text[i-1 : i+1]
			}
			out.WriteString(escaped)
		default:
			out.WriteByte(c)
		}
	}
	return "", "", false
}
