package imagecheck

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// world is a registry on loopback.
type world struct {
	host     string
	requests atomic.Int64
	refuse   atomic.Int64 // a status that is answered instead
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if code := w.refuse.Load(); code != 0 {
			rw.WriteHeader(int(code))
			return
		}
		inner.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.host = strings.TrimPrefix(server.URL, "http://")
	return w
}

// image returns an image for an architecture, and pushes it where that is asked for.
func image(t *testing.T, architecture string, tags ...string) v1.Image {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", architecture
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		if err := remote.Write(reference(t, tag), img); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func digestOf(t *testing.T, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func checker(t *testing.T, dir string) *Checker {
	t.Helper()
	c, err := New(Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLook(t *testing.T) {
	w := open(t)
	amd := image(t, "amd64", w.host+"/team/app:v1")
	newer := image(t, "amd64", w.host+"/team/app:v2")
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: newer, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	if err := remote.WriteIndex(reference(t, w.host+"/team/app:multi"), index); err != nil {
		t.Fatal(err)
	}
	c := checker(t, "")
	gone := "sha256:" + strings.Repeat("0", 64)
	for name, test := range map[string]struct {
		q     Question
		want  Verdict
		moved string
	}{
		"tag":                   {Question{Tag: "v1", Platform: "linux/amd64"}, Fine, ""},
		"no such tag":           {Question{Tag: "v9", Platform: "linux/amd64"}, Missing, ""},
		"digest":                {Question{Digest: digestOf(t, amd), Platform: "linux/amd64"}, Fine, ""},
		"no such digest":        {Question{Digest: gone, Platform: "linux/amd64"}, Missing, ""},
		"digest of the tag":     {Question{Tag: "v1", Digest: digestOf(t, amd), Platform: "linux/amd64"}, Fine, ""},
		"digest of another tag": {Question{Tag: "v2", Digest: digestOf(t, amd), Platform: "linux/amd64"}, Fine, digestOf(t, newer)},
		"tag that is gone":      {Question{Tag: "v0", Digest: digestOf(t, amd), Platform: "linux/amd64"}, Fine, "nothing"},
		"index":                 {Question{Tag: "multi", Platform: "linux/arm64"}, Fine, ""},
		"index without it":      {Question{Tag: "multi", Platform: "linux/riscv64"}, OtherPlatform, ""},
		"other platform":        {Question{Tag: "v1", Platform: "linux/arm64"}, OtherPlatform, ""},
	} {
		test.q.Registry, test.q.Repository = w.host, "team/app"
		if a := c.Look(t.Context(), test.q); a.Verdict != test.want || a.Moved != test.moved {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestAnswersAreKept(t *testing.T) {
	w := open(t)
	image(t, "amd64", w.host+"/app:v1")
	dir := t.TempDir()
	q := Question{Registry: w.host, Repository: "app", Tag: "v1", Platform: "linux/amd64"}
	if a := checker(t, dir).Look(t.Context(), q); a.Verdict != Fine {
		t.Fatalf("%+v", a)
	}
	asked := w.requests.Load()
	if a := checker(t, dir).Look(t.Context(), q); a.Verdict != Fine || w.requests.Load() != asked {
		t.Errorf("%+v after %d more requests", a, w.requests.Load()-asked)
	}
}

func TestRefusals(t *testing.T) {
	for code, want := range map[int64]Verdict{401: Denied, 403: Denied, 500: Unknown, 429: Unknown} {
		w := open(t)
		w.refuse.Store(code)
		c := checker(t, t.TempDir())
		q := Question{Registry: w.host, Repository: "app", Tag: "v1", Platform: "linux/amd64"}
		if a := c.Look(t.Context(), q); a.Verdict != want {
			t.Errorf("%d: %+v", code, a)
		}
		if code != 429 {
			continue
		}
		asked := w.requests.Load()
		if a := c.Look(t.Context(), q); a.Reason != errLeftAlone.Error() || w.requests.Load() != asked {
			t.Errorf("a registry that refuses requests as too many is asked again: %+v", a)
		}
	}
}

func TestUnreachableRegistryIsUnknown(t *testing.T) {
	c := checker(t, "")
	a := c.Look(t.Context(), Question{Registry: "127.0.0.1:1", Repository: "app", Tag: "v1", Platform: "linux/amd64"})
	if a.Verdict != Unknown || a.Reason == "" {
		t.Errorf("%+v", a)
	}
}

func TestPrivateRegistriesAreRefused(t *testing.T) {
	w := open(t)
	image(t, "amd64", w.host+"/app:v1")
	asked := w.requests.Load()
	c, err := New(Options{RefusePrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	a := c.Look(t.Context(), Question{Registry: w.host, Repository: "app", Tag: "v1", Platform: "linux/amd64"})
	if a.Verdict != Unknown || !strings.Contains(a.Reason, "is a private address") || w.requests.Load() != asked {
		t.Errorf("%+v after %d requests", a, w.requests.Load()-asked)
	}
}

// Some requests go at once, those behind them one after the other.
func TestRequestsToARegistryAreSpaced(t *testing.T) {
	d, now := &door{}, time.Now()
	for i := range 2 * burst {
		if got, want := d.wait(now), max(time.Duration(i+1-burst)*every, 0); got != want {
			t.Errorf("request %d waits for %s, want %s", i, got, want)
		}
	}
	if got := d.wait(now.Add(burst * every)); got != every {
		t.Errorf("when these have gone, the next one waits for %s", got)
	}
	if got := d.wait(now.Add(time.Hour)); got != 0 {
		t.Errorf("an hour later the next one waits for %s", got)
	}
}
