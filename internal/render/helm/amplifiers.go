package helm

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"hearth/internal/render/helm/gotemplate"
	"hearth/internal/render/helm/yamltext"
)

// maxMade bounds the text that one call of a template function may make.
const maxMade = 16 << 20

// amplifiers are functions that make much out of little, within bounds.
func amplifiers() template.FuncMap {
	library := sprig.TxtFuncMap()
	join := library["join"].(func(string, any) string)
	indent := library["indent"].(func(int, string) string)
	nindent := library["nindent"].(func(int, string) string)
	return template.FuncMap{
		"join": func(separator string, list any) (string, error) {
			if !yamltext.Bounded(list) {
				return "", tooMuch("join")
			}
			if err := made("join", length(list)*len(separator)); err != nil {
				return "", err
			}
			return join(separator, list), nil
		},
		"replace": func(old, new, text string) (string, error) {
			if err := made("replace", len(text)+strings.Count(text, old)*len(new)); err != nil {
				return "", err
			}
			return strings.ReplaceAll(text, old, new), nil
		},
		"indent": func(spaces int, text string) (string, error) {
			if err := indentable("indent", spaces, text); err != nil {
				return "", err
			}
			return indent(spaces, text), nil
		},
		"nindent": func(spaces int, text string) (string, error) {
			if err := indentable("nindent", spaces, text); err != nil {
				return "", err
			}
			return nindent(spaces, text), nil
		},
		"printf": func(format string, values ...any) (string, error) {
			if err := made("printf", widths(format)); err != nil {
				return "", err
			}
			return fmt.Sprintf(format, values...), nil
		},
		"regexReplaceAll":            replacing("regexReplaceAll", library["regexReplaceAll"]),
		"mustRegexReplaceAll":        replacing("mustRegexReplaceAll", library["mustRegexReplaceAll"]),
		"regexReplaceAllLiteral":     replacing("regexReplaceAllLiteral", library["regexReplaceAllLiteral"]),
		"mustRegexReplaceAllLiteral": replacing("mustRegexReplaceAllLiteral", library["mustRegexReplaceAllLiteral"]),
	}
}

func tooMuch(function string) error {
	return fmt.Errorf("%w: %s: that is more than a template may make at once", gotemplate.ErrRefused, function)
}

func made(function string, bytes int) error {
	if bytes > maxMade || bytes < 0 {
		return tooMuch(function)
	}
	return nil
}

func indentable(function string, spaces int, text string) error {
	if spaces < 0 {
		return fmt.Errorf("%s: %d is negative", function, spaces)
	}
	if spaces > maxElements {
		return tooMuch(function)
	}
	return made(function, len(text)+(strings.Count(text, "\n")+1)*spaces)
}

func length(list any) int {
	if v := reflect.ValueOf(list); v.Kind() == reflect.Slice {
		return v.Len()
	}
	return 0
}

var width = regexp.MustCompile(`[0-9]{4,}|\*`)

// widths adds up what the widths of a format could fill.
func widths(format string) int {
	sum := len(format)
	if strings.Contains(format, "%") {
		// fmt takes no width beyond a million.
		sum += len(width.FindAllString(format, -1)) * 1_000_000
	}
	return sum
}

// replacing bounds a function that replaces what a regular expression matches.
func replacing(name string, library any) func(expression, text, by string) (string, error) {
	return func(expression, text, by string) (string, error) {
		// Matches do not overlap: all that "$1" stands for is no longer than the text.
		if err := made(name, len(text)+(len(text)+1)*len(by)+strings.Count(by, "$")*len(text)); err != nil {
			return "", err
		}
		switch replace := library.(type) {
		case func(string, string, string) string:
			return replace(expression, text, by), nil
		case func(string, string, string) (string, error):
			return replace(expression, text, by)
		}
		return "", errors.New(name + " is not known")
	}
}
