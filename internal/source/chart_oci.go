package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// fromRegistry fetches a chart or another artifact from an OCI registry. What
// it already has by its digest is not loaded again.
func (c *Charts) fromRegistry(ctx context.Context, req ChartRequest) (ChartResult, error) {
	options := c.registryOptions(ctx, req)
	ref, tag, err := c.reference(req, options)
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	image, err := remote.Image(ref, options...)
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	manifest, err := image.Digest()
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	layer, err := selectLayer(image, req.Layer)
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	digest, path, err := c.layer(req, layer)
	if err != nil {
		return ChartResult{}, err
	}
	return ChartResult{
		Path:     path,
		Version:  cmp.Or(strings.ReplaceAll(tag, "_", "+"), manifest.String()),
		Revision: revisionOf(tag, manifest.String()),
		Digest:   digest,
	}, nil
}

// layer loads a layer's bytes, and checks that they are what the manifest says.
func (c *Charts) layer(req ChartRequest, layer v1.Layer) (digest, path string, err error) {
	hash, err := layer.Digest()
	if err != nil {
		return "", "", answer(req, err)
	}
	if path, ok := c.cache.blob(hash.String()); ok {
		return hash.String(), path, nil
	}
	reader, err := layer.Compressed()
	if err != nil {
		return "", "", answer(req, err)
	}
	defer reader.Close()
	content, err := readBounded(reader, maxChartBytes)
	if err != nil {
		return "", "", answer(req, err)
	}
	digest, path, err = c.cache.put(content)
	if err == nil && digest != hash.String() {
		err = req.failed(fmt.Errorf("the registry sent %s where the manifest says %s", digest, hash))
	}
	return digest, path, err
}

// reference resolves what was asked for to a manifest. The tag is empty where
// a digest was asked for.
func (c *Charts) reference(req ChartRequest, options []remote.Option) (name.Reference, string, error) {
	var naming []name.Option
	if req.Insecure {
		naming = append(naming, name.Insecure)
	}
	repository, err := name.NewRepository(strings.TrimPrefix(req.URL, "oci://"), naming...)
	if err != nil {
		return nil, "", refusal{err}
	}
	if req.Digest != "" {
		if _, err := v1.NewHash(req.Digest); err != nil {
			return nil, "", refusal{err}
		}
		return repository.Digest(req.Digest), "", nil
	}
	tag := cmp.Or(strings.ReplaceAll(req.Version, "+", "_"), "latest")
	if req.SemVer != "" {
		if tag, err = highestTag(repository, req.SemVer, req.SemVerFilter, options); err != nil {
			return nil, "", err
		}
	}
	return repository.Tag(tag), tag, nil
}

func highestTag(repository name.Repository, versions, filter string, options []remote.Option) (string, error) {
	constraint, err := semver.NewConstraint(versions)
	if err != nil {
		return "", refusal{fmt.Errorf("%q is no range of versions: %w", versions, err)}
	}
	pattern, err := regexp.Compile(filter)
	if err != nil {
		return "", refusal{fmt.Errorf("semverFilter %q: %w", filter, err)}
	}
	tags, err := remote.List(repository, options...)
	if err != nil {
		return "", err
	}
	best, bestTag := (*semver.Version)(nil), ""
	for _, tag := range tags {
		v, err := semver.NewVersion(strings.ReplaceAll(tag, "_", "+"))
		if err != nil || !pattern.MatchString(tag) || !constraint.Check(v) {
			continue
		}
		if best == nil || v.GreaterThan(best) {
			best, bestTag = v, tag
		}
	}
	if best == nil {
		return "", refusal{fmt.Errorf("no tag matches %q", versions)}
	}
	return bestTag, nil
}

// selectLayer returns the first layer of the media type, or of a Helm chart,
// or else the first one.
func selectLayer(image v1.Image, mediaType string) (v1.Layer, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	for _, desc := range manifest.Layers {
		if string(desc.MediaType) == cmp.Or(mediaType, HelmChartLayer) {
			return image.LayerByDigest(desc.Digest)
		}
	}
	if mediaType != "" {
		return nil, refusal{fmt.Errorf("the artifact has no layer of media type %s", mediaType)}
	}
	if len(manifest.Layers) == 0 {
		return nil, refusal{errors.New("the artifact has no layers")}
	}
	return image.LayerByDigest(manifest.Layers[0].Digest)
}

func (c *Charts) registryOptions(ctx context.Context, req ChartRequest) []remote.Option {
	auth := authn.Anonymous
	if req.Username != "" || req.Password != "" {
		auth = authn.FromConfig(authn.AuthConfig{Username: req.Username, Password: req.Password})
	}
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuth(auth),
		remote.WithTransport(c.transport(req.TLS)),
		// Whoever asked tries again by itself.
		remote.WithRetryBackoff(remote.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 2}),
	}
}

func (c *Charts) transport(config *tls.Config) http.RoundTripper {
	if c.o.Transport != nil {
		return c.o.Transport
	}
	if config == nil {
		return defaultTransport
	}
	t := defaultTransport.Clone()
	t.TLSClientConfig = config
	t.DisableKeepAlives = true
	return t
}

var defaultTransport = &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	ForceAttemptHTTP2:     true,
	MaxIdleConnsPerHost:   8,
	IdleConnTimeout:       30 * time.Second,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 20 * time.Second,
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
	return req.unreachable(err)
}

// readBounded reads all there is, or fails where that is more than limit.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, refusal{fmt.Errorf("it is larger than %d MiB", limit>>20)}
	}
	return content, nil
}
