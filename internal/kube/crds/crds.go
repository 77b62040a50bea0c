// Package crds holds the custom resource definitions of every kind that Hearth
// reconciles (Flux, flux-operator, External Secrets) and of the Gateway API; it
// installs them, and makes permissive ones for kinds whose definition nobody
// supplied.
//
// The manifests are generated from the Go types and modules Hearth is built
// with, so they always match what its reconcilers read and write. The package
// never overwrites a definition that somebody else has taken over.
package crds

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

//go:generate go run generate.go

//go:embed manifests/*.json
var manifests embed.FS

// All returns every definition that Hearth brings along, ordered by name. They
// are the caller's to change.
func All() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	const folder = "manifests"
	entries, err := manifests.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded CRDs: %w", err)
	}
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, entry := range entries {
		raw, err := manifests.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the embedded CRD %s: %w", entry.Name(), err)
		}
		crd := new(apiextensionsv1.CustomResourceDefinition)
		if err := json.Unmarshal(raw, crd); err != nil {
			return nil, fmt.Errorf("reading the embedded CRD %s: %w", entry.Name(), err)
		}
		all = append(all, crd)
	}
	slices.SortFunc(all, func(a, b *apiextensionsv1.CustomResourceDefinition) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
