package secrets

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule/secrets/credential"
)

// search walks the values of one document.
type search struct {
	*hardcoded
	doc *manifest.Document
}

// value searches what stands at a path. The name is that of the nearest field
// that has one.
func (s *search) value(n *yaml.Node, at []string, name string) {
	switch n.Kind {
	case yaml.MappingNode:
		s.mapping(n, at, name)
	case yaml.SequenceNode:
		s.list(n, at, name)
	case yaml.ScalarNode:
		s.scalar(n, at, name)
	}
}

func (s *search) mapping(n *yaml.Node, at []string, name string) {
	own := nameWithin(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		called := key
		switch {
		case (key == "value" || key == "default") && own != "":
			called = own
		case key == "value" || key == "default":
			called = name
		case s.refers(key):
			continue
		}
		s.value(value, below(at, key), called)
	}
}

// nameWithin returns what a mapping says its value is called: {name: X, value:
// Y} of variables, {key: X, value: Y} of settings, and the path of a patch.
func nameWithin(n *yaml.Node) string {
	name := ""
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind != yaml.ScalarNode {
			continue
		}
		switch n.Content[i].Value {
		case "name", "key":
			name = value.Value
		case "path":
			if pointer := value.Value; strings.HasPrefix(pointer, "/") {
				return strings.ReplaceAll(pointer[strings.LastIndexByte(pointer, '/')+1:], "~1", "/")
			}
		}
	}
	return name
}

// refers reports whether a field of the document's kind names a key and holds
// no value: External Secrets calls those of Secrets secretKey.
func (s *search) refers(key string) bool {
	return key == "secretKey" && s.doc.Group() == "external-secrets.io"
}

// list searches a list. In one of arguments the value of a flag may be the
// next item.
func (s *search) list(n *yaml.Node, at []string, name string) {
	flag := ""
	for i, item := range n.Content {
		if item.Kind == yaml.ScalarNode && flag != "" && !strings.HasPrefix(item.Value, "-") {
			if what := credential.In(flag, item.Value); what != "" && isText(item) {
				s.report(place(s.doc.File, item.Line), s.doc.Ref(), what)
				flag = ""
				continue
			}
		}
		flag = ""
		if item.Kind == yaml.ScalarNode && strings.HasPrefix(item.Value, "-") && !strings.ContainsAny(item.Value, "= \n") {
			flag = strings.TrimLeft(item.Value, "-")
		}
		s.value(item, below(at, strconv.Itoa(i)), name)
	}
}

func (s *search) scalar(n *yaml.Node, at []string, name string) {
	if !isText(n) || len(n.Value) < 3 {
		return
	}
	if strings.Contains(n.Value, "\n") && isPatch(at) {
		for _, nested := range s.doc.Nested(at...) {
			(&search{hardcoded: s.hardcoded, doc: nested}).value(nested.Node, nil, "")
		}
		return
	}
	for _, found := range judged(name, n.Value) {
		s.report(place(s.doc.File, lineIn(n, found.Line)), s.object(), found.What)
	}
}

func (s *search) object() domain.Ref {
	if !s.doc.IsObject() {
		return domain.Ref{}
	}
	return s.doc.Ref()
}

// isText reports whether a scalar is a text or a number, as written. What has a
// tag of its own (!secret, !env) is read from elsewhere.
func isText(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!binary":
		return true
	}
	return false
}

// isPatch reports whether a text at a path is a patch of kustomize.
func isPatch(at []string) bool {
	return len(at) >= 3 && at[len(at)-1] == "patch" && at[len(at)-3] == "patches" ||
		len(at) >= 2 && strings.HasPrefix(at[len(at)-2], "patches")
}
