package charts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReads tells what templates read, and where nobody can tell.
func TestReads(t *testing.T) {
	for _, test := range []struct {
		name, text string
		open       bool
		reads      []string // an asterisk follows what is read as a whole
	}{
		{"a field", `{{ .Values.a.b }}`, false, []string{"a", "a.b*"}},
		{"a condition", `{{ if and .Values.a (not .Values.b.c) }}{{ end }}`, false, []string{"a", "b", "b.c"}},
		{"with", `{{ with .Values.a }}{{ .b }}{{ end }}`, false, []string{"a*"}},
		{"the root by a variable", `{{ $root := . }}{{ $root.Values.a }}`, false, []string{"a*"}},
		{"of a dict", `{{ define "x" }}{{ .ctx.Values.a }}{{ end }}{{ include "x" (dict "ctx" $) }}`, false, []string{"a*"}},
		{"a template in a text", `{{ tpl "{{ .Values.a }}" . }}`, false, []string{"a*"}},
		{"all values", `{{ toYaml .Values }}`, true, nil},
		{"values in a variable", `{{ $v := .Values }}{{ $v.a }}`, true, nil},
		{"values by their name", `{{ (index $ "Values").a }}`, true, nil},
		{"the root", `{{ toYaml $ }}`, true, nil},
		{"the root, piped", `{{ . | toJson }}`, true, nil},
		{"every part of the root", `{{ range $k, $v := . }}{{ end }}`, true, nil},
		{"an index", `{{ index .Values "a" }}`, true, nil},
		{"in brackets", `{{ ((.Values).a).b }}`, true, nil},
		{"what does not parse", `{{ if }}`, true, nil},
		{"what is inside", `{{ range .Values.list }}{{ toYaml . }}{{ end }}`, false, []string{"list*"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &chartReads{top: &read{}}
			c.template(test.text, true)
			if c.open != test.open {
				t.Fatalf("open: %v, want %v", c.open, test.open)
			}
			if c.open {
				return
			}
			var got []string
			c.each(func(path []string) {
				name := ""
				for i, key := range path {
					if i > 0 {
						name += "."
					}
					name += key
				}
				if c.top.at(path).open {
					name += "*"
				}
				got = append(got, name)
			})
			if diff := cmp.Diff(test.reads, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzReads holds that no template, whatever it says, breaks the rule down.
func FuzzReads(f *testing.F) {
	for _, seed := range []string{`{{ .Values.a.b }}`, `{{ if .Values }}{{ end }}`, `{{ range $i, $x := .Values.a }}{{ $x.b | quote }}{{ else }}{{ . }}{{ end }}`, `{{ (index .Values "a").b }}`, `{{define "x"}}{{template "x" $.Values.y}}{{end}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &chartReads{top: &read{}}
		c.template(text, true)
		c.text(text)
		c.with(map[string]any{"a": text}).each(func(path []string) {
			if len(path) == 0 {
				t.Error("a value without a name")
			}
		})
	})
}
