package oci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxTags bounds how many tags of a repository are looked at.
const maxTags = 100_000

// Ref is what is asked for. A digest goes before a range, and that before a
// tag; nothing at all means the tag latest.
type Ref struct {
	// Digest is "sha256:…" of a manifest.
	Digest string
	// SemVer is a range of versions: the highest tag in it is meant.
	SemVer string
	// SemVerFilter is a regular expression that tags must match for SemVer.
	SemVerFilter string
	// Tag is a tag.
	Tag string
	// Chart says that tags are versions of a Helm chart, which have an
	// underscore in place of the plus sign that tags cannot have.
	Chart bool
}

// Target is what a reference points at.
type Target struct {
	// Tag is empty where a digest was asked for.
	Tag string
	// Digest is that of the manifest.
	Digest v1.Hash
}

// Revision names a target as Flux does: tag@sha256:… or sha256:….
func (t Target) Revision() string {
	if t.Tag == "" {
		return t.Digest.String()
	}
	return t.Tag + "@" + t.Digest.String()
}

// Step is what a registry was asked for when it failed.
type Step string

// The steps from a reference to content.
const (
	StepTag    Step = "determine the tag"
	StepDigest Step = "determine the digest"
	StepPull   Step = "pull"
	StepLayer  Step = "read the layer"
)

// StepError says at which step what failed.
type StepError struct {
	Step Step
	Err  error
}

// Error returns the cause's message.
func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// ErrAnswer marks what asking again, or elsewhere, does not change: the
// registry's contents, or what is asked for.
var ErrAnswer = errors.New("answered")

// answered marks an error with ErrAnswer, and keeps its message.
type answered struct{ error }

func (a answered) Is(target error) bool { return target == ErrAnswer }
func (a answered) Unwrap() error        { return a.error }

// Resolve finds what a reference points at. The error is a *StepError.
func (r *Repository) Resolve(ctx context.Context, ref Ref) (Target, error) {
	tag := cmp.Or(ref.Tag, name.DefaultTag)
	if ref.Chart {
		tag = strings.ReplaceAll(tag, "+", "_")
	}
	if ref.Digest == "" && ref.SemVer != "" {
		highest, err := r.highest(ctx, ref)
		if err != nil {
			return Target{}, &StepError{StepTag, plain(ctx, err)}
		}
		tag = highest
	}
	var at name.Reference = r.name.Tag(tag)
	if ref.Digest != "" {
		digest, err := v1.NewHash(ref.Digest)
		if err != nil {
			return Target{}, &StepError{StepDigest, answered{fmt.Errorf("%q is no digest", ref.Digest)}}
		}
		at, tag = r.name.Digest(digest.String()), ""
	}
	digest, err := r.digest(ctx, at)
	if err != nil {
		return Target{}, &StepError{StepDigest, plain(ctx, err)}
	}
	return Target{Tag: tag, Digest: digest}, nil
}

// digest asks for a manifest's digest, and for the manifest itself where the
// registry does not tell its digest.
func (r *Repository) digest(ctx context.Context, at name.Reference) (v1.Hash, error) {
	if head, err := r.puller.Head(ctx, at); err == nil {
		return head.Digest, nil
	}
	found, err := r.puller.Get(ctx, at)
	if err != nil {
		return v1.Hash{}, err
	}
	return found.Digest, nil
}

func (r *Repository) highest(ctx context.Context, ref Ref) (string, error) {
	constraint, err := semver.NewConstraint(ref.SemVer)
	if err != nil {
		return "", answered{fmt.Errorf("semver '%s' parse error: %w", ref.SemVer, err)}
	}
	filter, err := regexp.Compile(ref.SemVerFilter)
	if err != nil {
		return "", answered{fmt.Errorf("failed to compile regex '%s': %w", ref.SemVerFilter, err)}
	}
	tags, err := r.tags(ctx)
	if err != nil {
		return "", err
	}
	best, bestTag := (*semver.Version)(nil), ""
	for _, tag := range tags {
		version := tag
		if ref.Chart {
			version = strings.ReplaceAll(tag, "_", "+")
		}
		v, err := semver.NewVersion(version)
		if err != nil || !filter.MatchString(tag) || !constraint.Check(v) {
			continue
		}
		if best == nil || v.GreaterThan(best) {
			best, bestTag = v, tag
		}
	}
	if best == nil {
		return "", answered{fmt.Errorf("no match found for semver: %s", ref.SemVer)}
	}
	return bestTag, nil
}

// tags lists the repository's tags, page by page.
func (r *Repository) tags(ctx context.Context) ([]string, error) {
	pages, err := r.puller.Lister(ctx, r.name)
	if err != nil {
		return nil, err
	}
	var tags []string
	for pages.HasNext() {
		page, err := pages.Next(ctx)
		if err != nil {
			return nil, err
		}
		tags = append(tags, page.Tags...)
		if len(tags) > maxTags {
			return nil, answered{fmt.Errorf("the repository has more than %d tags", maxTags)}
		}
	}
	return tags, nil
}
