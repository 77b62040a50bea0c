package repo

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

func configProblem(line int, message string) *Problem {
	return &Problem{Place: domain.Place{File: ConfigFile, Line: line}, Message: message}
}

func joinSorted(errs []error) error {
	problems := manifest.Problems(errors.Join(errs...))
	sortProblems(problems)
	sorted := make([]error, len(problems))
	for i, p := range problems {
		sorted[i] = p
	}
	return errors.Join(sorted...)
}

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found`)
	wrongShape   = regexp.MustCompile(`^line (\d+): cannot unmarshal \S+(?s:.*) into (\S+)$`)
)

// strictProblem places the errors of a strict decode.
func strictProblem(err error) error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return configProblem(0, err.Error())
	}
	var problems []error
	for _, text := range typed.Errors {
		line, message := 0, text
		if m := unknownField.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = fmt.Sprintf("there is no field %q here", m[2])
		} else if m := wrongShape.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = "the value has the wrong shape: expected " + shapes(m[2])
		}
		problems = append(problems, configProblem(line, message))
	}
	return joinSorted(problems)
}

// shapes names a Go type in YAML's words.
func shapes(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "uint"), strings.HasPrefix(goType, "int"):
		return "a whole number"
	case goType == "string":
		return "text"
	}
	return "a mapping"
}
