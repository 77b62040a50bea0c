package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms says which rooms of the house each room may import, beside itself.
var rooms = map[string][]string{
	"api":           {},
	"cli":           {"diagnose", "diff", "domain", "drift", "graph", "kube", "manifest", "observe", "onepassword", "rehearsal", "render", "repo", "rule", "scaffold", "secrets", "source", "timeline"},
	"compatibility": {},
	"diagnose":      {"api", "domain", "graph", "kube", "manifest", "observe", "render", "repo", "source", "spelling"},
	"diff":          {"domain", "graph", "render", "repo", "rule", "source"},
	"domain":        {},
	"drift":         {"domain", "kube", "render", "repo"},
	"engine":        {"api", "domain", "drift", "kube", "onepassword", "render", "source"},
	"graph":         {"api", "domain", "manifest", "onepassword", "render", "repo", "spelling"},
	"kube":          {"api", "domain"},
	"manifest":      {"domain"},
	"observe":       {"api", "domain", "kube"},
	"onepassword":   {"api", "domain", "manifest"},
	"rehearsal":     {"api", "diagnose", "domain", "engine", "kube", "manifest", "observe", "onepassword", "render", "repo", "secrets", "source", "standin", "timeline"},
	"render":        {"domain", "kube", "manifest", "repo", "source"},
	"repo":          {"domain", "manifest"},
	"rule":          {"api", "domain", "graph", "manifest", "onepassword", "render", "repo", "schema", "secrets", "source", "spelling"},
	"scaffold":      {"domain", "graph", "manifest", "render", "repo"},
	"schema":        {"api", "domain", "manifest", "spelling"},
	"secrets":       {"api", "domain", "graph", "manifest", "onepassword", "render", "repo", "spelling"},
	"spelling":      {},
	"source":        {"domain"},
	"standin":       {"api", "domain", "kube"},
	"timeline":      {"domain"},
}

// TestImportsPointOneWay holds the rooms to what they may know of each other.
// Tests may import what they need, but for the control plane.
func TestImportsPointOneWay(t *testing.T) {
	for _, file := range goFiles(t) {
		from := room(filepath.Dir(file))
		if from == "integration" {
			continue
		}
		for _, path := range imports(t, file) {
			if linksControlPlane(path) && !strings.HasPrefix(file, "kube/embed/") {
				t.Errorf("%s imports %s: only kube/embed, cmd/hearth and the integration tests link the control plane", file, path)
			}
			to, ours := strings.CutPrefix(path, "hearth/internal/")
			if !ours || strings.HasSuffix(file, "_test.go") {
				continue
			}
			if to := room(to); to != from && !slices.Contains(rooms[from], to) {
				t.Errorf("%s: room %s may not import room %s", file, from, to)
			}
		}
	}
}

// TestDomainKnowsNobody keeps the domain to the standard library.
func TestDomainKnowsNobody(t *testing.T) {
	for _, file := range goFiles(t) {
		if room(filepath.Dir(file)) != "domain" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, path := range imports(t, file) {
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
				t.Errorf("%s imports %s: the domain uses the standard library only", file, path)
			}
		}
	}
}

func linksControlPlane(path string) bool {
	return strings.HasPrefix(path, "k8s.io/kubernetes/") || path == "hearth/internal/kube/embed"
}

// room returns the first element of a folder below internal.
func room(dir string) string {
	first, _, _ := strings.Cut(filepath.ToSlash(dir), "/")
	return first
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && filepath.Dir(path) != "." {
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files below internal")
	}
	return files
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
