package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
)

// artifactAlias is how the new artifact is called where files are copied to.
const artifactAlias = "@artifact/"

// maxAlternatives bounds what the groups of a pattern make of it: one is
// matched once for each way to choose among them.
const maxAlternatives = 16

func newCopier(ctx context.Context, operation generator.CopyOperation, to *os.Root) (*copier, string, error) {
	c := &copier{ctx: ctx, to: to, exclude: operation.Exclude, strategy: operation.Strategy, intoDir: strings.HasSuffix(operation.To, "/")}
	alias, pattern, err := Split(operation.From)
	if err != nil {
		return nil, "", fmt.Errorf("invalid copy source '%s': %w", operation.From, err)
	}
	if c.pattern = pattern; slices.Contains(strings.Split(pattern, "/"), "..") {
		return nil, "", fmt.Errorf("invalid copy source '%s': the path leads out of the source", operation.From)
	}
	if c.target, err = targetPath(operation.To); err != nil {
		return nil, "", fmt.Errorf("invalid copy destination '%s': %w", operation.To, err)
	}
	for _, text := range append([]string{pattern}, operation.Exclude...) {
		if strings.Count(text, ",") > maxAlternatives || strings.ContainsRune(text, 0) || !doublestar.ValidatePattern(text) {
			return nil, "", fmt.Errorf("invalid pattern '%s'", text)
		}
	}
	return c, alias, nil
}

// Split takes "@alias/path" apart.
func Split(reference string) (alias, path string, err error) {
	rest, ok := strings.CutPrefix(reference, "@")
	if ok {
		alias, path, ok = strings.Cut(rest, "/")
	}
	if !ok {
		return "", "", errors.New("it must have the form '@alias/path'")
	}
	return alias, path, nil
}

// targetPath returns a path below the new artifact.
func targetPath(to string) (string, error) {
	name, ok := strings.CutPrefix(to, artifactAlias)
	if !ok {
		return "", fmt.Errorf("it must start with '%s'", artifactAlias)
	}
	if name == "" {
		return ".", nil
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") || slices.Contains(strings.Split(name, "/"), "..") {
		return "", errors.New("the path leads out of the artifact")
	}
	return path.Clean(name), nil
}

func isPattern(name string) bool { return strings.ContainsAny(name, "*?[]") }

// glob returns what the pattern fits. As in Flux, "**" stands for any number of
// folders only where archives are looked for; else for one name, and what is
// copied for it is the whole folder of that name.
func (c *copier) glob() ([]string, error) {
	if c.strategy == generator.ExtractStrategy {
		return doublestar.Glob(c.from.FS(), c.pattern)
	}
	return fs.Glob(c.from.FS(), c.pattern)
}

// fixedPart returns the folders before the first that is a pattern.
func fixedPart(pattern string) string {
	var fixed []string
	for part := range strings.SplitSeq(path.Clean(pattern), "/") {
		if isPattern(part) {
			break
		}
		fixed = append(fixed, part)
	}
	return path.Join(append([]string{"."}, fixed...)...)
}

// excluded reports whether a file or folder is left out. Patterns count from
// the source, and from the part of it that is copied; one without a slash fits
// names at any depth.
func (c *copier) excluded(name string) bool {
	names := []string{name}
	if rel, ok := strings.CutPrefix(name, c.base+"/"); ok {
		names = append(names, rel)
	}
	for _, pattern := range c.exclude {
		for _, name := range names {
			if doublestar.MatchUnvalidated(pattern, name) ||
				!strings.Contains(pattern, "/") && doublestar.MatchUnvalidated(pattern, path.Base(name)) {
				return true
			}
		}
	}
	return false
}
