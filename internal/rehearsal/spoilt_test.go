package rehearsal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/internal/domain"
)

// TestSpoilt makes mistakes in a copy of a tree, and takes them back.
func TestSpoilt(t *testing.T) {
	from := t.TempDir()
	original := `# a comment
kind: ConfigMap
data: {a: b}
---
kind: HelmRelease
spec:
  chartRef:
    name: app-template
  values:
    replicas: 1
`
	write(t, filepath.Join(from, "apps", "a.yaml"), original)
	write(t, filepath.Join(from, ".git", "HEAD"), "ref: refs/heads/main\n")
	overlay := t.TempDir()
	write(t, filepath.Join(overlay, "apps", "new.yaml"), "kind: New\n")

	s, err := spoil(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	read := func() string {
		text, err := os.ReadFile(filepath.Join(s.dir, "apps", "a.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for which, want := range map[string]string{
		"apps/a.yaml:spec.chartRef.name=nothing":  "name: nothing\n",
		"apps/a.yaml:spec.values.replicas=\"3\"":  `replicas: "3"`,
		"apps/a.yaml:spec.values.replicas=3":      "replicas: 3\n",
		"apps/a.yaml:spec.dependsOn=[{name: x}]":  "dependsOn: [{name: x}]",
		"apps/a.yaml:spec.chartRef={name: y}":     "chartRef: {name: y}",
		"apps/a.yaml:spec.values.text={{ .broken": "text: \"{{ .broken\"",
		"apps/a.yaml:spec.values[\"a=b\"]=c":      "a=b: c",
		"apps/a.yaml:data.a=c":                    "{a: c}",
	} {
		f := domain.Fault{Kind: domain.FaultEdit, Which: which}
		if err := s.spoil(f); err != nil {
			t.Errorf("%s: %v", which, err)
			continue
		}
		if got := read(); !strings.Contains(got, want) && !strings.Contains(got, strings.ReplaceAll(want, `"`, "'")) {
			t.Errorf("%s: the file is\n%s", which, got)
		}
		if err := s.mend(f); err != nil || read() != original {
			t.Errorf("%s was not taken back: %v\n%s", which, err, read())
		}
	}
	remove := domain.Fault{Kind: domain.FaultEdit, Which: "apps/a.yaml:spec.values=null"}
	if err := s.spoil(remove); err != nil || strings.Contains(read(), "replicas") {
		t.Errorf("values were not taken out: %v", err)
	}
	laid := domain.Fault{Kind: domain.FaultOverlay, Which: overlay}
	if err := s.spoil(laid); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "apps", "new.yaml")); err != nil {
		t.Error(err)
	}
	if err := s.mend(laid); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "apps", "new.yaml")); err == nil {
		t.Error("the overlay stayed")
	}
	for _, which := range []string{"apps/a.yaml", "apps/a.yaml:spec", "apps/a.yaml:nothing.at.all=1", "../a.yaml:spec=1", "apps/b.yaml:spec.x=1", "apps/a.yaml:spec..x=1"} {
		if s.spoil(domain.Fault{Kind: domain.FaultEdit, Which: which}) == nil {
			t.Errorf("%s was done", which)
		}
	}
	if text, err := os.ReadFile(filepath.Join(from, "apps", "a.yaml")); err != nil || string(text) != original {
		t.Errorf("the owner's file has changed: %v", err)
	}
}

// TestSpoiltTwice takes two mistakes in one file back, in either order.
func TestSpoiltTwice(t *testing.T) {
	original := "kind: HelmRelease\nspec:\n  values:\n    replicas: 1\n"
	one := domain.Fault{Kind: domain.FaultEdit, Which: "a.yaml:spec.timeout=3s"}
	two := domain.Fault{Kind: domain.FaultEdit, Which: "a.yaml:spec.values.replicas=2"}
	for _, back := range [][]domain.Fault{{one, two}, {two, one}} {
		from := t.TempDir()
		write(t, filepath.Join(from, "a.yaml"), original)
		s, err := spoil(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := errors.Join(s.spoil(one), s.spoil(two), s.mend(back[0])); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(s.dir, "a.yaml"))
		if want := strings.Contains(string(text), "timeout: 3s") != strings.Contains(string(text), "replicas: 2"); err != nil || !want {
			t.Errorf("after %s was taken back the file is\n%s%v", back[0], text, err)
		}
		if err := s.mend(back[1]); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(s.dir, "a.yaml")); err != nil || string(text) != original {
			t.Errorf("after both were taken back the file is\n%s%v", text, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSetField(t *testing.T) {
	object := map[string]any{"spec": map[string]any{"list": []any{map[string]any{"a": "b"}}}}
	for _, edit := range []struct {
		path  []string
		value any
	}{
		{[]string{"spec", "list", "0", "a"}, "c"},
		{[]string{"spec", "new", "deep"}, int64(1)},
	} {
		if err := setField(object, edit.path, edit.value); err != nil {
			t.Errorf("%v: %v", edit.path, err)
		}
	}
	spec := object["spec"].(map[string]any)
	if spec["list"].([]any)[0].(map[string]any)["a"] != "c" || spec["new"].(map[string]any)["deep"] != int64(1) {
		t.Errorf("the object is %v", object)
	}
	if setField(object, []string{"spec", "list", "7"}, "x") == nil || setField(object, []string{"spec", "list", "0", "a", "b"}, "x") == nil {
		t.Error("what is not there was set")
	}
}
