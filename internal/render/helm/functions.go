package helm

import (
	"fmt"
	"maps"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"hearth/internal/render/helm/gotemplate"
)

// maxElements bounds what one call of a template function may make.
const maxElements = 1 << 20

// Lookup answers the template function of that name: one object, a list, or
// an empty map.
type Lookup func(apiVersion, kind, namespace, name string) (map[string]any, error)

// Functions returns the template functions that replace Helm's own: lookup,
// those that could otherwise make a list or text of any size, and those for
// YAML, which take a fraction of the time.
func Functions(lookup Lookup) template.FuncMap {
	if lookup == nil {
		lookup = func(string, string, string, string) (map[string]any, error) { return map[string]any{}, nil }
	}
	library := sprig.TxtFuncMap()
	until := library["until"].(func(int) []int)
	untilStep := library["untilStep"].(func(int, int, int) []int)
	sequence := library["seq"].(func(...int) string)
	functions := amplifiers()
	maps.Copy(functions, quickYAML)
	maps.Copy(functions, template.FuncMap{
		"lookup": lookup,
		"until": func(count int) ([]int, error) {
			if err := bounded("until", count); err != nil {
				return nil, err
			}
			return until(count), nil
		},
		"untilStep": func(start, stop, step int) ([]int, error) {
			if step != 0 {
				if err := bounded("untilStep", (stop-start)/step); err != nil {
					return nil, err
				}
			}
			return untilStep(start, stop, step), nil
		},
		"seq": func(params ...int) (string, error) {
			for _, p := range params {
				if err := bounded("seq", p); err != nil {
					return "", err
				}
			}
			return sequence(params...), nil
		},
		"repeat": func(count int, text string) (string, error) {
			if count < 0 {
				return "", fmt.Errorf("repeat: %d is negative", count)
			}
			if err := bounded("repeat", count*max(len(text), 1)); err != nil {
				return "", err
			}
			return strings.Repeat(text, count), nil
		},
	})
	return functions
}

func bounded(function string, elements int) error {
	if elements > maxElements || elements < -maxElements {
		return fmt.Errorf("%w: %s: %d is more than a template may make at once", gotemplate.ErrRefused, function, elements)
	}
	return nil
}
