package template

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Error is a template that cannot be read or executed. It holds text of the
// template, never of a field.
type Error struct {
	Template string // which template
	Line     int    // line in it, from 1; 0 where unknown
	Expr     string // the expression at fault; may be empty
	Problem  string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "template %q", e.Template)
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	if e.Expr != "" {
		fmt.Fprintf(&b, ", at {{%s}}", e.Expr)
	}
	return b.String() + ": " + e.Problem
}

// MissingFieldError is a template that uses a field nobody supplies.
type MissingFieldError struct {
	Template string
	Line     int
	Field    string
}

func (e *MissingFieldError) Error() string {
	return fmt.Sprintf("template %q, line %d: there is no field %s", e.Template, e.Line, e.Field)
}

// publicError is an error of a template function whose text holds no value.
type publicError string

func (e publicError) Error() string { return string(e) }

var (
	parsePattern   = regexp.MustCompile(`(?s)^template: ` + name + `:(\d+):(?:\d+:)? ?(.*)$`)
	executePattern = regexp.MustCompile(`(?s)^template: [^:]*:(\d+):\d+: executing "[^"]*" at <(.*?)>: (.*)$`)
	missingPattern = regexp.MustCompile(`^map has no entry for key (".*")$`)
	callPattern    = regexp.MustCompile(`^error calling ([A-Za-z0-9_]+): `)
)

// typeProblems are the starts of messages that speak of types alone.
var typeProblems = []string{"wrong type for value", "can't evaluate field", "wrong number of args", "can't call method", "nil is not a command"}

func parseError(src Source, err error) error {
	e := &Error{Template: src.Name, Problem: "does not parse"}
	m := parsePattern.FindStringSubmatch(err.Error())
	if m == nil {
		return e
	}
	e.Line, _ = strconv.Atoi(m[1])
	if !src.Private {
		e.Problem += ": " + m[2]
	}
	return e
}

// executionError says what went wrong without what the functions involved say
// themselves: their messages cite their input.
func executionError(src Source, data map[string]string, err error) error {
	e := &Error{Template: src.Name, Problem: "cannot be executed"}
	if errors.Is(err, errTooLarge) {
		e.Problem = errTooLarge.Error()
		return e
	}
	m := executePattern.FindStringSubmatch(err.Error())
	if m == nil {
		return e
	}
	e.Line, _ = strconv.Atoi(m[1])
	if !src.Private {
		e.Expr = m[2]
	}
	problem := m[3]
	if key := missingPattern.FindStringSubmatch(problem); key != nil {
		return missingKey(src, data, e, m[2], key[1])
	}
	var public publicError
	switch call := callPattern.FindStringSubmatch(problem); {
	case errors.As(err, &public):
		e.Problem = public.Error()
	case call != nil:
		e.Problem = call[1] + " cannot use its input"
	case startsWithAny(problem, typeProblems) && !src.Private:
		e.Problem = problem
	}
	return e
}

// missingKey tells a field that no item supplies from a key that a value,
// parsed by the template itself, does not have.
func missingKey(src Source, data map[string]string, e *Error, expr, quoted string) error {
	key, err := strconv.Unquote(quoted)
	if err != nil {
		return e
	}
	if _, exists := data[key]; !exists && readsField(src, expr, key) {
		return &MissingFieldError{Template: src.Name, Line: e.Line, Field: key}
	}
	if !src.Private {
		e.Problem = "the value has no key " + key
	}
	return e
}

var variablePattern = regexp.MustCompile(`^\$\w*`)

// readsField reports whether an expression, as an execution error cites it,
// takes a key from the fields themselves.
func readsField(src Source, expr, key string) bool {
	want := variablePattern.FindString(expr) + "." + key
	if start, cut := strings.CutSuffix(expr, "..."); expr != want && !(cut && strings.HasPrefix(want, start)) {
		return false
	}
	fields, err := Fields(src)
	return err == nil && slices.ContainsFunc(fields, func(f Field) bool { return f.Name == key })
}

func startsWithAny(s string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}
