package gotemplate

import (
	"sync"
	"text/template"
	"text/template/parse"
)

// Set holds the parsed templates of one chart. Once all are parsed it may be
// executed concurrently.
type Set struct {
	functions map[string]*function
	// names is what the parser asks for the functions that exist.
	names     map[string]any
	templates map[string]*body
	texts     texts
}

// body is a parsed template.
type body struct {
	nodes []node
	// empty says that it holds nothing but blanks and definitions.
	empty bool
}

// NewSet returns a set whose templates may call these functions, and the
// language's own. A rendering that calls one of the varying ones may come out
// differently the next time.
func NewSet(functions template.FuncMap, varying []string) *Set {
	s := &Set{functions: map[string]*function{}, names: map[string]any{}, templates: map[string]*body{}}
	for name, f := range builtins {
		s.functions[name] = f
	}
	for name, fn := range functions {
		s.functions[name] = newFunction(name, fn)
	}
	s.functions["include"] = &function{name: "include", special: callInclude}
	s.functions["tpl"] = &function{name: "tpl", special: callTpl}
	s.functions["lookup"] = &function{name: "lookup", special: callLookup}
	for _, name := range varying {
		if f := s.functions[name]; f != nil {
			f.varies = true
		}
	}
	for name := range s.functions {
		s.names[name] = true
	}
	return s
}

// Parse adds a template and those defined in it. A later one replaces an
// earlier one of the same name, unless it is empty.
func (s *Set) Parse(name, text string) error {
	parsed, err := s.parse(name, text)
	if err != nil {
		return err
	}
	for name, b := range parsed {
		if s.templates[name] == nil || !b.empty {
			s.templates[name] = b
		}
	}
	return nil
}

func (s *Set) parse(name, text string) (map[string]*body, error) {
	trees, err := parse.Parse(name, text, "", "", s.names)
	if err != nil {
		return nil, unsure("%v", err)
	}
	parsed := make(map[string]*body, len(trees))
	for name, tree := range trees {
		c := compiler{set: s}
		parsed[name] = &body{nodes: c.list(tree.Root), empty: parse.IsEmptyTree(tree.Root)}
		if c.err != nil {
			return nil, c.err
		}
	}
	return parsed, nil
}

// Bounds of what is kept of the texts given to tpl.
const (
	maxTexts     = 2 << 20
	longestText  = 16 << 10
	nameOfTheSet = "gotpl"
)

// texts keeps what was parsed of texts given to tpl, until it is full.
type texts struct {
	mu     sync.RWMutex
	parsed map[string]map[string]*body
	size   int
}

func (s *Set) text(text string) (map[string]*body, error) {
	s.texts.mu.RLock()
	parsed := s.texts.parsed[text]
	s.texts.mu.RUnlock()
	if parsed != nil {
		return parsed, nil
	}
	parsed, err := s.parse(nameOfTheSet, text)
	if err != nil {
		return nil, err
	}
	s.texts.mu.Lock()
	defer s.texts.mu.Unlock()
	if len(text) > longestText {
		return parsed, nil
	}
	if s.texts.size += len(text); s.texts.parsed == nil || s.texts.size > maxTexts {
		s.texts.parsed, s.texts.size = map[string]map[string]*body{}, len(text)
	}
	s.texts.parsed[text] = parsed
	return parsed, nil
}
