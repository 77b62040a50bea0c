package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// embeddedScheme begins a mapping's target that is a chart of the binary.
const embeddedScheme = "hearth:"

func normalized(mapping map[string]string) map[string]string {
	m := make(map[string]string, len(mapping))
	for url, target := range mapping {
		m[strings.TrimRight(url, "/")] = target
	}
	return m
}

func (c *Charts) checkMapping() error {
	urls := make([]string, 0, len(c.o.Mapping))
	for url := range c.o.Mapping {
		urls = append(urls, url)
	}
	slices.Sort(urls)
	for _, url := range urls {
		if name, ok := strings.CutPrefix(c.o.Mapping[url], embeddedScheme); ok && !c.embeds(name) {
			return fmt.Errorf("source %s=%s: Hearth brings no chart %q along", url, c.o.Mapping[url], name)
		}
	}
	return nil
}

// mapped returns the chart that the mapping names, or nil where it names none.
func (c *Charts) mapped(req ChartRequest) (*ChartResult, error) {
	target, ok := c.o.Mapping[req.chartURL()]
	if !ok {
		target, ok = c.o.Mapping[req.URL]
	}
	if !ok {
		return nil, nil
	}
	if name, ok := strings.CutPrefix(target, embeddedScheme); ok {
		result, err := c.play(req, name, false)
		if err != nil {
			return nil, fmt.Errorf("source %s=%s: %w", req.chartURL(), target, err)
		}
		return &result, nil
	}
	result, err := c.folder(req, target)
	if err != nil {
		return nil, fmt.Errorf("source %s=%s: %w", req.chartURL(), target, err)
	}
	return result, nil
}

// maps reports whether the mapping names a Helm repository or a chart of it.
func (c *Charts) maps(repository string) bool {
	for url := range c.o.Mapping {
		if url == repository || strings.HasPrefix(url, repository+"/") {
			return true
		}
	}
	return false
}

// folder returns the chart in a folder, or in the chart's own folder below it.
func (c *Charts) folder(req ChartRequest, dir string) (*ChartResult, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.o.Root, dir)
	}
	if below := filepath.Join(dir, req.chartName()); isChart(below) {
		dir = below
	}
	digest, err := digestOfFolder(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such folder")
	}
	if err != nil {
		return nil, err
	}
	if req.NoChart && !isChart(dir) {
		return &ChartResult{Path: dir, Version: req.Version, Revision: revisionOf(req.Version, digest), Digest: digest}, nil
	}
	meta, err := readChartMetadata(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	revision := meta.Version
	if req.isOCI() {
		revision = revisionOf(meta.Version, digest)
	}
	return &ChartResult{Path: dir, Version: meta.Version, Revision: revision, Digest: digest}, nil
}

func isChart(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, chartFile))
	return err == nil && info.Mode().IsRegular()
}

// revisionOf is how Flux names a revision of an OCI artifact.
func revisionOf(tag, digest string) string {
	if tag == "" {
		return digest
	}
	return tag + "@" + digest
}
