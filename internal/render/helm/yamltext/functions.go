package yamltext

import (
	"errors"
	"strings"

	"sigs.k8s.io/yaml"
)

// String is Helm's toYaml: a value that cannot be written is the empty text.
// The error is ErrTooLarge.
func String(value any) (string, error) {
	text, err := Must(value)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return "", nil
	}
	return text, err
}

// Must is Helm's mustToYaml.
func Must(value any) (string, error) {
	text, err := Write(value)
	if !errors.Is(err, ErrUnsure) {
		return text, err
	}
	if !Bounded(value) {
		return "", ErrTooLarge
	}
	data, err := yaml.Marshal(value)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(data), "\n"), nil
}

// Map is Helm's fromYaml: what is wrong stands under "Error".
func Map(text string) map[string]any {
	if value, ok := Read(text); ok {
		if m, ok := value.(map[string]any); ok {
			return m
		}
	}
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

// List is Helm's fromYamlArray: what is wrong is the only entry.
func List(text string) []any {
	if value, ok := Read(text); ok {
		if list, ok := value.([]any); ok {
			return list
		}
	}
	list := []any{}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		list = []any{err.Error()}
	}
	return list
}
