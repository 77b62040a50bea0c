package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hearth/internal/domain"
	"hearth/internal/source/imagecheck"
	"hearth/internal/standin/image"
)

// verifyImage is how the nodes look images up; nil is not at all.
type verifyImage func(ctx context.Context, ref image.Reference, platform string, credentials bool) error

// verifier returns how images are really looked up, where that was asked for.
func (s *Stage) verifier() (verifyImage, error) {
	if !s.options.VerifyImages {
		return nil, nil
	}
	if s.options.Offline {
		return nil, &MisuseError{errors.New("images can only be looked up with the network: leave out --offline or --verify-images")}
	}
	dir, err := imageCache(s.options.CacheDir)
	if err != nil {
		return nil, err
	}
	checker, err := imagecheck.New(imagecheck.Options{CacheDir: dir, RefusePrivate: s.options.RefusePrivate})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, ref image.Reference, platform string, credentials bool) error {
		a := checker.Look(ctx, imagecheck.Question{
			Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: ref.Digest, Platform: platform,
		})
		if a.Moved != "" {
			s.assumptions.Add(domain.AssumedImage, ref.Given, fmt.Sprintf("its digest counts, as in life, but its tag now leads to %s", a.Moved))
		}
		return s.pullable(ref, a, credentials)
	}, nil
}

// pullable turns what a registry said into what a node would see. What nobody
// could find out is an assumption, and no fault of the image.
func (s *Stage) pullable(ref image.Reference, a imagecheck.Answer, credentials bool) error {
	switch a.Verdict {
	case imagecheck.Missing:
		return ref.Missing()
	case imagecheck.OtherPlatform:
		return ref.OtherPlatform()
	case imagecheck.Denied:
		if !credentials {
			return ref.Denied()
		}
		s.assumptions.Add(domain.AssumedImage, ref.Given, "its registry asks for credentials, which a rehearsal does not send")
	case imagecheck.Unknown:
		s.assumptions.Add(domain.AssumedImage, ref.Given, "it could not be looked up: "+a.Reason)
	}
	return nil
}

// imageCache returns where what registries said is kept.
func imageCache(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w", err)
	}
	return filepath.Join(user, "hearth"), nil
}
