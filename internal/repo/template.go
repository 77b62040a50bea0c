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

	"github.com/BurntSushi/toml"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// templateFile configures how a repository's Jinja2 templates are written.
const templateFile = ".minijinja.toml"

// templateSyntax is how a repository's Jinja2 templates are written. The zero
// value is Jinja2's own syntax.
type templateSyntax struct {
	TrimBlocks bool              `toml:"trim-blocks"`
	LeftStrip  bool              `toml:"lstrip-blocks"`
	Syntax     map[string]string `toml:"syntax"`
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
	if reason := unbounded(text); reason != "" {
		return nil, &Problem{Place: domain.Place{File: name}, Message: "the template is not rendered: " + reason}
	}
	ctx, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	out := bounded{ctx: ctx}
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
		return out.text.Bytes(), nil
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
