package repo

import (
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	t.Setenv("TOKEN", "hunter2")
	custom := templateSyntax{TrimBlocks: true, Syntax: map[string]string{"variable-start": "#{", "variable-end": "}#", "block-start": "#%", "block-end": "%#"}}
	for _, test := range []struct {
		name   string
		syntax templateSyntax
		text   string
		want   string
	}{
		{"plain", templateSyntax{}, "a: b\n", "a: b\n"},
		{"environment", templateSyntax{}, "a: {{ ENV.TOKEN }} {{ ENV['OTHER'] }}\n", "a: TOKEN OTHER\n"},
		{"undefined", templateSyntax{}, "a: '{{ nothing }}'\n", "a: ''\n"},
		{"vault reference", templateSyntax{}, "a: {{ op://v/i/f }}\nb: op://v/i/f\n", "a: op://v/i/f\nb: op://v/i/f\n"},
		{"loop", templateSyntax{TrimBlocks: true}, "{% for i in range(1, 4) %}\n- {{ i }}\n{% endfor %}\n", "- 1\n- 2\n- 3\n"},
		{"own delimiters", custom, "#% if true %#\na: #{ ENV.X }# {{ .Go }}\n#% endif %#\n", "a: X {{ .Go }}\n"},
		{"wildcard", templateSyntax{}, "a: {{ '*.' ~ ENV.X }}", "a: *.X"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.syntax.render(t.Context(), "x.j2", []byte(test.text))
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestRenderProblems(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"syntax":         {"a\nb\n{% if %}\nhunter2\n", "x.j2:3: the template cannot be rendered: "},
		"unclosed":       {"a\n{{ 'hunter2' ", "x.j2:2: "},
		"filter":         {"a\n{{ ENV.X | nofilter }}", "x.j2:2: the template cannot be rendered: filter 'nofilter' not found"},
		"other file":     {"{% include '/etc/passwd' %}", "'include' not found"},
		"recursion":      {"{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}", "'macro' not found"},
		"long range":     {"{% for i in range(99999) %}x{% endfor %}", "more than 10000 items"},
		"long text":      {"{% for i in range(9999) %}{% for j in range(9999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}", "grows beyond"},
		"multiplication": {"{{ 'x' * 99999 }}", "multiplies"},
		"wide":           {"{{ 'x' | center(999999999) }}", "multiplies"},
		"doubling":       {"{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "cannot be rendered"},
		"brackets":       {"{{ " + strings.Repeat("(", 200) + " }}", "nested deeper"},
		"large":          {strings.Repeat("x", templateSize+1), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := templateSyntax{}.render(t.Context(), "x.j2", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
