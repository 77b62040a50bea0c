package credential

import (
	"regexp"
	"slices"
	"strings"
)

// stems are parts of names of credentials; a text without any has no such name.
var stems = []string{"pass", "pwd", "token", "secret", "key", "credential", "masterauth"}

// InText finds the credentials in the text of a configuration, a script or
// another file, line by line: known formats, and names with a value as YAML,
// JSON, INI and XML files, variables of the environment, command lines,
// connection strings and SQL write them. Comments are left out.
func InText(text string) []Found {
	named := mayName(text)
	var found []Found
	number := -1
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if isComment(line) {
			continue
		}
		what := format(line)
		if what == "" && named && mayName(line) {
			what = inLine(line)
		}
		if what != "" {
			found = append(found, Found{number, what})
		}
	}
	return found
}

// mayName reports whether a text holds a part of a name of credentials. It is
// there to be quick: most lines hold none.
func mayName(text string) bool {
	lower := strings.ToLower(text)
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(lower, stem) })
}

func isComment(line string) bool {
	line = strings.TrimSpace(line)
	for _, start := range []string{"#", ";", "//", "/*", "* ", "<!--", "--  ", "-- "} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

var (
	assignment = regexp.MustCompile(`^\s*(?:- +)*(?:export +|set +|ENV +)?["']?([A-Za-z_][\w.-]*)["']?\s*(?::=|[:=])\s*(\S.*)$`)
	member     = regexp.MustCompile(`"([A-Za-z_][\w.-]*)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	element    = regexp.MustCompile(`<([A-Za-z_][\w.-]*)>([^<>]+)</`)
	flag       = regexp.MustCompile(`(?:^|\s)--?([A-Za-z][\w.-]*)=("[^"]*"|'[^']*'|[^\s"']+)`)
	parameter  = regexp.MustCompile(`(?i)(?:^|[\s;?&"'])(password|passwd|pwd)=([^\s;&"',]+)`)
	statement  = regexp.MustCompile(`(?i)\b(password)\s+'([^']+)'`)
)

// inLine looks for names with a value.
func inLine(line string) string {
	if m := assignment.FindStringSubmatch(line); m != nil {
		if value, ok := assigned(m[2]); ok {
			if what := ofName(m[1], value); what != "" {
				return what
			}
		}
	}
	for _, pattern := range []*regexp.Regexp{member, element, flag, parameter, statement} {
		for _, m := range pattern.FindAllStringSubmatch(line, -1) {
			if what := ofName(m[1], strings.Trim(m[2], `"'`)); what != "" {
				return what
			}
		}
	}
	return ""
}

func ofName(name, value string) string {
	if c := classOf(name); c != plain && isWritten(c, name, value) {
		return "the value of " + name
	}
	return ""
}

// assigned returns what an assignment assigns, where that is a text: without
// quotes, the comma or semicolon behind it, and a comment. What is not quoted
// and looks like code is no text.
func assigned(rest string) (string, bool) {
	if quote := rest[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(rest[1:], quote)
		if end < 0 {
			return "", false
		}
		return rest[1 : 1+end], true
	}
	rest, _, _ = strings.Cut(rest, " #")
	rest = strings.TrimRight(rest, " ,;")
	if strings.ContainsAny(rest, "()[]{}<>|&*!`\\\"'") {
		return "", false
	}
	return rest, !strings.Contains(rest, ": ")
}
