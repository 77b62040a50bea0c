package compatibility

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"hearth/internal/kube/crds"
)

var update = flag.Bool("update", false, "write the page anew")

var root = filepath.Join("..", "..")

func kinds(t *testing.T) []Kind {
	t.Helper()
	all, err := Kinds()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryFieldHasALine holds the lines to the definitions that Hearth installs.
func TestEveryFieldHasALine(t *testing.T) {
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds(t) {
		i := slices.IndexFunc(all, func(crd *apiextensionsv1.CustomResourceDefinition) bool { return crd.Spec.Names.Kind == kind.Name })
		if i < 0 {
			t.Errorf("%s: Hearth installs no definition of this kind", kind.Name)
			continue
		}
		fields := Fields(all[i])
		for _, field := range fields {
			if !kind.Covers(field) {
				t.Errorf("%s: no line for %s", kind.Name, field)
			}
		}
		for _, line := range kind.Lines {
			if len(fields) > 0 && !slices.ContainsFunc(fields, func(f string) bool { return f == line.Field || strings.HasPrefix(f, line.Field+".") }) {
				t.Errorf("%s: its definition has no field %s", kind.Name, line.Field)
			}
		}
	}
}

// TestEveryLineNamesATest looks for the tests in the whole tree.
func TestEveryLineNamesATest(t *testing.T) {
	known := tests(t)
	for _, kind := range kinds(t) {
		for _, line := range kind.Lines {
			for _, name := range line.Tests {
				name, _, _ = strings.Cut(name, "/")
				if !known[name] {
					t.Errorf("%s: %s: there is no test %s", kind.Name, line.Field, name)
				}
			}
			if len(line.Tests) == 0 && line.Why == "" {
				t.Errorf("%s: %s: neither a test nor a reason", kind.Name, line.Field)
			}
		}
	}
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)

func tests(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, dir := range []string{"internal", "cmd", "charts", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range testName.FindAllSubmatch(text, -1) {
				known[string(match[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return known
}

// TestReference holds docs/compatibility.md to the lines; with -update it is
// written anew.
func TestReference(t *testing.T) {
	var page bytes.Buffer
	if err := Page(&page, kinds(t)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(root, "docs", "compatibility.md")
	if *update {
		if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page.String(), string(want)); diff != "" {
		t.Errorf("docs/compatibility.md is stale, run go generate ./internal/compatibility (-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	kind, err := parse("Demo", "# About it.\n\nspec.a  TestOne, TestTwo\nspec.b.c  not yet: no cloud here\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Kind{Name: "Demo", About: []string{"About it."}, Lines: []Line{
		{Field: "spec.a", Tests: []string{"TestOne", "TestTwo"}},
		{Field: "spec.b.c", Why: "no cloud here"},
	}}
	if diff := cmp.Diff(want, kind); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, bad := range []string{"spec.a", "spec.a TestOne\nspec.a TestTwo"} {
		if _, err := parse("Demo", bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if kind.Covers("spec.ab") || !kind.Covers("spec.a.x") || kind.Covers("spec.b") {
		t.Error("a line holds for what is not below its field, or not for what is")
	}
}
