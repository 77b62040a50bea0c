package helmrelease

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	yamlv2 "go.yaml.in/yaml/v2"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

// The digests in a HelmRelease's status are those of helm-controller, so that
// either of the two goes on with the releases of the other without making each
// anew.

// digestOf names a release record by what matters of it. Tests do not: they
// run without changing the release.
func digestOf(rel *releasev1.Release, ociDigest string) (string, error) {
	record := struct {
		Name          string           `json:"name"`
		Version       int              `json:"version"`
		Info          releasev1.Info   `json:"info"`
		ChartMetadata chart.Metadata   `json:"chartMetadata"`
		Config        map[string]any   `json:"config"`
		Manifest      string           `json:"manifest"`
		Hooks         []releasev1.Hook `json:"hooks"`
		Namespace     string           `json:"namespace"`
		OCIDigest     string           `json:"ociDigest,omitempty"`
	}{Name: rel.Name, Version: rel.Version, Manifest: rel.Manifest, Namespace: rel.Namespace, OCIDigest: ociDigest}
	if rel.Info != nil {
		record.Info = *rel.Info
	}
	if rel.Chart != nil && rel.Chart.Metadata != nil {
		record.ChartMetadata = *rel.Chart.Metadata
	}
	if len(rel.Config) > 0 {
		record.Config = rel.Config
	}
	for _, h := range rel.Hooks {
		if !slices.Contains(h.Events, releasev1.HookTest) {
			record.Hooks = append(record.Hooks, *h)
		}
	}
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(record); err != nil {
		return "", fmt.Errorf("digesting the release %s/%s: %w", rel.Namespace, rel.Name, err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// digestOfValues names values by their YAML, sorted by key; no values at all
// digest as nothing.
func digestOfValues(values map[string]any) (string, error) {
	sum := sha256.New()
	if len(values) > 0 {
		ordered := yaml.JSONObjectToYAMLObject(values)
		order(ordered)
		if err := yamlv2.NewEncoder(sum).Encode(ordered); err != nil {
			return "", fmt.Errorf("digesting values: %w", err)
		}
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// order sorts all mappings of a value by key.
func order(value any) {
	switch v := value.(type) {
	case yamlv2.MapSlice:
		slices.SortStableFunc(v, func(a, b yamlv2.MapItem) int { return cmp.Compare(a.Key.(string), b.Key.(string)) })
		for _, item := range v {
			order(item.Value)
		}
	case []any:
		for _, item := range v {
			order(item)
		}
	}
}
