package templates

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

// TestMismatch holds texts against templates: the line where they part, or 0.
func TestMismatch(t *testing.T) {
	for _, test := range []struct {
		name, template, text string
		line                 int
	}{
		{"same", "a: 1\nb: 2\n", "a: 1\nb: 2\n", 0},
		{"changed", "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 9\nc: 3\n", 2},
		{"added", "a: 1\nb: 2\n", "a: 1\nz: 0\nb: 2\n", 2},
		{"removed", "a: 1\nb: 2\nc: 3\n", "a: 1\nc: 3\n", 2},
		{"added at the end", "a: 1\n", "a: 1\nb: 2\n", 2},
		{"cut off", "a: 1\nb: 2\n", "a: 1\n", 1},
		{"white space and empty lines", "a:  1\n\nb:\n    c: 1\n", "a: 1\nb:\n  c: 1   \n\n", 0},
		{"comments", "# what\na: 1 # why\n", "a: 1 # why\n# by hand\n", 0},
		{"expression", "a: {{ ENV.A }}\nb: 2\n", "a: anything\nb: 2\n", 0},
		{"behind an expression", "a: {{ ENV.A }}\nb: 2\n", "a: anything\nb: 3\n", 2},
		{"around an expression", "a: x{{ ENV.A }}y\n", "a: xz\n", 1},
		{"more lines than an expression makes", "a: {{ A }}\nb: 2\n", "a: 1\nc: 1\nb: 2\n", 2},
		{"an expression of many lines", "a: |\n  {{ A }}\nb: 2\n", "a: |\n  x\n  y\nb: 2\n", 0},
		{"behind one of many lines", "a: |\n  {{ A }}\nb: 2\nc: 3\n", "a: |\n  x\n  y\nb: 2\nc: 4\n", 5},
		{"indented", "a: {{ A | indent(2) }}\n", "a: x\n  y\n", 0},
		{"strings in expressions", `a: {{ A | default("}}") }}` + "\nb: 1\n", "a: x\nb: 1\n", 0},
		{"condition taken", "a: 1\n{% if A %}\nb: 2\n{% endif %}\nc: 3\n", "a: 1\nb: 2\nc: 3\n", 0},
		{"condition left out", "a: 1\n{% if A %}\nb: 2\n{% endif %}\nc: 3\n", "a: 1\nc: 3\n", 0},
		{"condition changed", "a: 1\n{% if A %}\nb: 2\n{% endif %}\nc: 3\n", "a: 1\nb: 9\nc: 3\n", 2},
		{"one of two", "{% if A %}a{% else %}b{% endif %}\n", "c\n", 1},
		{"other of two", "{% if A %}a{% elif B %}b{% else %}c{% endif %}\n", "b\n", 0},
		{"loop", "x:\n{% for a in b %}\n  - {{ a }}\n{% endfor %}\ny: 1\n", "x:\n  - 1\n  - 2\ny: 1\n", 0},
		{"empty loop", "x:\n{% for a in b %}\n  - {{ a }}\n{% else %}\n  []\n{% endfor %}\n", "x:\n", 0},
		{"loop changed", "x:\n{% for a in b %}\n  - k: {{ a }}\n{% endfor %}\n", "x:\n  - k: 1\n  - l: 2\n", 3},
		{"set", "{% set a = 1 %}\nb: {{ a }}\n", "b: 1\n", 0},
		{"set block", "{% set a %}\nlong\n{% endset %}\nb: 1\n", "b: 1\n", 0},
		{"macro", "{% macro m(a) %}\nx\n{% endmacro %}\nb: {{ m(1) }}\n", "b: x\ny\n", 0},
		{"raw", "a: {% raw %}{{ b }}{% endraw %}\n", "a: {{ b }}\n", 0},
		{"raw changed", "a: {% raw %}{{ b }}{% endraw %}\n", "a: {{ c }}\n", 1},
		{"include", "a: 1\n{% include 'b' %}\nc: 1\n", "a: 1\nx\ny\nc: 1\n", 0},
		{"not understood", "{% extends 'b' %}\n", "anything\n", 0},
		{"not closed", "a: {{ b\n", "anything\n", 0},
		{"stripped", "a:\n{%- if A %} 1{% endif %}\n", "a: 1\n", 0},
		{"template's comment", "{# what\n#}\na: 1\n", "a: 1\n", 0},
		{"a condition in a comment", "# {% if A %}\na: 1\n# {% endif %}\n", "b: 1\n", 1},
		{"injected", "a: op://vault/item/field\nb: 1\n", "a: secret\nb: 1\n", 0},
		{"carriage returns", "a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			line := 0
			if p, ok := readSyntax("").patternOf(test.template); ok {
				line = p.mismatch(renderedOf(test.text))
			}
			if line != test.line {
				t.Errorf("they part in line %d, want %d", line, test.line)
			}
		})
	}
}

// TestSyntax reads templates with marks of their own.
func TestSyntax(t *testing.T) {
	s := readSyntax("[syntax]\nblock-start = \"<%\"\nblock-end = \"%>\"\nvariable-start = \"${{\"\nvariable-end = \"}}\"\n")
	p, ok := s.patternOf("a: ${{ A }}\n<% if B %>\nb: 1\n<% endif %>\nc: {{ D }}\n")
	if !ok {
		t.Fatal("the template is not read")
	}
	if line := p.mismatch(renderedOf("a: 1\nc: {{ D }}\n")); line != 0 {
		t.Errorf("they part in line %d", line)
	}
	if line := p.mismatch(renderedOf("a: 1\nc: 2\n")); line != 2 {
		t.Errorf("they part in line %d, want 2", line)
	}
	if _, ok := readSyntax("[syntax]\nline-statement-prefix = \"%%\"\n").patternOf("a: 1\n"); ok {
		t.Error("a template with statements in lines is taken for one without")
	}
}

// TestLong holds that the work grows with the text, not beyond it.
func TestLong(t *testing.T) {
	template := strings.Repeat("{% for a in b %}{% for c in d %}{{ x }}a{% endfor %}{% endfor %}\n", 200)
	p, ok := readSyntax("").patternOf(template)
	if !ok {
		t.Fatal("the template is not read")
	}
	p.mismatch(renderedOf(strings.Repeat("a", 100_000))) // must end
}

// FuzzPattern holds that a template without expressions matches itself, and
// that nothing it holds makes reading it fail.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"a: {{ b }}\n", "{% if a %}b{% else %}c{% endif %}", "{% raw %}{{ x }}{% endraw %}", "{# x #}", "{{ '}}' }}", "# {% if a %}\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		s := readSyntax("")
		p, ok := s.patternOf(source)
		if !ok {
			return
		}
		line := p.mismatch(renderedOf(source))
		if line != 0 && !strings.ContainsAny(source, "{\x00") && !strings.Contains(source, "op://") {
			t.Errorf("%q does not match itself from line %d on", source, line)
		}
	})
}

// TestHomelabTemplates renders the templates of whole homelabs with one word
// for every expression. Each must be what its template renders to, and must
// not once the beginning of a line is another.
func TestHomelabTemplates(t *testing.T) {
	comments := regexp.MustCompile(`(?s)\{#.*?#\}`)
	blocks := regexp.MustCompile(`(?m)^\s*\{%.*%\}\n`)
	expressions := regexp.MustCompile(`\{\{.*?\}\}`)
	found := 0
	for _, dir := range []string{"../../../../shared/corpora/k8s-homelab", "../../../examples/homelab"} {
		err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !isTemplate(name) {
				return err
			}
			found++
			source, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			p, ok := readSyntax("").patternOf(string(source))
			if !ok {
				t.Errorf("%s is not understood", name)
				return nil
			}
			text := expressions.ReplaceAllString(blocks.ReplaceAllString(comments.ReplaceAllString(string(source), ""), ""), "value")
			if line := p.mismatch(renderedOf(text)); line != 0 {
				t.Errorf("%s does not fit what it renders to, line %d", name, line)
			}
			lines := strings.Split(text, "\n")
			for i, line := range lines {
				if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "value") {
					continue
				}
				changed := slices.Clone(lines)
				changed[i] = "x" + line
				if got := p.mismatch(renderedOf(strings.Join(changed, "\n"))); got != i+1 {
					t.Errorf("%s: a change in line %d (%q) is found in line %d", name, i+1, line, got)
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Skip("no homelab with templates is there")
	}
}
