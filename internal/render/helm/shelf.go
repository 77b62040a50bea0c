package helm

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"math"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// Shelf keeps what charts have rendered to, on disk and across processes, by
// all that it depends on: the chart's content, the values, the capabilities, the
// release. What may come out differently the next time is not kept, nor what
// secret values went into.
type Shelf struct {
	Store Store
	// Program tells one build of the program from another, whose rendering may
	// differ.
	Program string
}

// Store holds entries by names of hexadecimal digits. Its methods may be called
// concurrently, by several processes; an entry is found whole or not at all.
type Store interface {
	Get(name string) ([]byte, bool)
	Put(name string, data []byte)
}

// shelfFormat changes with what an entry means.
const shelfFormat = "1"

// get returns the files of a request that were rendered before.
func (s *Shelf) get(name string) (map[string]string, bool) {
	if s == nil || name == "" {
		return nil, false
	}
	data, ok := s.Store.Get(name)
	if !ok {
		return nil, false
	}
	var files map[string]string
	if json.Unmarshal(data, &files) != nil {
		return nil, false
	}
	return files, true
}

func (s *Shelf) put(name string, files map[string]string) {
	if s == nil || name == "" {
		return
	}
	if data, err := json.Marshal(files); err == nil {
		s.Store.Put(name, data)
	}
}

// shelved names the request's rendering; "" where it must not be kept.
func (r Request) shelved() string {
	if r.Shelf == nil || r.Lookup != nil || len(r.Values.Secrets.texts) > 0 {
		return ""
	}
	capabilities := cmp.Or(r.Capabilities, common.DefaultCapabilities)
	d := digest{Hash: sha256.New(), ok: true}
	for _, text := range []string{
		shelfFormat, r.Shelf.Program, r.Chart.content(), r.Version, r.Name, r.Namespace,
		capabilities.KubeVersion.Version, capabilities.KubeVersion.Major, capabilities.KubeVersion.Minor,
		capabilities.HelmVersion.Version, capabilities.HelmVersion.GitCommit, capabilities.HelmVersion.GitTreeState, capabilities.HelmVersion.GoVersion,
	} {
		d.text(text)
	}
	d.value(r.Upgrade, 0)
	d.value(r.SkipSchema, 0)
	for _, version := range capabilities.APIVersions {
		d.text(version)
	}
	d.value(r.Values.Map, 0)
	if !d.ok || r.Chart.content() == "" {
		return ""
	}
	return hex.EncodeToString(d.Sum(nil))
}

// digest names values by content and type: 1 and 1.0 may render differently.
type digest struct {
	hash.Hash
	ok bool
}

func (d *digest) text(s string) {
	d.size('t', len(s))
	d.Write([]byte(s))
}

func (d *digest) size(kind byte, n int) {
	d.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(n)))
}

func (d *digest) value(value any, depth int) {
	if depth > 1000 {
		d.ok = false
		return
	}
	switch v := value.(type) {
	case nil:
		d.size('n', 0)
	case bool:
		d.size('b', map[bool]int{true: 1}[v])
	case string:
		d.text(v)
	case int:
		d.size('i', v)
	case int64:
		d.size('l', int(v))
	case float64:
		d.size('f', int(math.Float64bits(v)))
	case json.Number:
		d.size('j', 0)
		d.text(string(v))
	case map[string]any:
		d.mapping('m', v, depth)
	case common.Values:
		d.mapping('v', v, depth)
	case []any:
		d.size('a', len(v))
		for _, entry := range v {
			d.value(entry, depth+1)
		}
	default:
		d.ok = false
	}
}

func (d *digest) mapping(kind byte, m map[string]any, depth int) {
	d.size(kind, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		d.text(key)
		d.value(m[key], depth+1)
	}
}

// content names all files of the chart, whatever it was loaded from; "" where
// that cannot be told.
func (c *Chart) content() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.digested {
		d := digest{Hash: sha256.New(), ok: true}
		if d.chart(c.loaded); d.ok {
			c.digest = hex.EncodeToString(d.Sum(nil))
		}
		c.digested = true
	}
	return c.digest
}

// chart digests what a chart consists of once it is loaded, and its subcharts.
func (d *digest) chart(c *chart.Chart) {
	metadata, err := json.Marshal(c.Metadata)
	d.ok = d.ok && err == nil
	d.text(string(metadata))
	d.text(string(c.Schema))
	d.value(c.Values, 0)
	for _, files := range [][]*common.File{c.Templates, c.Files} {
		sorted := slices.SortedFunc(slices.Values(files), func(a, b *common.File) int { return strings.Compare(a.Name, b.Name) })
		d.size('d', len(sorted))
		for _, f := range sorted {
			d.text(f.Name)
			d.text(string(f.Data))
		}
	}
	d.size('c', len(c.Dependencies()))
	for _, sub := range c.Dependencies() {
		d.chart(sub)
	}
}
