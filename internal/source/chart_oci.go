package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"hearth/internal/source/guard"
	"hearth/internal/source/oci"
)

// Repository opens the repository of an OCI registry that a request is about,
// such as to verify what is there.
func (c *Charts) Repository(req ChartRequest) (*oci.Repository, error) {
	remote := oci.Remote{
		URL: strings.TrimRight(req.URL, "/"), Logins: req.Logins, Insecure: req.Insecure, TLS: req.TLS, Proxy: req.Proxy,
		RefusePrivate: c.o.RefusePrivate,
	}
	if req.Username != "" || req.Password != "" {
		host, _, _ := strings.Cut(strings.TrimPrefix(req.URL, oci.Scheme), "/")
		remote.Logins = oci.Basic(host, req.Username, req.Password)
	}
	remote.Transport = c.line(req, remote.NewTransport)
	return oci.Open(remote)
}

// fromRegistry fetches a chart or another artifact from an OCI registry. What
// it already has by its digest is not loaded again.
func (c *Charts) fromRegistry(ctx context.Context, req ChartRequest) (ChartResult, error) {
	repository, err := c.Repository(req)
	if err != nil {
		return ChartResult{}, req.failed(err)
	}
	target, err := repository.Resolve(ctx, req.ref())
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	manifest := target.Digest.String()
	key := ChartRequest{URL: req.URL, Digest: manifest, Layer: req.Layer, NoChart: req.NoChart}.key()
	result, ok := c.cache.lookup(key)
	if !ok || result.Manifest != manifest {
		if result, err = c.pull(ctx, req, repository, target); err != nil {
			return ChartResult{}, answer(req, err)
		}
		if err := c.cache.remember(key, result); err != nil {
			return ChartResult{}, err
		}
	}
	result.Version = cmp.Or(strings.ReplaceAll(target.Tag, "_", "+"), manifest)
	result.Revision = target.Revision()
	return result, nil
}

// pull loads the layer of a manifest that is asked for.
func (c *Charts) pull(ctx context.Context, req ChartRequest, repository *oci.Repository, target oci.Target) (ChartResult, error) {
	artifact, err := repository.Artifact(ctx, target.Digest)
	if err != nil {
		return ChartResult{}, err
	}
	layer, err := artifact.Select(req.layers()...)
	if err != nil {
		return ChartResult{}, err
	}
	result := ChartResult{Digest: layer.Digest.String(), Manifest: target.Digest.String(), Annotations: artifact.Annotations}
	path, ok := c.cache.blob(result.Digest)
	if !ok {
		content, err := artifact.Open(ctx, layer)
		if err != nil {
			return ChartResult{}, err
		}
		defer content.Close()
		var digest string
		if digest, path, err = c.cache.take(content, oci.MaxLayer); err != nil {
			return ChartResult{}, err
		}
		if digest != result.Digest {
			return ChartResult{}, refusal{fmt.Errorf("the registry sent %s where the manifest says %s", digest, result.Digest)}
		}
	}
	result.Path = path
	return result, nil
}

// ref is what is asked of a registry.
func (r ChartRequest) ref() oci.Ref {
	return oci.Ref{
		Digest: r.Digest, SemVer: r.SemVer, SemVerFilter: r.SemVerFilter, Tag: r.Version,
		Chart: !r.NoChart || r.Layer == HelmChartLayer,
	}
}

// layers are the media types of the layers that would do, the best first.
func (r ChartRequest) layers() []string {
	switch {
	case r.Layer != "":
		return []string{r.Layer}
	case r.NoChart:
		return []string{""}
	}
	return []string{HelmChartLayer, ""}
}

// refusal marks an error that asking again, or elsewhere, will not change.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// answer tells what a registry or repository said no to from what never
// reached it.
func answer(req ChartRequest, err error) error {
	var said *transport.Error
	if errors.As(err, &said) && said.StatusCode >= 400 && said.StatusCode < 500 && said.StatusCode != http.StatusTooManyRequests {
		return req.failed(err)
	}
	var no refusal
	if errors.As(err, &no) {
		return req.failed(no.error)
	}
	if errors.Is(err, oci.ErrAnswer) || errors.Is(err, guard.ErrRefused) {
		return req.failed(err)
	}
	return req.unreachable(err)
}
