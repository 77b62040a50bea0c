package gotemplate

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"text/template"
)

func newSet(t testing.TB, files map[string]string) *Set {
	t.Helper()
	calls := 0
	s := NewSet(template.FuncMap{"upper": strings.ToUpper, "count": func() int { calls++; return calls }}, []string{"count"})
	for name, text := range files {
		if err := s.Parse(name, text); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestSetIsShared(t *testing.T) {
	s := newSet(t, map[string]string{"a": `{{ define "b" }}{{ upper . }}{{ end }}{{ range .list }}{{ include "b" . }}{{ tpl "{{ .x }}" $ }}{{ end }}`})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			x := fmt.Sprint(i)
			got, err := s.Start(t.Context(), nil).Execute("a", map[string]any{"list": []any{"q", "r"}, "x": x})
			if err != nil || got != "Q"+x+"R"+x {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	group.Wait()
	if len(s.texts.parsed) != 1 {
		t.Errorf("%d texts are kept", len(s.texts.parsed))
	}
}

func TestEmptyDefinitionsReplaceNothing(t *testing.T) {
	s := newSet(t, nil)
	for _, text := range []string{`{{ define "x" }}one{{ end }}`, `{{ define "x" }} {{ end }}`, `{{ define "y" }}a{{ end }}`, `{{ define "y" }}b{{ end }}`} {
		if err := s.Parse("file", text); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Parse("main", `{{ include "x" . }}{{ include "y" . }}{{ tpl "{{ define \"x\" }}two{{ end }}{{ include \"x\" . }}" . }}{{ include "x" . }}`); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Start(t.Context(), nil).Execute("main", nil); err != nil || got != "onebtwoone" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatVariesIsTold(t *testing.T) {
	s := newSet(t, map[string]string{"same": `{{ upper "x" }}{{ if false }}{{ count }}{{ end }}`, "other": `{{ count }}`})
	for name, want := range map[string]bool{"same": false, "other": true} {
		run := s.Start(t.Context(), nil)
		if _, err := run.Execute(name, nil); err != nil || run.Varies != want {
			t.Errorf("%s varies: %t, %v", name, run.Varies, err)
		}
	}
}

func TestWhatIsKeptOfTextsIsBounded(t *testing.T) {
	s := newSet(t, map[string]string{"a": `{{ tpl .text . }}`})
	long := "{{ .x }}" + strings.Repeat("y", longestText)
	for i := range 3 {
		if _, err := s.Start(t.Context(), nil).Execute("a", map[string]any{"text": fmt.Sprint(long, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.texts.parsed) != 0 || s.texts.size != 0 {
		t.Errorf("%d texts of %d bytes are kept", len(s.texts.parsed), s.texts.size)
	}
	for i := range 2 * maxTexts / (longestText / 2) {
		text := fmt.Sprintf("{{ .x }}%0*d", longestText/2, i)
		if _, err := s.Start(t.Context(), nil).Execute("a", map[string]any{"text": text}); err != nil {
			t.Fatal(err)
		}
		if s.texts.size > maxTexts || s.texts.parsed[text] == nil {
			t.Fatalf("%d texts of %d bytes are kept, and not the last one", len(s.texts.parsed), s.texts.size)
		}
	}
}

func TestFailuresAreLeftToOthers(t *testing.T) {
	for _, text := range []string{`{{ .x.y.z }}`, `{{ upper 1 }}`, `{{ include "none" . }}`, `{{ tpl "{{" . }}`, `{{ len nil }}`, `{{ template "none" }}`} {
		_, err := newSet(t, map[string]string{"a": text}).Start(t.Context(), nil).Execute("a", map[string]any{"x": map[string]any{}})
		if !errors.Is(err, ErrUnsure) || errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
