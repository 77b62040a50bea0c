package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"hearth/internal/domain"
)

// chartArchive packs a chart with one template.
func chartArchive(t *testing.T, chart, version, template string) []byte {
	t.Helper()
	content, err := pack(fstest.MapFS{
		"Chart.yaml":             {Data: []byte("apiVersion: v2\nname: x\nversion: 0.0.1\n")},
		"templates/objects.yaml": {Data: []byte(template)},
	}, chartMetadata{Name: chart, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// ociRegistry is a real registry that counts the blobs it serves.
type ociRegistry struct {
	*httptest.Server
	requests atomic.Int64
	blobs    atomic.Int64
	down     atomic.Bool
	swap     atomic.Pointer[[]byte]
}

func newRegistry(t *testing.T) *ociRegistry {
	t.Helper()
	r := &ociRegistry{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.down.Load() {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		r.requests.Add(1)
		if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/sha256:") {
			r.blobs.Add(1)
			if other := r.swap.Load(); other != nil {
				w.Write(*other)
				return
			}
		}
		inner.ServeHTTP(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *ociRegistry) url(repository string) string {
	return "oci://" + strings.TrimPrefix(r.URL, "http://") + "/" + repository
}

// push puts an artifact of one layer under a tag and returns its digest.
func (r *ociRegistry) push(t *testing.T, repository, tag string, content []byte, mediaType string) string {
	t.Helper()
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(content, types.MediaType(mediaType)))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(r.url(repository), "oci://")+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func newCharts(t *testing.T, o ChartOptions) *Charts {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = t.TempDir()
	}
	c, err := NewCharts(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fetch(t *testing.T, c *Charts, req ChartRequest) *ChartResult {
	t.Helper()
	result, err := c.Fetch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// embedded stands in for the charts that the binary carries.
func embedded() fstest.MapFS {
	return fstest.MapFS{
		"app-template/Chart.yaml":          {Data: []byte("apiVersion: v2\nname: app-template\nversion: 5.0.0\n")},
		"app-template/templates/cm.yaml":   {Data: []byte("kind: ConfigMap")},
		"workload/Chart.yaml":              {Data: []byte("apiVersion: v2\nname: workload\nversion: 1.0.0\n")},
		"workload/templates/workload.yaml": {Data: []byte("kind: Deployment")},
	}
}

func TestFetchFromRegistry(t *testing.T) {
	r := newRegistry(t)
	old := r.push(t, "charts/demo", "1.2.3", chartArchive(t, "demo", "1.2.3", "a: 1"), HelmChartLayer)
	r.push(t, "charts/demo", "1.10.0", chartArchive(t, "demo", "1.10.0", "a: 2"), HelmChartLayer)
	r.push(t, "charts/demo", "2.0.0_build.1", chartArchive(t, "demo", "2.0.0+build.1", "a: 3"), HelmChartLayer)
	c := newCharts(t, ChartOptions{})
	for _, test := range []struct {
		name     string
		req      ChartRequest
		version  string
		revision string
	}{
		{"tag", ChartRequest{Version: "1.2.3"}, "1.2.3", "1.2.3@" + old},
		{"digest", ChartRequest{Digest: old, Version: "ignored"}, old, old},
		{"range", ChartRequest{SemVer: "1.x"}, "1.10.0", "1.10.0@"},
		{"range with a filter", ChartRequest{SemVer: ">=1.0.0", SemVerFilter: `^1\.2\.`}, "1.2.3", "1.2.3@" + old},
		{"build metadata", ChartRequest{Version: "2.0.0+build.1"}, "2.0.0+build.1", "2.0.0_build.1@"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.req.URL, test.req.Insecure = r.url("charts/demo"), true
			got := fetch(t, c, test.req)
			if got.Version != test.version || !strings.HasPrefix(got.Revision, test.revision) || got.Assumed {
				t.Errorf("got %+v, want version %s and revision %s…", got, test.version, test.revision)
			}
			content, err := os.ReadFile(got.Path)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			if want := "sha256:" + hex.EncodeToString(sum[:]); got.Digest != want {
				t.Errorf("digest %s of content %s", got.Digest, want)
			}
		})
	}
}

func TestFetchOnce(t *testing.T) {
	r := newRegistry(t)
	r.push(t, "demo", "1.0.0", chartArchive(t, "demo", "1.0.0", "a: 1"), HelmChartLayer)
	dir := t.TempDir()
	c := newCharts(t, ChartOptions{CacheDir: dir})
	var wg sync.WaitGroup
	for range 43 {
		wg.Go(func() {
			if _, err := c.Fetch(t.Context(), ChartRequest{URL: r.url("demo"), Version: "1.0.0", Insecure: true}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := r.blobs.Load(); n != 1 {
		t.Errorf("the chart was loaded %d times, not once", n)
	}
	// Another process with the same cache loads the manifest, but no content.
	again := newCharts(t, ChartOptions{CacheDir: dir})
	fetch(t, again, ChartRequest{URL: r.url("demo"), Version: "1.0.0", Insecure: true})
	if n := r.blobs.Load(); n != 1 {
		t.Errorf("the chart in the cache was loaded again")
	}
	// Offline the cache alone is enough.
	r.Close()
	offline := newCharts(t, ChartOptions{CacheDir: dir, Offline: true})
	if got := fetch(t, offline, ChartRequest{URL: r.url("demo"), Version: "1.0.0"}); got.Assumed || got.Version != "1.0.0" {
		t.Errorf("from the cache: %+v", got)
	}
}

func TestRegistryThatLies(t *testing.T) {
	r := newRegistry(t)
	r.push(t, "demo", "1.0.0", chartArchive(t, "demo", "1.0.0", "a: 1"), HelmChartLayer)
	other := chartArchive(t, "demo", "1.0.0", "a: evil")
	r.swap.Store(&other)
	c := newCharts(t, ChartOptions{StandIn: true, Embedded: embedded()})
	got, err := c.Fetch(t.Context(), ChartRequest{URL: r.url("demo"), Version: "1.0.0", Insecure: true})
	if err == nil && !got.Assumed {
		t.Fatalf("content of another digest was taken: %+v", got)
	}
}

func TestFetchFails(t *testing.T) {
	r := newRegistry(t)
	r.push(t, "demo", "1.0.0", chartArchive(t, "demo", "1.0.0", "a: 1"), HelmChartLayer)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, test := range []struct {
		name        string
		req         ChartRequest
		unreachable bool
		says        []string
	}{
		{"no such tag", ChartRequest{URL: r.url("demo"), Version: "9.9.9", Insecure: true}, false, []string{r.url("demo"), "9.9.9"}},
		{"no such range", ChartRequest{URL: r.url("demo"), SemVer: "7.x", Insecure: true}, false, []string{"no match found for semver", "7.x"}},
		{"no range", ChartRequest{URL: r.url("demo"), SemVer: "seven", Insecure: true}, false, []string{"seven"}},
		{"no such layer", ChartRequest{URL: r.url("demo"), Version: "1.0.0", Layer: "text/x", Insecure: true}, false, []string{"failed to find layer with media type 'text/x'"}},
		{"nobody there", ChartRequest{URL: strings.Replace(gone.URL, "http", "oci", 1) + "/demo", Version: "1.0.0", Insecure: true}, true, []string{"1.0.0", "cannot be reached"}},
		{"no scheme", ChartRequest{URL: "ghcr.io/x"}, false, []string{"ghcr.io/x", "neither oci:// nor http(s)://"}},
		{"no name", ChartRequest{URL: "https://charts.example"}, false, []string{"needs a name"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCharts(t, ChartOptions{})
			_, err := c.Fetch(t.Context(), test.req)
			if err == nil {
				t.Fatal("it was fetched")
			}
			var unreachable *UnreachableError
			if errors.As(err, &unreachable) != test.unreachable {
				t.Errorf("unreachable = %t of %v", !test.unreachable, err)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestHelmRepository(t *testing.T) {
	archive := chartArchive(t, "demo", "1.2.0", "a: 1")
	sum := sha256.Sum256(archive)
	var password atomic.Value
	password.Store("")
	mux := http.NewServeMux()
	mux.HandleFunc("/stable/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `apiVersion: v1
entries:
  demo:
  - {version: 1.2.0, urls: [charts/demo-1.2.0.tgz], digest: %s}
  - {version: 2.0.0-rc.1, urls: [charts/demo-2.0.0-rc.1.tgz]}
  - {version: 1.0.0, urls: [charts/wrong.tgz], digest: %s}
  - {version: 0.9.0, urls: [charts/page.tgz]}
`, hex.EncodeToString(sum[:]), strings.Repeat("0", 64))
	})
	mux.HandleFunc("/stable/charts/demo-1.2.0.tgz", func(w http.ResponseWriter, r *http.Request) {
		_, p, _ := r.BasicAuth()
		password.Store(p)
		w.Write(archive)
	})
	mux.HandleFunc("/stable/charts/wrong.tgz", func(w http.ResponseWriter, _ *http.Request) { w.Write(archive) })
	mux.HandleFunc("/stable/charts/page.tgz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })
	server := httptest.NewServer(mux)
	defer server.Close()
	dir := t.TempDir()
	for _, test := range []struct{ name, chart, version, want, says string }{
		{"exact", "demo", "1.2.0", "1.2.0", ""},
		{"range", "demo", "~1.2", "1.2.0", ""},
		{"latest is no pre-release", "demo", "", "1.2.0", ""},
		{"no such chart", "nope", "1.2.0", "", `no chart "nope"`},
		{"no such version", "demo", "3.x", "", `no version of chart "demo" that matches "3.x"`},
		{"another digest than the index says", "demo", "1.0.0", "", "where its index says"},
		{"a page", "demo", "0.9.0", "", "is no archive"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCharts(t, ChartOptions{CacheDir: t.TempDir()})
			got, err := c.Fetch(t.Context(), ChartRequest{URL: server.URL + "/stable/", Name: test.chart, Version: test.version})
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Fatalf("got %v, want an error that says %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Version != test.want || got.Revision != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
	c := newCharts(t, ChartOptions{CacheDir: dir})
	fetch(t, c, ChartRequest{URL: server.URL + "/stable", Name: "demo", Version: "1.2.0", Username: "u", Password: "hunter2"})
	if got := password.Load(); got != "hunter2" {
		t.Errorf("the repository's own host was sent the password %q", got)
	}
	server.Close()
	offline := newCharts(t, ChartOptions{CacheDir: dir, Offline: true})
	if got := fetch(t, offline, ChartRequest{URL: server.URL + "/stable", Name: "demo", Version: "1.2.0"}); got.Version != "1.2.0" {
		t.Errorf("offline: %+v", got)
	}
	if _, err := offline.Index(t.Context(), ChartRequest{URL: server.URL + "/stable"}); err != nil {
		t.Errorf("the index is not in the cache: %v", err)
	}
}

func TestMapping(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("mine/Chart.yaml", "apiVersion: v2\nname: mine\nversion: 3.1.4\n")
	write("all/demo/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 2.7.1\n")
	write("empty/README", "nothing")
	// Nothing here may ask the network.
	refuse := roundTripper(func(r *http.Request) (*http.Response, error) { return nil, errors.New("asked " + r.URL.String()) })
	c := newCharts(t, ChartOptions{
		Root: root,
		Mapping: map[string]string{
			"oci://one/mine/":        "mine",
			"https://charts.example": "all",
			"oci://two/app-template": "hearth:app-template",
			"oci://three/empty":      "empty",
			"oci://four/none":        "nowhere",
		},
		Embedded:  embedded(),
		Transport: refuse,
	})
	folder := fetch(t, c, ChartRequest{URL: "oci://one/mine", Version: "1.0.0"})
	if folder.Path != filepath.Join(root, "mine") || folder.Version != "3.1.4" || !strings.HasPrefix(folder.Revision, "3.1.4@sha256:") {
		t.Errorf("a folder: %+v", folder)
	}
	below := fetch(t, c, ChartRequest{URL: "https://charts.example/", Name: "demo", Version: "1.0.0"})
	if below.Path != filepath.Join(root, "all", "demo") || below.Revision != "2.7.1" {
		t.Errorf("a chart's folder below a repository's: %+v", below)
	}
	brought := fetch(t, c, ChartRequest{URL: "oci://two/app-template", Version: "4.4.0"})
	if brought.Version != "4.4.0" || brought.Assumed {
		t.Errorf("a chart of the binary: %+v", brought)
	}
	if got := chartYAML(t, brought.Path); !strings.Contains(got, "version: 4.4.0") || !strings.Contains(got, "name: app-template") {
		t.Errorf("its Chart.yaml says:\n%s", got)
	}
	for url, says := range map[string]string{"oci://three/empty": "no Chart.yaml", "oci://four/none": "no such folder"} {
		if _, err := c.Fetch(t.Context(), ChartRequest{URL: url}); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", url, err)
		}
	}
	write("mine/values.yaml", "a: 1")
	if changed := fetch(t, c, ChartRequest{URL: "oci://one/mine", Version: "1.0.0"}); changed.Digest == folder.Digest {
		t.Error("a change in the folder went unnoticed")
	}
	if _, err := NewCharts(ChartOptions{CacheDir: root, Mapping: map[string]string{"oci://x/y": "hearth:nope"}, Embedded: embedded()}); err == nil {
		t.Error("a mapping to a chart that is not there was taken")
	}
}

func TestStandIn(t *testing.T) {
	r := newRegistry(t)
	r.down.Store(true)
	for _, test := range []struct {
		name    string
		options ChartOptions
		req     ChartRequest
		chart   string
		version string
		says    string
	}{
		{"offline app-template", ChartOptions{Offline: true, StandIn: true}, ChartRequest{URL: "oci://ghcr.example/helm/app-template", Version: "4.4.0"}, "app-template", "4.4.0", "offline"},
		{"offline other", ChartOptions{Offline: true, StandIn: true}, ChartRequest{URL: "oci://quay.example/cilium", Version: "1.20.1"}, "cilium", "1.20.1", "offline"},
		{"range", ChartOptions{Offline: true, StandIn: true}, ChartRequest{URL: "https://charts.example", Name: "demo", Version: ">1.2.0 <2.0.0"}, "demo", "1.2.1", "offline"},
		{"registry down", ChartOptions{StandIn: true}, ChartRequest{URL: r.url("demo"), Version: "v1.0.0", Insecure: true}, "demo", "1.0.0", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			assumptions := &domain.Assumptions{}
			test.options.Embedded, test.options.Assumptions = embedded(), assumptions
			c := newCharts(t, test.options)
			got := fetch(t, c, test.req)
			again := fetch(t, c, test.req)
			if !got.Assumed || got.Version != test.version || !cmp.Equal(got, again) {
				t.Errorf("got %+v, then %+v", got, again)
			}
			meta := chartYAML(t, got.Path)
			if !strings.Contains(meta, "name: "+test.chart+"\n") || !strings.Contains(meta, "version: "+test.version+"\n") {
				t.Errorf("its Chart.yaml says:\n%s", meta)
			}
			list := assumptions.List()
			if len(list) != 1 || list[0].Kind != domain.AssumedChart || !strings.Contains(list[0].Subject, test.req.wanted()) || !strings.Contains(list[0].Reason, test.says) {
				t.Errorf("recorded %+v", list)
			}
		})
	}
	t.Run("not without permission", func(t *testing.T) {
		c := newCharts(t, ChartOptions{Offline: true, Embedded: embedded()})
		_, err := c.Fetch(t.Context(), ChartRequest{URL: "oci://quay.example/cilium", Version: "1.20.1"})
		if err == nil || !strings.Contains(err.Error(), "oci://quay.example/cilium 1.20.1") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not for what the registry refuses", func(t *testing.T) {
		r := newRegistry(t)
		c := newCharts(t, ChartOptions{StandIn: true, Embedded: embedded()})
		if got, err := c.Fetch(t.Context(), ChartRequest{URL: r.url("demo"), Version: "1.0.0", Insecure: true}); err == nil {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("not for other artifacts", func(t *testing.T) {
		c := newCharts(t, ChartOptions{Offline: true, StandIn: true, Embedded: embedded()})
		if got, err := c.Fetch(t.Context(), ChartRequest{URL: "oci://ghcr.example/manifests", NoChart: true}); err == nil {
			t.Errorf("got %+v", got)
		}
	})
}

func TestCacheKeepsNothingBroken(t *testing.T) {
	cache := chartCache{dir: t.TempDir()}
	digest, path, err := cache.put([]byte("whole"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.remember("key", ChartResult{Version: "1", Digest: digest}); err != nil {
		t.Fatal(err)
	}
	if got, ok := cache.lookup("key"); !ok || got.Path != path {
		t.Fatalf("lookup: %+v %t", got, ok)
	}
	if err := os.WriteFile(path, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := cache.lookup("key"); ok {
		t.Error("a broken file was handed out")
	}
	if _, _, err := cache.put([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	if _, ok := cache.lookup("key"); !ok {
		t.Error("a broken file was not mended")
	}
	if _, ok := cache.blob("sha256:../../etc"); ok {
		t.Error("a digest that is a path was taken")
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-block; http.NotFound(w, r) }))
	defer server.Close()
	defer close(block)
	c := newCharts(t, ChartOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Fetch(ctx, ChartRequest{URL: server.URL, Name: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func FuzzVersionFor(f *testing.F) {
	for _, seed := range []string{"1.2.3", "v4", "1.x", ">=1.0.0 <2", "*", "~1.2", "1.2.3_build", "latest", "^0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wanted string) {
		if got := versionFor(ChartRequest{URL: "oci://x/y", Version: wanted}); got == "" {
			t.Errorf("no version for %q", wanted)
		}
	})
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nentries:\n  a:\n  - version: 1.0.0\n"), "a", "1.x")
	f.Add([]byte(`{"entries":{"a":[{"version":"1"}]}}`), "a", "")
	f.Fuzz(func(t *testing.T, content []byte, name, version string) {
		if index, err := parseIndex(ChartRequest{URL: "https://x"}, content, "", ""); err == nil {
			_, _ = index.Find(name, version)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// chartYAML reads the Chart.yaml of an archive.
func chartYAML(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(zip); ; {
		header, err := archive.Next()
		if err != nil {
			t.Fatalf("no Chart.yaml in %s: %v", path, err)
		}
		if strings.Count(header.Name, "/") == 1 && strings.HasSuffix(header.Name, "/Chart.yaml") {
			data, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
	}
}

func TestPackIsReproducible(t *testing.T) {
	a, b := chartArchive(t, "x", "1.0.0", "a: 1"), chartArchive(t, "x", "1.0.0", "a: 1")
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error("the same chart packs differently")
	}
}
