package secrets_test

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/secrets"
)

// TestCorpus fills in the skeleton for a real homelab: then nothing is missing.
func TestCorpus(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "corpora", "k8s-homelab")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the corpus is not here")
	}
	r, err := repo.Open(t.Context(), root, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Clusters {
		state, err := desired.Build(t.Context(), r, c, desired.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := secrets.Look(t.Context(), state, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Needs) == 0 {
			t.Errorf("%s: nothing is needed", c.Name)
		}
		text, err := secrets.Skeleton(s.Needs, nil)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "vault.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err = secrets.Look(t.Context(), state, &secrets.Source{File: file}); err != nil {
			t.Fatal(err)
		}
		for _, line := range problemLines(s.Problems()) {
			t.Error(line)
		}
	}
}
