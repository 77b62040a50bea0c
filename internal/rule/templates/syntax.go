package templates

import (
	"cmp"
	"strings"

	"github.com/BurntSushi/toml"
)

// syntaxFile configures how a repository's templates are written.
const syntaxFile = ".minijinja.toml"

// syntax is how templates are written.
type syntax struct {
	blockStart, blockEnd, variableStart, variableEnd, commentStart, commentEnd string
	// lines says that blocks are written in a way that is not read here.
	lines bool
}

// readSyntax reads the configuration; Jinja2's own syntax where it says
// nothing, or is broken, which others tell.
func readSyntax(text string) syntax {
	var c struct {
		Syntax map[string]string `toml:"syntax"`
	}
	if _, err := toml.Decode(text, &c); err != nil {
		c.Syntax = nil
	}
	or := func(key, otherwise string) string { return cmp.Or(c.Syntax[key], otherwise) }
	return syntax{
		blockStart: or("block-start", "{%"), blockEnd: or("block-end", "%}"),
		variableStart: or("variable-start", "{{"), variableEnd: or("variable-end", "}}"),
		commentStart: or("comment-start", "{#"), commentEnd: or("comment-end", "#}"),
		lines: c.Syntax["line-statement-prefix"] != "" || c.Syntax["line-comment-prefix"] != "",
	}
}

// tokenKind tells the parts of a template apart.
type tokenKind int

const (
	textToken tokenKind = iota
	expressionToken
	blockToken
)

// token is one part of a template.
type token struct {
	kind tokenKind
	// text is the literal text, or what stands between the marks.
	text string
	// alone says of an expression that nothing else stands on its line.
	alone bool
}

// tokens takes a template without comments apart; ok is false where a mark is
// not closed.
func (s syntax) tokens(source string) (list []token, ok bool) {
	strip := false
	add := func(text string) {
		if strip {
			text = strings.TrimLeft(text, " \t\r\n")
		}
		if text != "" {
			list = append(list, token{text: text})
		}
		strip = false
	}
	for source != "" {
		at, kind, start, end := s.next(source)
		if at < 0 {
			add(source)
			break
		}
		inner := source[at+len(start):]
		length := closing(inner, end)
		if length < 0 {
			return nil, false
		}
		before, content, rest := source[:at], inner[:length], inner[length+len(end):]
		if strings.HasPrefix(content, "-") {
			before = strings.TrimRight(before, " \t\r\n")
		}
		add(before)
		strip = strings.HasSuffix(content, "-")
		t := token{kind: kind, text: strings.TrimSpace(strings.Trim(content, "+-"))}
		if kind == expressionToken {
			t.alone = aloneOnLine(source[:at], rest)
		}
		list = append(list, t)
		if kind == blockToken && t.text == "raw" {
			raw, after, ended := s.raw(rest)
			if !ended {
				return nil, false
			}
			add(raw)
			rest = after
		}
		source = rest
	}
	return list, true
}

// next finds the first mark.
func (s syntax) next(source string) (at int, kind tokenKind, start, end string) {
	at = -1
	for _, m := range []struct {
		kind       tokenKind
		start, end string
	}{{blockToken, s.blockStart, s.blockEnd}, {expressionToken, s.variableStart, s.variableEnd}} {
		if i := strings.Index(source, m.start); i >= 0 && (at < 0 || i < at) {
			at, kind, start, end = i, m.kind, m.start, m.end
		}
	}
	return at, kind, start, end
}

// closing finds the mark that ends an expression, outside of its strings.
func closing(text, end string) int {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.HasPrefix(text[i:], end):
			return i
		}
	}
	return -1
}

// raw returns what stands before the end of a raw block, and behind it.
func (s syntax) raw(source string) (text, after string, ok bool) {
	for at := 0; ; {
		i := strings.Index(source[at:], s.blockStart)
		if i < 0 {
			return "", "", false
		}
		begin := at + i + len(s.blockStart)
		length := strings.Index(source[begin:], s.blockEnd)
		if length < 0 {
			return "", "", false
		}
		if strings.TrimSpace(strings.Trim(source[begin:begin+length], "+-")) == "endraw" {
			return source[:at+i], source[begin+length+len(s.blockEnd):], true
		}
		at = begin
	}
}

// aloneOnLine reports whether nothing stands before and behind on a line.
func aloneOnLine(before, after string) bool {
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ = strings.Cut(after, "\n")
	return strings.TrimSpace(before) == "" && strings.TrimSpace(after) == ""
}
