package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Bounds on what one artifact has.
const (
	// MaxLayer bounds the size of a layer in bytes, as it is stored.
	MaxLayer       = 256 << 20
	maxAnnotations = 64 << 10
)

// Artifact is a manifest.
type Artifact struct {
	repository *Repository
	// Annotations are those of the manifest.
	Annotations map[string]string
	// Layers are what it holds, in order.
	Layers []v1.Descriptor
}

// Artifact fetches a manifest; of an index that for linux/amd64. The error is
// a *StepError.
func (r *Repository) Artifact(ctx context.Context, digest v1.Hash) (*Artifact, error) {
	found, err := r.puller.Get(ctx, r.name.Digest(digest.String()))
	if err != nil {
		return nil, &StepError{StepPull, plain(ctx, err)}
	}
	image, err := found.Image()
	if err != nil {
		return nil, &StepError{StepPull, plain(ctx, err)}
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, &StepError{StepLayer, answered{fmt.Errorf("failed to parse artifact manifest: %w", err)}}
	}
	size := 0
	for key, value := range manifest.Annotations {
		size += len(key) + len(value)
	}
	if size > maxAnnotations {
		return nil, &StepError{StepLayer, answered{fmt.Errorf("the artifact's annotations are larger than %d KiB", maxAnnotations>>10)}}
	}
	return &Artifact{repository: r, Annotations: manifest.Annotations, Layers: manifest.Layers}, nil
}

// Select returns the first layer of one of the media types, in their order; an
// empty one is that of any layer. The error is a *StepError.
func (a *Artifact) Select(mediaTypes ...string) (v1.Descriptor, error) {
	if len(a.Layers) == 0 {
		return v1.Descriptor{}, &StepError{StepLayer, answered{errors.New("no layers found in artifact")}}
	}
	for _, mediaType := range mediaTypes {
		for _, layer := range a.Layers {
			if mediaType == "" || string(layer.MediaType) == mediaType {
				return layer, a.check(layer)
			}
		}
	}
	return v1.Descriptor{}, &StepError{StepLayer, answered{
		fmt.Errorf("failed to find layer with media type '%s' in artifact", strings.Join(mediaTypes, "' or '")),
	}}
}

func (a *Artifact) check(layer v1.Descriptor) error {
	if layer.Size > MaxLayer {
		return &StepError{StepLayer, answered{fmt.Errorf("the layer is larger than %d MiB", MaxLayer>>20)}}
	}
	if layer.Size < 0 || layer.Digest.Algorithm != "sha256" {
		return &StepError{StepLayer, answered{errors.New("the artifact names its layer by no SHA-256 digest and size")}}
	}
	return nil
}

// Open returns a layer's bytes. Reading them ends in an error where they are
// not what the manifest says. Errors are of type *StepError.
func (a *Artifact) Open(ctx context.Context, layer v1.Descriptor) (io.ReadCloser, error) {
	body, err := a.repository.blob(ctx, layer.Digest)
	if err != nil {
		return nil, err
	}
	return &layerReader{ctx: ctx, body: body, size: layer.Size}, nil
}

func (r *Repository) blob(ctx context.Context, digest v1.Hash) (io.ReadCloser, error) {
	layer, err := r.puller.Layer(ctx, r.name.Digest(digest.String()))
	if err != nil {
		return nil, &StepError{StepLayer, plain(ctx, err)}
	}
	// What it reads is held to its digest.
	body, err := layer.Compressed()
	if err != nil {
		return nil, &StepError{StepLayer, plain(ctx, err)}
	}
	return body, nil
}

// layerReader ends with an error where a layer is not as large as was said, or
// when its context ends.
type layerReader struct {
	ctx  context.Context
	body io.ReadCloser
	size int64
	read int64
}

func (l *layerReader) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, &StepError{StepLayer, err}
	}
	n, err := l.body.Read(p)
	l.read += int64(n)
	if l.read > l.size || errors.Is(err, io.EOF) && l.read != l.size {
		return n, &StepError{StepLayer, answered{fmt.Errorf("the registry sent %d bytes or more of a layer of %d", l.read, l.size)}}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = &StepError{StepLayer, plain(l.ctx, err)}
	}
	return n, err
}

func (l *layerReader) Close() error { return l.body.Close() }

// read returns a small blob.
func (r *Repository) read(ctx context.Context, layer v1.Descriptor, limit int64) ([]byte, error) {
	if layer.Size > limit {
		return nil, fmt.Errorf("it is larger than %d KiB", limit>>10)
	}
	body, err := r.blob(ctx, layer.Digest)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("it is larger than %d KiB", limit>>10)
	}
	return content, err
}
