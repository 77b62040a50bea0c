// Package helm turns a chart and values into objects, as Helm does.
//
// It loads a chart version once however many releases share it, composes a
// release's values from its spec and from the ConfigMaps and Secrets it names,
// and renders without a cluster. Charts are data from strangers: loading,
// rendering and output are bounded, and templates reach neither the
// environment nor the network. What a Secret contributed never shows in an
// error.
//
// Installing, upgrading and everything else that touches a cluster is left to
// engine/helmrelease, fetching to source.
package helm

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// Chart is a chart that was loaded and checked. It is shared and never
// changes; its methods may be called concurrently.
type Chart struct {
	loaded *chart.Chart

	mu     sync.Mutex
	stored map[string][]byte
	// digest is of the content, once it is digested.
	digest   string
	digested bool
}

// Name is the chart's own name.
func (c *Chart) Name() string { return c.loaded.Name() }

// Version is what its Chart.yaml says.
func (c *Chart) Version() string { return c.loaded.Metadata.Version }

// Annotation returns what its Chart.yaml says under a name, or nothing.
func (c *Chart) Annotation(name string) string { return c.loaded.Metadata.Annotations[name] }

// Copy returns a copy that Helm may change while it works, under another
// version where one is given. Templates and files are shared.
func (c *Chart) Copy(version string) *chart.Chart {
	copied := copyChart(c.loaded)
	if version != "" {
		copied.Metadata.Version = version
	}
	return copied
}

// Stored returns the chart as the gzip member that a release record holds of
// it, made once for each version.
func (c *Chart) Stored(version string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if member, ok := c.stored[version]; ok {
		return member, nil
	}
	var buf bytes.Buffer
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(c.Copy(version))
	if err != nil {
		return nil, fmt.Errorf("encoding the chart %s: %w", c.Name(), err)
	}
	if _, err := zip.Write(encoded); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	if c.stored == nil {
		c.stored = map[string][]byte{}
	}
	c.stored[version] = buf.Bytes()
	return buf.Bytes(), nil
}

// copyChart copies what Helm changes while it processes dependencies: the
// metadata, the tree of subcharts, and the fields of each.
func copyChart(c *chart.Chart) *chart.Chart {
	copied := &chart.Chart{
		Raw: c.Raw, Lock: c.Lock, Templates: c.Templates, Values: c.Values,
		Schema: c.Schema, SchemaModTime: c.SchemaModTime, Files: c.Files, ModTime: c.ModTime,
	}
	if c.Metadata != nil {
		metadata := *c.Metadata
		metadata.Dependencies = slices.Clone(metadata.Dependencies)
		for i, dependency := range metadata.Dependencies {
			d := *dependency
			d.ImportValues = slices.Clone(d.ImportValues)
			metadata.Dependencies[i] = &d
		}
		copied.Metadata = &metadata
	}
	for _, sub := range c.Dependencies() {
		copied.AddDependency(copyChart(sub))
	}
	return copied
}

// Charts keeps loaded charts by the digest of their content. The zero value is
// ready to use; its methods may be called concurrently.
type Charts struct {
	flights singleflight.Group

	mu     sync.Mutex
	loaded map[string]*Chart
	recent []string
}

// keptCharts is how many loaded charts are kept.
const keptCharts = 256

// Load returns the chart in a .tgz archive or a folder. The digest must name
// its content.
func (c *Charts) Load(ctx context.Context, path, digest string) (*Chart, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	known := c.loaded[digest]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	loaded, err, _ := c.flights.Do(digest, func() (any, error) { return load(path) })
	if err != nil {
		return nil, err
	}
	c.keep(digest, loaded.(*Chart))
	return loaded.(*Chart), nil
}

func (c *Charts) keep(digest string, loaded *Chart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded == nil {
		c.loaded = map[string]*Chart{}
	}
	if c.loaded[digest] != nil {
		return
	}
	c.loaded[digest] = loaded
	if c.recent = append(c.recent, digest); len(c.recent) > keptCharts {
		delete(c.loaded, c.recent[0])
		c.recent = slices.Clone(c.recent[1:])
	}
}

// chartFolder returns the folder of the chart: the one given, or where that
// holds nothing but a chart's own folder, as an unpacked archive does, that one.
func chartFolder(path string) string {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return path // whatever is wrong with it, loading it says so
	}
	return filepath.Join(path, entries[0].Name())
}

// staysInside refuses a folder with a link that leads out of it, which Helm would
// follow, and with what is no file.
func staysInside(folder string) error {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Type().IsRegular() {
			return err
		}
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return err
		}
		if inside, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(inside) {
			return fmt.Errorf("%s leads out of the chart", path)
		}
		// Links to folders could go round in circles.
		if info, err := os.Stat(target); err != nil || !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no file", path)
		}
		return nil
	})
}

func load(path string) (*Chart, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("loading a chart: %w", err)
	}
	read := loader.LoadFile
	if info.IsDir() {
		read, path = loader.LoadDir, chartFolder(path)
		if err := staysInside(path); err != nil {
			return nil, fmt.Errorf("loading the chart: %w", err)
		}
	}
	loaded, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("loading the chart: %w", err)
	}
	if err := loaded.Validate(); err != nil {
		return nil, fmt.Errorf("loading the chart %s: %w", loaded.Name(), err)
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("the chart %s is of type %s and cannot be installed", loaded.Name(), kind)
	}
	return &Chart{loaded: loaded}, nil
}
