package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"

// TestGuard gives kustomize what would end the process.
func TestGuard(t *testing.T) {
	bomb := configMap + "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	for name, test := range map[string]struct{ text, want string }{
		"anchors that explode":           {bomb, "app/a.yaml:1"},
		"an anchor that contains itself": {configMap + "data: &a {b: *a}\n", `app/a.yaml:4`},
		"a file that is large":           {configMap + strings.Repeat("#", 11<<20), "app/a.yaml"},
	} {
		for _, kustomizationYAML := range []string{"", "resources: [a.yaml]\n"} {
			root := t.TempDir()
			files := map[string]string{"app/a.yaml": test.text}
			if kustomizationYAML != "" {
				files["app/kustomization.yaml"] = kustomizationYAML
			}
			put(t, root, files)
			_, err := Build(t.Context(), Request{Root: root, Path: "app", Kustomization: kustomization(t, []byte("path: ./app\n"))})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s (%q): %v", name, kustomizationYAML, err)
			}
		}
	}
}

// TestAnyFolder builds wherever the user keeps the repository.
func TestAnyFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "my homelab, new (ä)")
	put(t, root, map[string]string{"app/a.yaml": configMap, "own/kustomization.yaml": "resources: [../app/a.yaml]\n"})
	for _, path := range []string{"app", "own"} {
		result, err := Build(t.Context(), Request{Root: root, Path: path, Kustomization: kustomization(t, []byte("path: ./"+path+"\n"))})
		if err != nil || len(result.Objects) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func put(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
