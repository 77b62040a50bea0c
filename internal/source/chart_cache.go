package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// chartCache keeps charts on disk by the digest of their content, and beside
// them what was last found under a URL and version. Files appear complete or
// not at all, so that several processes may share a folder.
type chartCache struct{ dir string }

// cachedChart is what a reference file says.
type cachedChart struct {
	Key      string `json:"key"`
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Digest   string `json:"digest"`

	Manifest    string            `json:"manifest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// lookup returns what was last remembered of a key, if it is still whole.
func (c chartCache) lookup(key string) (ChartResult, bool) {
	data, err := os.ReadFile(c.reference(key))
	if err != nil {
		return ChartResult{}, false
	}
	var ref cachedChart
	if json.Unmarshal(data, &ref) != nil || ref.Key != key {
		return ChartResult{}, false
	}
	path, ok := c.blob(ref.Digest)
	if !ok {
		return ChartResult{}, false
	}
	return ChartResult{
		Path: path, Version: ref.Version, Revision: ref.Revision, Digest: ref.Digest,
		Manifest: ref.Manifest, Annotations: ref.Annotations,
	}, true
}

// remember notes what a key led to.
func (c chartCache) remember(key string, r ChartResult) error {
	data, err := json.Marshal(cachedChart{key, r.Version, r.Revision, r.Digest, r.Manifest, r.Annotations})
	if err != nil {
		return err
	}
	if known, err := os.ReadFile(c.reference(key)); err == nil && bytes.Equal(known, data) {
		return nil
	}
	if err := writeWhole(c.reference(key), data); err != nil {
		return fmt.Errorf("keeping a chart in the cache: %w", err)
	}
	return nil
}

// blob returns the file of a digest, if its content is what the digest says.
func (c chartCache) blob(digest string) (string, bool) {
	path, err := c.path(digest)
	if err != nil {
		return "", false
	}
	file, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", false
	}
	return path, "sha256:"+hex.EncodeToString(h.Sum(nil)) == digest
}

// put stores content and returns its digest and file.
func (c chartCache) put(content []byte) (digest, path string, err error) {
	sum := sha256.Sum256(content)
	digest = "sha256:" + hex.EncodeToString(sum[:])
	if path, ok := c.blob(digest); ok {
		return digest, path, nil
	}
	path, err = c.path(digest)
	if err != nil {
		return "", "", err
	}
	if err := writeWhole(path, content); err != nil {
		return "", "", fmt.Errorf("keeping a chart in the cache: %w", err)
	}
	return digest, path, nil
}

// take stores what a reader yields, of at most limit bytes.
func (c chartCache) take(content io.Reader, limit int64) (digest, path string, err error) {
	folder := filepath.Join(c.dir, "sha256")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", "", fmt.Errorf("keeping a chart in the cache: %w", err)
	}
	tmp, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return "", "", fmt.Errorf("keeping a chart in the cache: %w", err)
	}
	defer os.Remove(tmp.Name()) // where it was not moved
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(tmp, h), io.LimitReader(content, limit+1))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return "", "", err
	}
	if size > limit {
		return "", "", refusal{fmt.Errorf("it is larger than %d MiB", limit>>20)}
	}
	digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
	if path, err = c.path(digest); err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return "", "", fmt.Errorf("keeping a chart in the cache: %w", err)
	}
	return digest, path, nil
}

func (c chartCache) path(digest string) (string, error) {
	sum, ok := strings.CutPrefix(digest, "sha256:")
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%q is no SHA-256 digest", digest)
	}
	return filepath.Join(c.dir, "sha256", sum[:2], sum+".tgz"), nil
}

func (c chartCache) reference(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.references(), hex.EncodeToString(sum[:])+".json")
}

func (c chartCache) references() string { return filepath.Join(c.dir, "references") }

// AtHand returns the folder whose files change whenever another chart comes to
// be at hand in a cache folder, the user's where it is empty.
func AtHand(cacheDir string) (string, error) {
	dir, err := chartsDir(cacheDir)
	if err != nil {
		return "", err
	}
	return chartCache{dir}.references(), nil
}

func chartsDir(cacheDir string) (string, error) {
	if cacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding a folder to keep charts in: %w", err)
		}
		cacheDir = filepath.Join(user, "hearth")
	}
	return filepath.Join(cacheDir, "charts"), nil
}

// writeWhole writes a file beside its place and moves it there.
func writeWhole(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, bytes.NewReader(content))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
