package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
)

// Problem is what is wrong with a file, and where. It is an error.
type Problem struct {
	Place   domain.Place
	Message string
}

// Error returns "file:line: message".
func (p *Problem) Error() string {
	if !p.Place.Known() {
		return p.Message
	}
	return p.Place.String() + ": " + p.Message
}

// Problems takes an error of this package apart. An error that knows no place
// becomes a problem without one.
func Problems(err error) []*Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*Problem
		for _, e := range joined.Unwrap() {
			list = append(list, Problems(e)...)
		}
		return list
	}
	var p *Problem
	if errors.As(err, &p) {
		return []*Problem{p}
	}
	return []*Problem{{Message: err.Error()}}
}

func problemf(file string, line int, format string, args ...any) *Problem {
	return &Problem{Place: domain.Place{File: file, Line: line}, Message: fmt.Sprintf(format, args...)}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line \d+: )?(?s:(.*))$`)

// syntaxProblem places an error of the YAML parser. The parser names no
// values, only what it could not make sense of.
func syntaxProblem(file string, data []byte, err error) *Problem {
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[1]
	}
	return problemf(file, brokenLine(data), "not valid YAML: %s", message)
}

// brokenLine returns the first line with which the text stops being YAML: the
// parser itself tells where the value began in which it stumbled, often far
// above. It is 0 for a text so large that looking for the line takes too long.
func brokenLine(data []byte) int {
	const longest = 1 << 20
	if len(data) > longest {
		return 0
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	ends := make([]int, len(lines))
	end := 0
	for i, line := range lines {
		end += len(line)
		ends[i] = end
	}
	return 1 + sort.Search(len(ends)-1, func(i int) bool { return !valid(data[:ends[i]]) })
}

func valid(data []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if err := decode(decoder, &node); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
