package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// templateFile configures how a repository's Jinja2 templates are written.
const templateFile = ".minijinja.toml"

// Bounds of rendering one template.
const (
	renderTime  = 5 * time.Second
	renderSize  = manifest.MaxSize
	renderRange = 10_000 // items of a range()
)

// templateSyntax is how a repository's Jinja2 templates are written. The zero
// value is Jinja2's own syntax.
type templateSyntax struct {
	TrimBlocks    bool              `toml:"trim-blocks"`
	LeftStrip     bool              `toml:"lstrip-blocks"`
	Newline       bool              `toml:"newline"`
	Syntax        map[string]string `toml:"syntax"`
	Env           bool              `toml:"env"`
	Strict        bool              `toml:"strict"`
	LinePrefix    string            `toml:"-"`
	CommentPrefix string            `toml:"-"`
}

func readTemplateSyntax(root *os.Root) (templateSyntax, error) {
	var s templateSyntax
	if _, err := root.Lstat(templateFile); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	data, err := manifest.Read(root, templateFile)
	if err != nil {
		return s, err
	}
	if _, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		line := 0
		var parse toml.ParseError
		if errors.As(err, &parse) {
			line = parse.Position.Line
		}
		return templateSyntax{}, &Problem{Place: domain.Place{File: templateFile, Line: line}, Message: "not valid TOML"}
	}
	return s, nil
}

// render renders a template for a rehearsal: variables of the environment
// stand for themselves and are never read, and no other file is included.
func (s templateSyntax) render(ctx context.Context, name string, source []byte) ([]byte, error) {
	text := vaultAction.ReplaceAll(source, []byte("$1"))
	ctx, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	var out bounded
	out.ctx = ctx
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- errors.New("the template cannot be rendered")
			}
		}()
		template, err := exec.NewTemplate("/template", s.config(), loaders.MustNewMemoryLoader(map[string]string{"/template": string(text)}), environment())
		if err == nil {
			err = template.Execute(&out, exec.NewContext(map[string]any{"ENV": environmentNames(text)}))
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, templateProblem(name, source, err)
		}
		return out.Bytes(), nil
	case <-ctx.Done():
		return nil, &Problem{Place: domain.Place{File: name}, Message: fmt.Sprintf("rendering the template takes longer than %s", renderTime)}
	}
}

func (s templateSyntax) config() *config.Config {
	c := config.New()
	c.TrimBlocks, c.LeftStripBlocks, c.KeepTrailingNewline = s.TrimBlocks, s.LeftStrip, true
	for key, field := range map[string]*string{
		"block-start": &c.BlockStartString, "block-end": &c.BlockEndString,
		"variable-start": &c.VariableStartString, "variable-end": &c.VariableEndString,
		"comment-start": &c.CommentStartString, "comment-end": &c.CommentEndString,
		"line-statement-prefix": &c.LineStatementPrefix, "line-comment-prefix": &c.LineCommentPrefix,
	} {
		if v := s.Syntax[key]; v != "" {
			*field = v
		}
	}
	return c
}

// environment returns what templates may use: the builtins, with a bounded range.
func environment() *exec.Environment {
	variables := exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables)
	variables.Set("range", boundedRange)
	return &exec.Environment{
		Context: variables, Filters: builtins.Filters, Tests: builtins.Tests,
		ControlStructures: builtins.ControlStructures, Methods: builtins.Methods,
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

var (
	vaultAction = regexp.MustCompile(`\{\{\s*(op://[^}\n]*?)\s*\}\}`)
	environName = regexp.MustCompile(`\bENV(?:\.(\w+)|\[\s*["'](\w+)["']\s*\])`)
)

// environmentNames gives each variable of the environment that a template
// reads its own name as value.
func environmentNames(text []byte) map[string]any {
	names := map[string]any{}
	for _, m := range environName.FindAllSubmatch(text, -1) {
		name := string(m[1]) + string(m[2])
		names[name] = name
	}
	return names
}

var (
	templateLine  = regexp.MustCompile(`(?i)\bline:? (\d+)`)
	templateBlock = regexp.MustCompile(`controlStructure "(\w+)"`)
	templateToken = regexp.MustCompile(`\s*\(Line: .*\)$`)
)

// templateProblem tells where a template fails, and of the renderer's words
// only the last: the rest quotes the template, which may hold secrets.
func templateProblem(name string, source []byte, err error) error {
	line := 0
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
		if m := templateLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		} else if m := templateBlock.FindStringSubmatch(err.Error()); m != nil && line == 0 {
			line = lineOfBlock(source, m[1])
		}
	}
	message := templateToken.ReplaceAllString(err.Error(), "")
	if i := strings.LastIndex(message, ": "); i >= 0 {
		message = message[i+2:]
	}
	return &Problem{Place: domain.Place{File: name, Line: line}, Message: "the template cannot be rendered: " + strings.TrimSuffix(message, ".")}
}

// lineOfBlock returns the line of the only block of that name; 0 if there are
// several, of which any may be the broken one.
func lineOfBlock(source []byte, name string) int {
	found := 0
	for i, line := range strings.Split(string(source), "\n") {
		for _, word := range strings.Fields(line) {
			if word == name && found != 0 {
				return 0
			} else if word == name {
				found = i + 1
			}
		}
	}
	return found
}

// bounded is a buffer that ends rendering when it is full or out of time.
type bounded struct {
	bytes.Buffer
	ctx context.Context
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.Len()+len(p) > renderSize {
		return 0, fmt.Errorf("it grows beyond %d bytes", renderSize)
	}
	return b.Buffer.Write(p)
}

// lineIndex finds the lines of a template that rendered documents come from.
type lineIndex struct {
	source []string
	same   bool
	next   int
}

func newLineIndex(source, rendered []byte) *lineIndex {
	return &lineIndex{source: strings.Split(string(source), "\n"), same: bytes.Equal(source, rendered)}
}

// of returns the line of a document: its own in a text that rendering did not
// change, else the next line of the template that names it, or the first one
// where a loop comes round again; 0 if there is none.
func (x *lineIndex) of(d *manifest.Document) int {
	if x.same {
		return d.Line
	}
	for n := range x.source {
		i := (x.next + n) % len(x.source)
		key, value, ok := strings.Cut(strings.TrimSpace(x.source[i]), ":")
		if ok && key == "name" && strings.Trim(strings.TrimSpace(value), `"'`) == d.Name() {
			x.next = i + 1
			return i + 1
		}
	}
	return 0
}
