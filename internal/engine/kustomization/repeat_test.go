package kustomization

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFetches(t *testing.T) {
	for content, want := range map[string]bool{
		"# yaml-language-server: $schema=https://json.schemastore.org/kustomization\nresources: [a.yaml]\n": false,
		"resources:\n- https://example.org/a.yaml\n":                                                        true,
		"resources:\n- github.com/owner/repo//base?ref=v1\n":                                                true,
		"resources: [../base]\n": false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := fetches(dir, []string{"kustomization.yaml", "a.yaml"}); got != want {
			t.Errorf("%q fetches: %t", content, got)
		}
	}
	if fetches(t.TempDir(), []string{"generated/kustomization.yaml"}) {
		t.Error("a generated kustomization is taken to fetch something")
	}
}
