package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/parser"

	"hearth/internal/manifest"
)

// Bounds of rendering one template.
const (
	renderTime  = 5 * time.Second
	renderSize  = manifest.MaxSize
	renderRange = 10_000 // items of a range()
	// The renderer descends into expressions without a bound of its own.
	templateSize  = 64 << 10
	templateDepth = 100 // of brackets
)

// controlStructures are the blocks that templates may use. Those that call
// each other or read other files (macro, include, import, extends) are left
// out: nothing would bound them.
var controlStructures = []string{"if", "for", "set", "with", "raw", "filter", "do", "autoescape"}

var (
	action  = regexp.MustCompile(`(?s)\{[{%].*?[%}]\}`)
	growing = regexp.MustCompile(`\d{6,}|["'\w)\]]\s*\*+\s*["'\w(\[]`)
)

// unbounded tells why a template is not rendered: nothing would bound the
// stack or the memory that it takes. It is "" for one that may be.
func unbounded(text []byte) string {
	if len(text) > templateSize {
		return fmt.Sprintf("it has more than %d bytes", templateSize)
	}
	if bracketDepth(text) > templateDepth {
		return fmt.Sprintf("its brackets are nested deeper than %d", templateDepth)
	}
	for _, a := range action.FindAll(text, -1) {
		if growing.Match(a) {
			return "it multiplies, or counts in hundreds of thousands"
		}
	}
	return ""
}

func bracketDepth(text []byte) int {
	depth, deepest := 0, 0
	for _, c := range text {
		switch c {
		case '(', '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ')', ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return deepest
}

// environment returns what templates may use: the builtins, with a bounded range.
func environment() *exec.Environment {
	variables := exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables)
	variables.Set("range", boundedRange)
	variables.Set("namespace", nil) // what outlives a loop may double in each round
	blocks := exec.NewControlStructureSet(map[string]parser.ControlStructureParser{})
	for _, name := range controlStructures {
		if parse, ok := builtins.ControlStructures.Get(name); ok {
			_ = blocks.Register(name, parse) // fails for a name that is there already, and names differ
		}
	}
	return &exec.Environment{
		Context: variables, Filters: builtins.Filters, Tests: builtins.Tests,
		ControlStructures: blocks, Methods: builtins.Methods,
	}
}

func boundedRange(_ *exec.Evaluator, args *exec.VarArgs) ([]int, error) {
	bounds := []int{0, 0, 1}
	switch n := len(args.Args); n {
	case 1:
		bounds[1] = args.Args[0].Integer()
	case 2, 3:
		for i := range n {
			bounds[i] = args.Args[i].Integer()
		}
	default:
		return nil, errors.New("range takes one to three numbers")
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	var list []int
	for i := start; step != 0 && (step > 0 && i < stop || step < 0 && i > stop); i += step {
		if len(list) == renderRange {
			return nil, fmt.Errorf("range has more than %d items", renderRange)
		}
		list = append(list, i)
	}
	return list, nil
}

// bounded is a buffer that ends rendering when it is full or out of time. It
// has no other methods that a renderer could write with.
type bounded struct {
	ctx  context.Context
	text bytes.Buffer
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.text.Len()+len(p) > renderSize {
		return 0, fmt.Errorf("it grows beyond %d bytes", renderSize)
	}
	return b.text.Write(p)
}
