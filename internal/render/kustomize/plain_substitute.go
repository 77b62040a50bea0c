package kustomize

import "strings"

// substitutePlainly replaces the variables of an object in place, without a
// pass through its YAML, and reports whether it did. It does where each
// variable has a simple name and a simple value, and what comes out is text in
// whatever way the YAML had been written; nothing is changed otherwise.
func (s *substitution) substitutePlainly(content map[string]any) bool {
	if !mentions(content) {
		return true
	}
	metadata, _ := content["metadata"].(map[string]any)
	if optsOut(textsOf(metadata["labels"]), textsOf(metadata["annotations"])) {
		return true
	}
	if _, ok := s.replaced(content, false); !ok {
		return false
	}
	_, ok := s.replaced(content, true)
	return ok
}

func textsOf(v any) map[string]string {
	texts := map[string]string{}
	fields, _ := v.(map[string]any)
	for name, value := range fields {
		texts[name], _ = value.(string)
	}
	return texts
}

// mentions reports whether a dollar sign stands anywhere in a value.
func mentions(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "$")
	case []any:
		for _, item := range v {
			if mentions(item) {
				return true
			}
		}
	case map[string]any:
		for name, item := range v {
			if strings.Contains(name, "$") || mentions(item) {
				return true
			}
		}
	}
	return false
}

// replaced returns a value with its variables replaced, in place if it may;
// false where the whole object has to go through YAML.
func (s *substitution) replaced(v any, inPlace bool) (any, bool) {
	switch v := v.(type) {
	case string:
		return s.replacedText(v)
	case bool, int64:
		return v, true
	case []any:
		for i, item := range v {
			value, ok := s.replaced(item, inPlace)
			if !ok {
				return nil, false
			}
			if inPlace {
				v[i] = value
			}
		}
		return v, true
	case map[string]any:
		for name, item := range v {
			value, ok := s.replaced(item, inPlace)
			if !ok || strings.Contains(name, "$") {
				return nil, false
			}
			if inPlace {
				v[name] = value
			}
		}
		return v, true
	}
	return nil, false
}

// replacedText replaces the variables of one text.
func (s *substitution) replacedText(text string) (string, bool) {
	if !strings.Contains(text, "$") {
		return text, certainLines(text)
	}
	var out strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "$")
		out.WriteString(before)
		if !found {
			break
		}
		name, behind, closed := strings.Cut(strings.TrimPrefix(after, "{"), "}")
		value := s.variables[name]
		if !strings.HasPrefix(after, "{") || !closed || !variableName.MatchString(name) || !simpleValue(value) {
			return "", false
		}
		out.WriteString(value)
		rest = behind
	}
	// What begins with a brace was quoted before, and still is.
	return out.String(), !strings.Contains(text, "\n") && (text[0] == '{' || certainText(out.String()))
}

// certainLines reports whether a text comes out of YAML as it went in, with no
// doubt about the edges of its lines.
func certainLines(text string) bool {
	return !strings.Contains(text, "\n") || !strings.ContainsAny(text[:1], " \t\n") && !strings.ContainsAny(text, "\t") && !strings.Contains(text, " \n")
}

// simpleValue reports whether a variable's value means nothing to YAML.
func simpleValue(value string) bool {
	for _, r := range value {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._/@:-", r):
		default:
			return false
		}
	}
	return value != "" && value[len(value)-1] != ':'
}
