package helmrelease

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"hearth/internal/domain"
	"hearth/internal/render/helm"
)

// located returns an error's message without secrets, followed by where in Git
// the value stands that it speaks of, or should stand.
func (s *step) located(err error) string {
	message := strings.TrimSpace(s.values.Secrets.Hide(err.Error()))
	if ref := s.referenceIn(err); ref >= 0 {
		return at(message, s.place("spec", "valuesFrom", strconv.Itoa(ref)))
	}
	if path := helm.ValuesPath(err); path != "" {
		return at(message, s.placeOfValue(path))
	}
	if path := s.readAt(err); path != "" {
		return at(message+": the template reads .Values."+path, s.placeOfValue(path))
	}
	if pathless.MatchString(message) {
		return at(message, s.place("spec", "values"))
	}
	return message
}

// pathless are errors of rendering that name no value.
var pathless = regexp.MustCompile(`execution error at \(|values don't meet the specifications|error calling `)

func (s *step) placeOfValue(path string) domain.Place {
	return s.place(append([]string{"spec", "values"}, strings.Split(path, ".")...)...)
}

// at adds a place to a message, where it is known.
func at(message string, place domain.Place) string {
	if !place.Known() {
		return message
	}
	return fmt.Sprintf("%s (%s)", message, place)
}

// valuesError is what composing the values came to.
type valuesError struct{ error }

func (e valuesError) Unwrap() error { return e.error }

// referenceIn returns which of spec.valuesFrom an error speaks of, or -1.
func (s *step) referenceIn(err error) int {
	var of valuesError
	if !errors.As(err, &of) {
		return -1
	}
	for i, ref := range s.hr.Spec.ValuesFrom {
		named := fmt.Sprintf("%s '%s'", ref.Kind, ref.Name)
		key := fmt.Sprintf("key '%s'", ref.GetValuesKey())
		if message := err.Error(); strings.Contains(message, named) && (strings.Contains(message, key) || !strings.Contains(message, "key '")) {
			return i
		}
	}
	return -1
}

var (
	// Templates that give up say: execution error at (demo/templates/a.yaml:1:3): …
	gaveUpAt = regexp.MustCompile(`execution error at \(([^()\s]+):(\d+):(\d+)\)`)
	valueIn  = regexp.MustCompile(`\$?\.Values\.([A-Za-z0-9_.-]*[A-Za-z0-9_])`)
)

// readAt returns the path of the value that a template reads where it gave up,
// seen from the release's values, or nothing.
func (s *step) readAt(err error) string {
	at := gaveUpAt.FindStringSubmatch(err.Error())
	if at == nil || s.chart == nil {
		return ""
	}
	line, _ := strconv.Atoi(at[2])
	column, _ := strconv.Atoi(at[3])
	of, prefix := s.chart.Copy(s.version), ""
	_, name, _ := strings.Cut(at[1], "/")
	for strings.HasPrefix(name, "charts/") {
		sub, rest, _ := strings.Cut(strings.TrimPrefix(name, "charts/"), "/")
		i := slices.IndexFunc(of.Dependencies(), func(c *chart.Chart) bool { return c.Name() == sub })
		if i < 0 {
			return ""
		}
		of, name, prefix = of.Dependencies()[i], rest, prefix+sub+"."
	}
	for _, t := range of.Templates {
		if t.Name == name {
			return cmp.Or(readIn(string(t.Data), line, column, prefix), "")
		}
	}
	return ""
}

// readIn returns the first value that the template's action at a line and
// column reads.
func readIn(template string, line, column int, prefix string) string {
	lines := strings.SplitAfter(template, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	rest := strings.Join(lines[line-1:], "")
	if column > 0 && column <= len(lines[line-1]) {
		rest = rest[column:]
	}
	action, _, _ := strings.Cut(rest, "}}")
	found := valueIn.FindStringSubmatch(action)
	if found == nil {
		return ""
	}
	if global := strings.HasPrefix(found[1], "global."); global {
		return found[1]
	}
	return prefix + found[1]
}
