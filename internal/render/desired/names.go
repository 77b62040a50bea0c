package desired

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var placeholderText = regexp.MustCompile(unknownPrefix + `[a-z0-9-]+?` + regexp.QuoteMeta(unknownSuffix))

// Named returns a copy of an object in which each placeholder is the variable
// that it stands for again, written ${NAME}.
func (s *State) Named(o *Object) *unstructured.Unstructured {
	named, _ := s.names().value(o.Object).(map[string]any)
	return &unstructured.Unstructured{Object: named}
}

// names are those of variables, by their placeholders.
type names map[string]string

// names collects the variables that stand somewhere as placeholders. Of several
// with one placeholder, which differ in capitals only, the first counts.
func (s *State) names() names {
	s.named.Do(func() {
		s.placeholders = names{}
		b := &builder{State: s}
		for _, k := range s.Kustomizations {
			for _, u := range k.unknown {
				s.placeholders.add(u.Name)
			}
			for name, value := range b.variables(k).known {
				if value == placeholder(name) {
					s.placeholders.add(name)
				}
			}
		}
	})
	return s.placeholders
}

func (n names) add(name string) {
	if known, taken := n[placeholder(name)]; !taken || name < known {
		n[placeholder(name)] = name
	}
}

// value copies a value of an object.
func (n names) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[n.text(key)] = n.value(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = n.value(item)
		}
		return list
	case string:
		return n.text(v)
	}
	return v
}

func (n names) text(s string) string {
	if !strings.Contains(s, unknownPrefix) {
		return s
	}
	return placeholderText.ReplaceAllStringFunc(s, func(found string) string {
		if name, known := n[found]; known {
			return "${" + name + "}"
		}
		return found
	})
}

// NamedText is a text in which each placeholder is the variable that it stands
// for again, as [State.Named] has it.
func (s *State) NamedText(text string) string { return s.names().text(text) }
