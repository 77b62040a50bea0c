package imagecheck

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// lookUp asks a registry for an image's manifest, and whom it is made for.
func lookUp(ctx context.Context, d *door, repository name.Repository, q Question) (Answer, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(d), remote.WithRetryPredicate(never)}
	a := Answer{Verdict: Fine}
	var ref name.Reference = repository.Tag(q.Tag)
	if q.Digest != "" {
		ref = repository.Digest(q.Digest)
		if q.Tag != "" {
			moved, err := tagMoved(repository.Tag(q.Tag), q.Digest, options)
			if err != nil {
				return a, err
			}
			a.Moved = moved
		}
	}
	found, err := remote.Get(ref, options...)
	if err != nil {
		return a, err
	}
	fits, err := suits(found, q.Platform)
	if err == nil && !fits {
		a.Verdict = OtherPlatform
	}
	return a, err
}

func never(error) bool { return false }

// tagMoved returns what a tag leads to if that is not the digest. A tag that is
// gone leads nowhere, which its digest does not mind.
func tagMoved(tag name.Tag, digest string, options []remote.Option) (string, error) {
	head, err := remote.Head(tag, options...)
	switch {
	case isStatus(err, http.StatusNotFound):
		return "nothing", nil
	case err != nil:
		return "", err
	case head.Digest.String() != digest:
		return head.Digest.String(), nil
	}
	return "", nil
}

// suits reports whether an image, or one of an index, is made for a platform.
func suits(found *remote.Descriptor, platform string) (bool, error) {
	want, err := v1.ParsePlatform(platform)
	if err != nil {
		return false, err
	}
	if found.MediaType.IsIndex() {
		index, err := found.ImageIndex()
		if err != nil {
			return false, err
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(manifest.Manifests, func(d v1.Descriptor) bool {
			return d.Platform == nil || d.Platform.OS == want.OS && d.Platform.Architecture == want.Architecture
		}), nil
	}
	if !found.MediaType.IsImage() {
		return true, nil // an artifact of another kind: nobody knows
	}
	image, err := found.Image()
	if err != nil {
		return false, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return false, err
	}
	return config.Architecture == "" || config.OS == want.OS && config.Architecture == want.Architecture, nil
}

// failed turns a registry's refusal into an answer.
func (d *door) failed(err error) Answer {
	a := unknown(err)
	switch {
	case isStatus(err, http.StatusNotFound):
		a.Verdict = Missing
	case isStatus(err, http.StatusUnauthorized), isStatus(err, http.StatusForbidden):
		a.Verdict = Denied
	case isStatus(err, http.StatusTooManyRequests):
		d.leaveAlone(time.Now())
	}
	return a
}

func isStatus(err error, code int) bool {
	var refused *transport.Error
	return errors.As(err, &refused) && refused.StatusCode == code
}
