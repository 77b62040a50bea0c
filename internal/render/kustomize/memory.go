package kustomize

import (
	"encoding/json"
	"fmt"

	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Transform applies what a kustomization says to a stream of manifests, without
// any file: it must name none. It runs beside other builds.
func Transform(manifests []byte, k kustypes.Kustomization) ([]byte, error) {
	const file = "manifests.yaml"
	k.APIVersion, k.Kind = kustypes.KustomizationVersion, kustypes.KustomizationKind
	k.Resources = []string{file}
	description, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("kustomize: %w", err)
	}
	fs := filesys.MakeFsInMemory()
	for name, content := range map[string][]byte{"kustomization.yaml": description, file: manifests} {
		if err := fs.WriteFile(name, content); err != nil {
			return nil, fmt.Errorf("kustomize: %w", err)
		}
	}
	var text []byte
	withSchema(func(bool) bool {
		built, failed := krustyRun(fs, ".")
		if err = failed; err == nil {
			text, err = built.AsYaml()
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("kustomize: %w", err)
	}
	return text, nil
}
