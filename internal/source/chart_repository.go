package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

// RepositoryIndex is what an http Helm repository offers.
type RepositoryIndex struct {
	// Entries holds the versions of each chart, as the index lists them.
	Entries map[string][]IndexEntry `json:"entries"`
	// Digest is "sha256:…" of the index file.
	Digest string `json:"-"`
	// Path is the index file in the cache. Read only.
	Path string `json:"-"`
}

// IndexEntry is one version of a chart.
type IndexEntry struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`
	// Digest is the SHA-256 of the archive, with or without its algorithm.
	Digest string `json:"digest"`
}

// ErrNoChart says that the index of an http Helm repository has no chart, or no
// version of it, as it was asked for.
var ErrNoChart = errors.New("not in the index")

type freshIndex struct {
	index *RepositoryIndex
	at    time.Time
}

// Index fetches the index of an http Helm repository. Name and versions of the
// request are not heeded. Offline it is the one last fetched. A repository of
// the mapping, or one that cannot be reached where stand-ins are allowed, has
// an index without entries: its charts are had one by one.
func (c *Charts) Index(ctx context.Context, req ChartRequest) (*RepositoryIndex, error) {
	req.URL = strings.TrimRight(req.URL, "/")
	if c.maps(req.URL) {
		return c.emptyIndex(req)
	}
	index, err := c.remoteIndex(ctx, req)
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) && c.o.StandIn {
		return c.emptyIndex(req)
	}
	return index, err
}

func (c *Charts) emptyIndex(req ChartRequest) (*RepositoryIndex, error) {
	content := []byte("apiVersion: v1\nentries: {}\n")
	digest, path, err := c.cache.put(content)
	if err != nil {
		return nil, err
	}
	return parseIndex(req, content, digest, path)
}

// remoteIndex returns the repository's own index.
func (c *Charts) remoteIndex(ctx context.Context, req ChartRequest) (*RepositoryIndex, error) {
	req = ChartRequest{
		URL: req.URL, Username: req.Username, Password: req.Password, PassCredentials: req.PassCredentials,
		TLS: req.TLS, Proxy: req.Proxy, Timeout: req.Timeout, MaxAge: req.MaxAge,
	}
	key := req.URL + "|" + req.who()
	c.mu.Lock()
	known := c.index[key]
	c.mu.Unlock()
	if known != nil && time.Since(known.at) <= req.maxAge() {
		return known.index, nil
	}
	index, err, _ := c.flights.Do("index|"+key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(req.Timeout, fetchTimeout))
		defer cancel()
		return c.loadIndex(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index[key] = &freshIndex{index.(*RepositoryIndex), time.Now()}
	return index.(*RepositoryIndex), nil
}

func (c *Charts) loadIndex(ctx context.Context, req ChartRequest) (*RepositoryIndex, error) {
	if c.o.Offline {
		cached, ok := c.cache.lookup(req.key())
		if !ok {
			return nil, req.unreachable(errOffline)
		}
		content, err := os.ReadFile(cached.Path)
		if err != nil {
			return nil, err
		}
		return parseIndex(req, content, cached.Digest, cached.Path)
	}
	content, err := c.get(ctx, req, req.URL+"/index.yaml", maxIndexBytes)
	if err != nil {
		return nil, answer(req, err)
	}
	digest, path, err := c.cache.put(content)
	if err != nil {
		return nil, err
	}
	index, err := parseIndex(req, content, digest, path)
	if err != nil {
		return nil, err
	}
	return index, c.cache.remember(req.key(), ChartResult{Revision: digest, Digest: digest})
}

func parseIndex(req ChartRequest, content []byte, digest, path string) (*RepositoryIndex, error) {
	index := &RepositoryIndex{Digest: digest, Path: path}
	var err error
	if json.Valid(content) {
		err = json.Unmarshal(content, index)
	} else {
		err = yaml.Unmarshal(content, index)
	}
	if err != nil {
		return nil, fmt.Errorf("Helm repository %s: reading its index: %w", req.URL, err)
	}
	return index, nil
}

// Find returns the entry of a chart that a version or range asks for: the
// exact version, or else the highest that satisfies the range; empty means the
// highest that is no pre-release.
func (x *RepositoryIndex) Find(name, version string) (IndexEntry, error) {
	entries := x.Entries[name]
	if len(entries) == 0 {
		return IndexEntry{}, fmt.Errorf("%w: the repository has no chart %q", ErrNoChart, name)
	}
	if i := slices.IndexFunc(entries, func(e IndexEntry) bool { return e.Version == version }); i >= 0 {
		return entries[i], nil
	}
	if version == "" {
		version = "*"
	}
	constraint, err := semver.NewConstraint(version)
	if err != nil {
		return IndexEntry{}, fmt.Errorf("%w: %q is neither a version nor a range of versions: %w", ErrNoChart, version, err)
	}
	best, found := (*semver.Version)(nil), IndexEntry{}
	for _, e := range entries {
		v, err := semver.NewVersion(e.Version)
		if err == nil && constraint.Check(v) && (best == nil || v.GreaterThan(best)) {
			best, found = v, e
		}
	}
	if best == nil {
		return IndexEntry{}, fmt.Errorf("%w: the repository has no version of chart %q that matches %q", ErrNoChart, name, version)
	}
	return found, nil
}

func (c *Charts) fromRepository(ctx context.Context, req ChartRequest) (ChartResult, error) {
	index, err := c.remoteIndex(ctx, req)
	if err != nil {
		var unreachable *UnreachableError
		if errors.As(err, &unreachable) {
			return ChartResult{}, req.unreachable(unreachable.Err)
		}
		return ChartResult{}, err
	}
	entry, err := index.Find(req.Name, req.Version)
	if err != nil {
		return ChartResult{}, req.failed(err)
	}
	digest := entry.Digest
	if digest != "" && !strings.Contains(digest, ":") {
		digest = "sha256:" + digest
	}
	if path, ok := c.cache.blob(digest); ok {
		return ChartResult{Path: path, Version: entry.Version, Revision: entry.Version, Digest: digest}, nil
	}
	content, err := c.archive(ctx, req, entry)
	if err != nil {
		return ChartResult{}, answer(req, err)
	}
	got, path, err := c.cache.put(content)
	if err != nil {
		return ChartResult{}, err
	}
	if digest != "" && got != digest {
		return ChartResult{}, req.failed(fmt.Errorf("the repository sent %s where its index says %s", got, digest))
	}
	return ChartResult{Path: path, Version: entry.Version, Revision: entry.Version, Digest: got}, nil
}

// archive loads a chart from the first of its addresses.
func (c *Charts) archive(ctx context.Context, req ChartRequest, entry IndexEntry) ([]byte, error) {
	if len(entry.URLs) == 0 {
		return nil, refusal{errors.New("the repository's index names no address of it")}
	}
	base, err := url.Parse(req.URL + "/")
	if err != nil {
		return nil, refusal{err}
	}
	at, err := base.Parse(entry.URLs[0])
	if err != nil {
		return nil, refusal{err}
	}
	if at.Scheme != "http" && at.Scheme != "https" {
		return nil, refusal{fmt.Errorf("the repository's index names the address %s, which is neither http nor https", at)}
	}
	content, err := c.get(ctx, req, at.String(), maxChartBytes)
	if err == nil && !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		err = refusal{fmt.Errorf("what %s sends is no archive", at.Redacted())}
	}
	return content, err
}

// get loads a file, with the request's credentials where the host is the
// repository's own.
func (c *Charts) get(ctx context.Context, req ChartRequest, at string, limit int64) ([]byte, error) {
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, refusal{err}
	}
	home, err := url.Parse(req.URL)
	if err != nil {
		return nil, refusal{err}
	}
	own := home.Host == get.URL.Host && home.Scheme == get.URL.Scheme
	if (req.Username != "" || req.Password != "") && (own || req.PassCredentials) {
		get.SetBasicAuth(req.Username, req.Password)
	}
	client := &http.Client{Transport: c.repositoryLine(req, home)}
	response, err := client.Do(get)
	if err != nil {
		// What the library adds to the cause is the URL with what is in it.
		var cited *url.Error
		if errors.As(err, &cited) {
			err = cited.Err
		}
		return nil, fmt.Errorf("ask %s: %w", get.URL.Host, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusOK:
	case response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests:
		return nil, refusal{fmt.Errorf("%s answers %s", get.URL.Redacted(), response.Status)}
	default:
		return nil, fmt.Errorf("%s answers %s", get.URL.Redacted(), response.Status)
	}
	return readBounded(response.Body, limit)
}
