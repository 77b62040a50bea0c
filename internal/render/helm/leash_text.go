package helm

import "strings"

// tied has the texts that an action gives to tpl put on the leash.
func tied(action string) string {
	var out strings.Builder
	from := 0
	for at := 0; at < len(action); {
		switch c := action[at]; {
		case c == '"' || c == '\'' || c == '`':
			end := quoted(action, at)
			if end < 0 {
				return action
			}
			at = end + 1
		case strings.HasPrefix(action[at:], "/*"):
			return action // nothing else is in it
		case isName(c):
			end := at
			for end < len(action) && isName(action[end]) {
				end++
			}
			if action[at:end] == "tpl" && end < len(action) && strings.ContainsRune(" \t\r\n(", rune(action[end])) {
				start := len(action) - len(strings.TrimLeft(action[end:], " \t\r\n"))
				if stop := operand(action, start); stop > start {
					out.WriteString(action[from:start] + "(" + textFunction + " " + tied(action[start:stop]) + ")")
					from, end = stop, stop
				}
			}
			at = end
		default:
			at++
		}
	}
	out.WriteString(action[from:])
	return out.String()
}

func isName(c byte) bool {
	return c == '_' || c == '.' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// operand returns where the operand ends that begins at a place.
func operand(action string, at int) int {
	for depth := 0; at < len(action); at++ {
		switch c := action[at]; {
		case c == '"' || c == '\'' || c == '`':
			if at = quoted(action, at); at < 0 {
				return -1
			}
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0 && !isName(c):
			return at
		}
	}
	return -1
}

// actionOf reads the action that a text begins with: where it ends, -1 where it
// does not, its first word, and whether it trims what follows.
func actionOf(text string) (end int, keyword string, trims bool) {
	inner := strings.TrimPrefix(text[2:], "-")
	inner = strings.TrimLeft(inner, " \t\r\n")
	at := len(text) - len(inner)
	if strings.HasPrefix(inner, "/*") {
		comment := strings.Index(inner, "*/")
		if comment < 0 {
			return -1, "", false
		}
		at += comment + len("*/")
	} else {
		keyword = inner[:len(inner)-len(strings.TrimLeft(inner, "abcdefghijklmnopqrstuvwxyz"))]
	}
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case c == '"' || c == '\'' || c == '`':
			if at = quoted(text, at); at < 0 {
				return -1, "", false
			}
		case strings.HasPrefix(text[at:], "}}"):
			return at + 2, keyword, text[at-1] == '-' && strings.ContainsRune(" \t\r\n", rune(text[at-2]))
		}
	}
	return -1, "", false
}

// quoted returns where what is quoted ends, or -1.
func quoted(text string, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch {
		case text[at] == quote:
			return at
		case text[at] == '\\' && quote != '`':
			at++
		}
	}
	return -1
}

// endsAtOnce reports whether nothing but blanks and comments comes before an end.
func endsAtOnce(text string) bool {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if !strings.HasPrefix(text, "{{") {
			return false
		}
		end, keyword, _ := actionOf(text)
		if end < 0 || keyword != "" {
			return keyword == "end"
		}
		if !strings.Contains(text[:end], "/*") {
			return false
		}
		text = text[end:]
	}
}
