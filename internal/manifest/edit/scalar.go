package edit

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// scalar is a single value to write.
type scalar struct {
	tag   string // !!str, !!int or !!bool
	value string
}

// scalarOf returns what an edit sets; it has no tag where the edit's type is unknown.
func scalarOf(e Edit) scalar {
	tags := map[string]string{typeString: "!!str", typeInteger: "!!int", typeBoolean: "!!bool"}
	return scalar{tag: tags[e.Type], value: e.Value}
}

func (s scalar) node() *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: s.tag, Value: s.value}
}

// valid reports whether the value is one of its type.
func (s scalar) valid() bool {
	return s.tag == "!!str" && utf8.ValidString(s.value) || s.tag != "" && s.tag != "!!str" && (&yaml.Node{Kind: yaml.ScalarNode, Value: s.value}).ShortTag() == s.tag
}

// is reports whether a node has the value already, in whatever notation.
func (s scalar) is(n *yaml.Node) bool {
	if n.ShortTag() != s.tag || n.Value == s.value {
		return n.ShortTag() == s.tag
	}
	var a, b int64
	return s.tag == "!!int" && n.Decode(&a) == nil && s.node().Decode(&b) == nil && a == b
}

// text writes the scalar in one line: plain, or quoted where it must or shall be.
func (s scalar) text(flow, quoted bool) string {
	if s.tag != "!!str" || !quoted && isPlain(s.value, flow) {
		return s.value
	}
	return doubleQuoted(s.value)
}

// single writes a string in single quotes where they can hold it.
func (s scalar) single() string {
	if strings.ContainsFunc(s.value, func(r rune) bool { return !isPrintable(r) || r == '\t' }) {
		return doubleQuoted(s.value)
	}
	return "'" + strings.ReplaceAll(s.value, "'", "''") + "'"
}

var (
	// sexagesimal numbers are such in YAML 1.1 only.
	sexagesimal = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	// oldBoolean values are such in YAML 1.1 only, which Kubernetes reads.
	oldBoolean = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)
)

// isPlain reports whether every YAML parser reads a string written without
// quotes as that string.
func isPlain(s string, flow bool) bool {
	switch {
	case s == "", s == "=", s == "<<", strings.TrimSpace(s) != s,
		strings.ContainsFunc(s, func(r rune) bool { return !isPrintable(r) }),
		strings.Contains(s, ": "), strings.HasSuffix(s, ":"), strings.ContainsAny(s, "\t"),
		strings.Contains(s, " #"),
		strings.HasPrefix(s, "---"), strings.HasPrefix(s, "..."),
		flow && strings.ContainsAny(s, ",[]{}?:"):
		return false
	case strings.IndexByte("-?:", s[0]) >= 0 && (len(s) == 1 || s[1] == ' ' || flow):
		return false
	case strings.IndexByte(",[]{}#&*!|>'\"%@`", s[0]) >= 0, sexagesimal.MatchString(s), oldBoolean.MatchString(s):
		return false
	}
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: s}).ShortTag() == "!!str"
}

// isPrintable reports whether a character may stand in YAML as it is, in one line.
func isPrintable(r rune) bool {
	return r == '\t' || unicode.IsPrint(r) && r != '\uFEFF'
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case isPrintable(r):
			b.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
