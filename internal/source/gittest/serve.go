package gittest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/revlist"
)

// Server serves repositories by their path, such as "/home.git".
type Server struct {
	// Lists and Packs count what was asked for.
	Lists, Packs atomic.Int64
	// Plain leaves out what newer servers can: shallow packs, side bands,
	// peeled tags, commits by their hash.
	Plain bool
	// Spoil changes a pack before it is sent; nil leaves it.
	Spoil func(pack []byte) []byte
	// Allow decides about a request over http; nil allows all.
	Allow func(r *http.Request) bool
	// Program serves a repository over ssh in this one's place; nil means this.
	Program func(path string) *exec.Cmd

	t            testing.TB
	mu           sync.Mutex
	repositories map[string]*Repository
}

// NewServer returns a server without repositories.
func NewServer(t testing.TB) *Server {
	return &Server{t: t, repositories: map[string]*Repository{}}
}

// Put serves a repository; nil takes it away.
func (s *Server) Put(path string, r *Repository) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil {
		delete(s.repositories, path)
		return
	}
	s.repositories[path] = r
}

func (s *Server) repository(path string) *Repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repositories[path]
}

// HTTP serves over http until the test ends and returns the URL.
func (s *Server) HTTP() string {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP answers the smart protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Allow != nil && !s.Allow(r) {
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	path, list := strings.CutSuffix(r.URL.Path, "/info/refs")
	if !list {
		path = strings.TrimSuffix(path, "/git-upload-pack")
	}
	repository := s.repository(path)
	if repository == nil {
		http.NotFound(w, r)
		return
	}
	var err error
	if list {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		err = s.list(w, repository, [][]byte{[]byte("# service=git-upload-pack"), pktline.Flush})
	} else {
		err = s.pack(w, r.Body, repository)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) list(w io.Writer, r *Repository, prefix [][]byte) error {
	s.Lists.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	refs := packp.NewAdvRefs()
	refs.Prefix = prefix
	abilities := []capability.Capability{capability.OFSDelta}
	if !s.Plain {
		abilities = append(abilities, capability.Shallow, capability.Sideband64k, capability.MultiACKDetailed, capability.NoProgress, "allow-reachable-sha1-in-want")
	}
	for _, ability := range abilities {
		if err := refs.Capabilities.Set(ability); err != nil {
			return err
		}
	}
	for name, hash := range r.refs {
		refs.References[name] = hash
		if tag, err := object.GetTag(r.storage, hash); err == nil && !s.Plain {
			refs.Peeled[name] = tag.Target
		}
	}
	return refs.Encode(w)
}

func (s *Server) pack(w io.Writer, body io.Reader, r *Repository) error {
	request := packp.NewUploadPackRequest()
	if err := request.UploadRequest.Decode(body); err != nil {
		return err
	}
	done := pktline.NewScanner(body)
	if !done.Scan() || string(bytes.TrimSpace(done.Bytes())) != "done" {
		return fmt.Errorf("not done but %q", done.Bytes())
	}
	s.Packs.Add(1)
	shallow := !request.Depth.IsZero()
	pack, boundary, err := r.pack(request.Wants, shallow)
	if err != nil {
		return errors.Join(err, pktline.NewEncoder(w).Encodef("ERR upload-pack: %s", err))
	}
	if s.Spoil != nil {
		pack = s.Spoil(pack)
	}
	response := packp.NewUploadPackResponseWithPackfile(request, io.NopCloser(strings.NewReader("")))
	response.Shallows = boundary
	if err := response.Encode(w); err != nil {
		return err
	}
	if !request.Capabilities.Supports(capability.Sideband64k) {
		_, err = w.Write(pack)
		return err
	}
	if _, err := sideband.NewMuxer(sideband.Sideband64k, w).Write(pack); err != nil {
		return err
	}
	return pktline.NewEncoder(w).Flush()
}

// pack returns a pack of what is wanted, and which commits come without their
// parents.
func (r *Repository) pack(want []plumbing.Hash, shallow bool) (pack []byte, boundary []plumbing.Hash, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var hashes []plumbing.Hash
	if shallow {
		hashes, boundary, err = r.withoutHistory(want)
	} else {
		hashes, err = revlist.Objects(r.storage, want, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	var buffer bytes.Buffer
	_, err = packfile.NewEncoder(&buffer, r.storage, false).Encode(hashes, 10)
	return buffer.Bytes(), boundary, err
}

func (r *Repository) withoutHistory(want []plumbing.Hash) (hashes, boundary []plumbing.Hash, err error) {
	for _, hash := range want {
		if tag, err := object.GetTag(r.storage, hash); err == nil {
			hashes = append(hashes, hash)
			hash = tag.Target
		}
		commit, err := object.GetCommit(r.storage, hash)
		if err != nil {
			return nil, nil, fmt.Errorf("not our ref %s", hash)
		}
		boundary = append(boundary, hash)
		below, err := revlist.Objects(r.storage, []plumbing.Hash{commit.TreeHash}, nil)
		if err != nil {
			return nil, nil, err
		}
		hashes = append(append(hashes, hash), below...)
	}
	return hashes, boundary, nil
}
