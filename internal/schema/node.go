package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"sync/atomic"
)

// node is one schema, as OpenAPI 3 and custom resource definitions write it.
type node struct {
	Ref        string   `json:"$ref"`
	Type       string   `json:"type"`
	Format     string   `json:"format"`
	Nullable   bool     `json:"nullable"`
	Default    *literal `json:"default"`
	Enum       []any    `json:"enum"`
	Pattern    string   `json:"pattern"`
	MinLength  *int     `json:"minLength"`
	MaxLength  *int     `json:"maxLength"`
	Minimum    *float64 `json:"minimum"`
	Maximum    *float64 `json:"maximum"`
	MultipleOf *float64 `json:"multipleOf"`

	ExclusiveMinimum bool `json:"exclusiveMinimum"`
	ExclusiveMaximum bool `json:"exclusiveMaximum"`

	Properties           map[string]*node `json:"properties"`
	AdditionalProperties *additional      `json:"additionalProperties"`
	Required             []string         `json:"required"`
	MinProperties        *int             `json:"minProperties"`
	MaxProperties        *int             `json:"maxProperties"`

	Items       *node    `json:"items"`
	MinItems    *int     `json:"minItems"`
	MaxItems    *int     `json:"maxItems"`
	UniqueItems bool     `json:"uniqueItems"`
	ListType    string   `json:"x-kubernetes-list-type"`
	ListMapKeys []string `json:"x-kubernetes-list-map-keys"`

	AllOf []*node `json:"allOf"`
	AnyOf []*node `json:"anyOf"`
	OneOf []*node `json:"oneOf"`
	Not   *node   `json:"not"`

	Preserve    bool `json:"x-kubernetes-preserve-unknown-fields"`
	Embedded    bool `json:"x-kubernetes-embedded-resource"`
	IntOrString bool `json:"x-kubernetes-int-or-string"`

	expression atomic.Pointer[regexp.Regexp]
	target     atomic.Pointer[node]
}

// literal is a value of a schema; it tells null from nothing.
type literal struct{ value any }

func (l *literal) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &l.value) }

// additional says what fields other than the properties may hold: anything
// where schema is nil and admitted.
type additional struct {
	schema   *node
	admitted bool
}

func (a *additional) UnmarshalJSON(data []byte) error {
	switch string(bytes.TrimSpace(data)) {
	case "true":
		a.admitted = true
		return nil
	case "false", "null":
		return nil
	}
	a.admitted = true
	return json.Unmarshal(data, &a.schema)
}

// decodeNode reads a schema.
func decodeNode(data []byte) (*node, error) {
	n := new(node)
	if err := json.Unmarshal(data, n); err != nil {
		return nil, err
	}
	n.prune()
	return n, nil
}

// prune takes out the schemas that are null; they say nothing.
func (n *node) prune() {
	if n == nil {
		return
	}
	maps.DeleteFunc(n.Properties, func(_ string, p *node) bool { return p == nil })
	for _, parts := range []*[]*node{&n.AllOf, &n.AnyOf, &n.OneOf} {
		*parts = slices.DeleteFunc(*parts, func(p *node) bool { return p == nil })
	}
	n.replace(func(child *node) *node {
		child.prune()
		return child
	})
}

// replace puts what f returns in the place of each schema that this one holds.
func (n *node) replace(f func(*node) *node) {
	for name, p := range n.Properties {
		n.Properties[name] = f(p)
	}
	for _, parts := range [][]*node{n.AllOf, n.AnyOf, n.OneOf} {
		for i, p := range parts {
			parts[i] = f(p)
		}
	}
	if n.Items != nil {
		n.Items = f(n.Items)
	}
	if n.Not != nil {
		n.Not = f(n.Not)
	}
	if n.AdditionalProperties != nil && n.AdditionalProperties.schema != nil {
		n.AdditionalProperties.schema = f(n.AdditionalProperties.schema)
	}
}

// matches reports whether the pattern admits a text. One that does not compile
// admits all: the API server refuses such a definition.
func (n *node) matches(text string) bool {
	e := n.expression.Load()
	if e == nil {
		var err error
		if e, err = regexp.Compile(n.Pattern); err != nil {
			e = anything
		}
		n.expression.Store(e)
	}
	return e.MatchString(text)
}

var anything = regexp.MustCompile("")

// admits reports whether a mapping may have fields that the properties do not
// name. One about which nothing is said holds anything.
func (n *node) admits() bool {
	return n.Preserve || n.AdditionalProperties != nil && n.AdditionalProperties.admitted ||
		len(n.Properties) == 0 && n.AdditionalProperties == nil
}

// child returns the schema of a field, or nil where nothing is said of it.
func (n *node) child(name string) *node {
	if c := n.Properties[name]; c != nil {
		return c
	}
	if n.AdditionalProperties != nil {
		return n.AdditionalProperties.schema
	}
	return nil
}

// combined reports whether the schema combines others.
func (n *node) combined() bool {
	return len(n.AnyOf) > 0 || len(n.OneOf) > 0 || len(n.AllOf) > 0 || n.Not != nil
}
