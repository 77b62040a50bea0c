package oci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"hearth/internal/source/ocitest"
)

// load reads the layer of an artifact that has one of the media types.
func load(ctx context.Context, repository *Repository, digest v1.Hash, mediaTypes ...string) ([]byte, error) {
	artifact, err := repository.Artifact(ctx, digest)
	if err != nil {
		return nil, err
	}
	layer, err := artifact.Select(mediaTypes...)
	if err != nil {
		return nil, err
	}
	content, err := artifact.Open(ctx, layer)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}

func TestLayers(t *testing.T) {
	r := ocitest.New(t)
	home := open(t, r, "home")
	notes := map[string]string{"org.opencontainers.image.source": "https://example.org"}
	digest := r.Push("home", "1", notes, ocitest.Layer{MediaType: "text/one", Content: []byte("one")}, ocitest.Layer{MediaType: "text/two", Content: []byte("two")})
	for name, test := range map[string]struct {
		types []string
		want  string
	}{
		"the first":             {[]string{""}, "one"},
		"by its type":           {[]string{"text/two"}, "two"},
		"the best of several":   {[]string{"text/two", ""}, "two"},
		"or else any":           {[]string{"text/three", ""}, "one"},
		"one that is not there": {[]string{"text/three"}, ""},
	} {
		got, err := load(t.Context(), home, digest, test.types...)
		if string(got) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	artifact, err := home.Artifact(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(notes, artifact.Annotations); diff != "" {
		t.Error(diff)
	}
	if _, err := load(t.Context(), home, r.Push("home", "2", nil), ""); err == nil || !strings.Contains(err.Error(), "no layers found") {
		t.Errorf("of no layers: %v", err)
	}
	large := map[string]string{"note": strings.Repeat("x", maxAnnotations+1)}
	if _, err := home.Artifact(t.Context(), r.Push("home", "3", large)); err == nil || !errors.Is(err, ErrAnswer) {
		t.Errorf("of large annotations: %v", err)
	}
}

func TestARegistryThatLies(t *testing.T) {
	content := bytes.Repeat([]byte("content "), 1000)
	blob := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
	}
	manifest := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/")
	}
	send := func(is func(*http.Request) bool, body []byte, length int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !is(r) {
				return false
			}
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			if length >= 0 {
				w.Header().Set("Content-Length", strconv.Itoa(length))
			} else {
				w.(http.Flusher).Flush() // in chunks, of no known length
			}
			w.Write(body)
			return true
		}
	}
	other := bytes.ToUpper(content)
	for name, spoil := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"another layer":                   send(blob, other, len(other)),
		"another layer of no said length": send(blob, other, -1),
		"a layer that is cut":             send(blob, content[:100], -1),
		"a layer that is cut off":         send(blob, content[:100], len(content)),
		"a layer that goes on":            send(blob, append(bytes.Clone(content), content...), -1),
		"another manifest":                send(manifest, []byte(`{"schemaVersion":2,"layers":[]}`), -1),
		"a manifest that is no JSON":      send(manifest, []byte(`<html>`), -1),
		"a manifest without end":          send(manifest, bytes.Repeat([]byte(" "), 64<<20), -1),
		"a manifest of deep nesting":      send(manifest, bytes.Repeat([]byte("["), 1<<20), -1),
		"a refusal that goes on": func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			w.Write(bytes.Repeat([]byte("no "), 1<<20))
			return true
		},
		"a redirect round and round": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
			return true
		},
		"a redirect to metadata": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocitest.New(t)
			home := open(t, r, "home")
			digest := r.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: content})
			if got, err := load(t.Context(), home, digest, ""); err != nil || !bytes.Equal(got, content) {
				t.Fatalf("unspoiled: %d bytes, %v", len(got), err)
			}
			r.Spoil = spoil
			got, err := load(t.Context(), open(t, r, "home"), digest, "")
			if err == nil {
				t.Errorf("%d bytes were taken", len(got))
			} else if len(err.Error()) > 64<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestAManifestThatLiesAboutASize(t *testing.T) {
	r := ocitest.New(t)
	content := []byte("content")
	digest := r.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: content})
	artifact, err := open(t, r, "home").Artifact(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{1, 100, -1, MaxLayer + 1} {
		artifact.Layers[0].Size = size
		layer, err := artifact.Select("")
		if err == nil {
			var body io.ReadCloser
			if body, err = artifact.Open(t.Context(), layer); err == nil {
				_, err = io.ReadAll(body)
				body.Close()
			}
		}
		if err == nil {
			t.Errorf("a layer of %d bytes was taken for one of %d", len(content), size)
		}
	}
}

func TestARegistryThatNeverAnswers(t *testing.T) {
	r := ocitest.New(t)
	push(t, r, "1", "1")
	asked, release := make(chan struct{}, 100), make(chan struct{})
	t.Cleanup(func() { close(release) })
	r.Spoil = func(_ http.ResponseWriter, req *http.Request) bool {
		asked <- struct{}{}
		select {
		case <-release:
		case <-req.Context().Done():
		}
		return true
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(context.DeadlineExceeded)
	}()
	if _, err := open(t, r, "home").Resolve(ctx, Ref{Tag: "1"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	short, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := open(t, r, "home").Resolve(short, Ref{SemVer: "1.x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
