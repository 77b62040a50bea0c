package yamltext

import (
	"strconv"
	"strings"
)

// maxNesting is how deep what is read may be nested.
const maxNesting = 100

// Read returns the mapping or list that a YAML text holds, with the types that
// JSON has. It is false where the library has to do it. The result shares the
// memory of the text.
func Read(text string) (any, bool) {
	ok, _ := printable(text)
	if !ok || strings.IndexByte(text, '\t') >= 0 {
		return nil, false
	}
	r := reader{text: text}
	if !r.next() || r.done {
		return nil, false
	}
	value, ok := r.block(r.indent)
	return value, ok && r.done
}

// reader stands at a line that holds something.
type reader struct {
	text string
	// rest is where the following line begins.
	rest int
	// line is what is left of the line, and indent the column it begins at.
	line   string
	indent int
	done   bool
	depth  int
}

// next goes to the next line that is neither empty nor a comment. It is false
// where a line begins that is not for this reader.
func (r *reader) next() bool {
	for r.rest < len(r.text) {
		line := r.text[r.rest:]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		r.rest += len(line) + 1
		r.line = strings.TrimLeft(line, " ")
		r.indent = len(line) - len(r.line)
		if r.line == "" || r.line[0] == '#' {
			continue
		}
		if r.indent == 0 && (strings.HasPrefix(r.line, "---") || strings.HasPrefix(r.line, "...") || r.line[0] == '%') {
			return false
		}
		return true
	}
	r.line, r.indent, r.done = "", -1, true
	return true
}

// block reads the collection that begins at this column of this line.
func (r *reader) block(indent int) (any, bool) {
	if r.depth++; r.depth > maxNesting {
		return nil, false
	}
	defer func() { r.depth-- }()
	if isItem(r.line) {
		return r.sequence(indent)
	}
	return r.mapping(indent)
}

func isItem(line string) bool {
	return line[0] == '-' && (len(line) == 1 || line[1] == ' ')
}

func (r *reader) mapping(indent int) (any, bool) {
	m := map[string]any{}
	for !r.done && r.indent == indent {
		key, rest, ok := cutKey(r.line)
		if !ok {
			return nil, false
		}
		if _, twice := m[key]; twice {
			return nil, false
		}
		value, ok := r.below(strings.Trim(rest, " "), indent, true)
		if !ok {
			return nil, false
		}
		m[key] = value
	}
	return m, r.indent < indent
}

func (r *reader) sequence(indent int) (any, bool) {
	var list []any
	for !r.done && r.indent == indent && isItem(r.line) {
		rest := strings.TrimLeft(r.line[1:], " ")
		var value any
		ok := true
		_, _, keyed := cutKey(rest)
		if rest != "" && (isItem(rest) || keyed) {
			r.indent += len(r.line) - len(rest)
			r.line = rest
			value, ok = r.block(r.indent)
		} else {
			value, ok = r.below(strings.TrimRight(rest, " "), indent, false)
		}
		if !ok {
			return nil, false
		}
		list = append(list, value)
	}
	return list, r.indent <= indent
}

// below reads what stands behind a key or a dash, or on the lines below, and
// goes to the line after it. A list may stand at the column of its key.
func (r *reader) below(rest string, indent int, keyed bool) (any, bool) {
	if rest != "" && rest[0] == '|' {
		return r.literal(rest[1:], indent)
	}
	if !r.next() {
		return nil, false
	}
	if rest != "" {
		if r.indent > indent {
			return nil, false // it goes on
		}
		return scalar(rest)
	}
	if r.indent > indent || keyed && r.indent == indent && isItem(r.line) {
		return r.block(r.indent)
	}
	return nil, true
}

// cutKey splits a line behind its key.
func cutKey(line string) (key, rest string, ok bool) {
	if line == "" {
		return "", "", false
	}
	if c := line[0]; c == '"' || c == '\'' {
		end := strings.IndexByte(line[1:], c) + 1
		if end <= 0 || end > maxKey {
			return "", "", false
		}
		key, rest = line[1:end], line[end+1:]
		if strings.IndexByte(key, '\\') >= 0 {
			return "", "", false
		}
	} else {
		end := 0
		for end < len(line) && plainKey[line[end]] {
			end++
		}
		key, rest = line[:end], line[end:]
		if end == 0 || end > maxKey || line[0] == '-' || line[0] == '@' || !isText(key) {
			return "", "", false
		}
	}
	if rest == "" || rest[0] != ':' || len(rest) > 1 && rest[1] != ' ' {
		return "", "", false
	}
	return key, rest[1:], true
}

var plainKey = bytesOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-$@+~()")

// scalar reads a value that stands on one line.
func scalar(s string) (any, bool) {
	switch s[0] {
	case '"':
		return doubleQuoted(s)
	case '\'':
		return singleQuoted(s)
	case '{':
		return map[string]any{}, s == "{}"
	case '[':
		return []any{}, s == "[]"
	case '#', ',', ']', '}', '&', '*', '!', '|', '>', '%', '@', '`':
		return nil, false
	case '?', ':', '-':
		if len(s) == 1 || s[1] == ' ' {
			return nil, false
		}
	}
	for i := range len(s) {
		if s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ') || s[i] == '#' && i > 0 && s[i-1] == ' ' {
			return nil, false
		}
	}
	if value, word := words[s]; special[s[0]] && word {
		return value, value != notFinite
	}
	if isInteger(s) {
		f, err := strconv.ParseFloat(s, 64)
		return max(f, 0) + min(f, 0), err == nil // there is no -0 among the whole ones
	}
	if isText(s) {
		return s, true
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "-0" || !isInteger(whole) || !isInteger("1"+fraction) {
		return nil, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func singleQuoted(s string) (any, bool) {
	if len(s) < 2 || s[len(s)-1] != '\'' {
		return nil, false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\'') < 0 {
		return s, true
	}
	plain := strings.ReplaceAll(s, "''", "")
	if strings.IndexByte(plain, '\'') >= 0 {
		return nil, false
	}
	return strings.ReplaceAll(s, "''", "'"), true
}

func doubleQuoted(s string) (any, bool) {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return nil, false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, strings.IndexByte(s, '"') < 0
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			return nil, false
		}
		if c == '\\' {
			if i++; i == len(s) {
				return nil, false
			}
			switch s[i] {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case '"', '\\':
				c = s[i]
			default:
				return nil, false
			}
		}
		out = append(out, c)
	}
	return string(out), true
}

// literal reads the lines below a "|", and goes to the line after them.
func (r *reader) literal(chomp string, parent int) (any, bool) {
	if chomp != "" && chomp != "-" && chomp != "+" {
		return nil, false
	}
	var out strings.Builder
	indent, empty := -1, 0
	ended := false // by a line's end rather than the text's
	for r.rest < len(r.text) {
		line := r.text[r.rest:]
		end := strings.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end]
		}
		if line == "" {
			empty++
			r.rest++
			continue
		}
		column := len(line) - len(strings.TrimLeft(line, " "))
		if column == len(line) {
			return nil, false
		}
		if indent < 0 {
			indent = column
			if indent <= parent {
				return nil, false
			}
		}
		if column < indent {
			if column > parent {
				return nil, false
			}
			break
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		for range empty {
			out.WriteByte('\n')
		}
		empty, ended = 0, end >= 0
		out.WriteString(line[indent:])
		r.rest += len(line) + 1
	}
	if out.Len() == 0 {
		return nil, false
	}
	if ended && chomp != "-" {
		out.WriteByte('\n')
		for range empty {
			if chomp == "+" {
				out.WriteByte('\n')
			}
		}
	}
	return out.String(), r.next()
}
