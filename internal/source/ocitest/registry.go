// Package ocitest is an OCI registry on loopback, and what stands in one, for
// tests: artifacts, and signatures as cosign makes them.
package ocitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Registry is a real registry that counts what it serves.
type Registry struct {
	t     testing.TB
	front *httptest.Server
	back  *httptest.Server // asks for nothing: for pushing

	// Requests, Manifests and Blobs count what was asked for; Manifests only
	// those that were sent whole.
	Requests, Manifests, Blobs atomic.Int64
	// Username and Password, where set, are asked for.
	Username, Password string
	// Spoil may answer in place of the registry; it reports whether it did.
	Spoil func(w http.ResponseWriter, r *http.Request) bool
}

// New starts a registry that speaks plain HTTP.
func New(t testing.TB) *Registry {
	r := newRegistry(t)
	r.front = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.front.Close)
	return r
}

// NewTLS starts a registry that speaks TLS, and asks for a client's certificate
// where that is wanted.
func NewTLS(t testing.TB, client tls.ClientAuthType) *Registry {
	r := newRegistry(t)
	r.front = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.front.TLS = &tls.Config{ClientAuth: client}
	r.front.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.front.StartTLS()
	t.Cleanup(r.front.Close)
	return r
}

func newRegistry(t testing.TB) *Registry {
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	r := &Registry{t: t, back: httptest.NewServer(registry.New(quiet, registry.WithReferrersSupport(true)))}
	t.Cleanup(r.back.Close)
	return r
}

// Server is what clients speak to.
func (r *Registry) Server() *httptest.Server { return r.front }

func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	r.Requests.Add(1)
	if username, password, _ := req.BasicAuth(); r.Password != "" && (username != r.Username || password != r.Password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
		return
	}
	if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/manifests/") {
		r.Manifests.Add(1)
	}
	if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/") {
		r.Blobs.Add(1)
	}
	if r.Spoil == nil || !r.Spoil(w, req) {
		r.back.Config.Handler.ServeHTTP(w, req)
	}
}

// Host is the registry's host and port.
func (r *Registry) Host() string { return strings.SplitN(r.front.URL, "://", 2)[1] }

// URL is that of one of the registry's repositories.
func (r *Registry) URL(repository string) string { return "oci://" + r.Host() + "/" + repository }

// Repository names a repository for pushing.
func (r *Registry) Repository(repository string) name.Repository {
	r.t.Helper()
	found, err := name.NewRepository(strings.TrimPrefix(r.back.URL, "http://")+"/"+repository, name.Insecure)
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// Layer is one layer of an artifact.
type Layer struct {
	MediaType string
	Content   []byte
}

// FluxLayer is the media type of a layer that flux push makes.
const FluxLayer = "application/vnd.cncf.flux.content.v1.tar+gzip"

// Push puts an artifact at a tag.
func (r *Registry) Push(repository, tag string, annotations map[string]string, layers ...Layer) v1.Hash {
	r.t.Helper()
	image := Image(r.t, annotations, layers...)
	r.Put(r.Repository(repository).Tag(tag), image)
	return Digest(r.t, image)
}

// Put puts a manifest at a reference.
func (r *Registry) Put(at name.Reference, image v1.Image) {
	r.t.Helper()
	if err := remote.Write(at, image); err != nil {
		r.t.Fatal(err)
	}
}

// Image makes an artifact.
func Image(t testing.TB, annotations map[string]string, layers ...Layer) v1.Image {
	t.Helper()
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, layer := range layers {
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(layer.Content, types.MediaType(layer.MediaType))); err != nil {
			t.Fatal(err)
		}
	}
	return mutate.Annotations(image, annotations).(v1.Image)
}

// Digest is that of an artifact's manifest.
func Digest(t testing.TB, image v1.Image) v1.Hash {
	t.Helper()
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// TarGz packs files of these names and contents.
func TarGz(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var headers []tar.Header
	for _, name := range slices.Sorted(maps.Keys(files)) {
		headers = append(headers, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[name]))})
	}
	return Pack(t, headers, files)
}

// Pack packs entries the way they are given.
func Pack(t testing.TB, headers []tar.Header, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for _, header := range headers {
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(archive, files[header.Name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
