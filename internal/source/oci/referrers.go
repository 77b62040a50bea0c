package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Bounds on what is looked at of signatures.
const (
	maxSignatures = 50
	maxSignature  = 4 << 20
)

// referrers returns the manifests of a type that refer to another one, by the
// registry's interface for it or by its fallback, a tag.
func (r *Repository) referrers(ctx context.Context, digest v1.Hash, artifactType string) ([]v1.Descriptor, error) {
	index, err := remote.Referrers(r.name.Digest(digest.String()), slices.Concat(r.options, []remote.Option{remote.WithContext(ctx), remote.WithFilter("artifactType", artifactType)})...)
	if err != nil {
		return nil, plain(ctx, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, plain(ctx, err)
	}
	var found []v1.Descriptor
	for _, descriptor := range manifest.Manifests {
		if descriptor.ArtifactType == artifactType && len(found) < maxSignatures {
			found = append(found, descriptor)
		}
	}
	return found, nil
}

// layersOf returns the layers of a manifest, or none where there is no such
// manifest.
func (r *Repository) layersOf(ctx context.Context, at name.Reference) ([]v1.Descriptor, error) {
	found, err := r.puller.Get(ctx, at)
	var said *transport.Error
	if errors.As(err, &said) && said.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, plain(ctx, err)
	}
	manifest, err := v1.ParseManifest(strings.NewReader(string(found.Manifest)))
	if err != nil {
		return nil, fmt.Errorf("the manifest of a signature cannot be read: %w", err)
	}
	if len(manifest.Layers) > maxSignatures {
		manifest.Layers = manifest.Layers[:maxSignatures]
	}
	return manifest.Layers, nil
}
