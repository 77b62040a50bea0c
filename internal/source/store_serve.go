package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Serve serves the store's artifacts on a free loopback port until ctx ends,
// and makes the URLs that Artifact returns point there. It returns once the
// port is open.
func (s *Store) Serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve artifacts on loopback: %w", err)
	}
	s.mu.Lock()
	s.url = "http://" + listener.Addr().String()
	s.mu.Unlock()
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go server.Serve(listener)
	go s.keepCollecting(ctx)
	return nil
}

// served matches the last element of an artifact's path.
var served = regexp.MustCompile(`^([0-9a-f]{64})(\.tar\.gz|-.+)$`)

// Handler serves artifacts at the paths that Artifact returns.
func (s *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{kind}/{namespace}/{name}/{file}", func(w http.ResponseWriter, r *http.Request) {
		match := served.FindStringSubmatch(r.PathValue("file"))
		if match == nil {
			http.NotFound(w, r)
			return
		}
		digest := "sha256:" + match[1]
		if file, err := s.File(digest); err == nil {
			http.ServeFile(w, r, file)
			return
		}
		dir, err := s.Dir(digest)
		if errors.Is(err, ErrNotStored) {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, "the artifact cannot be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/gzip")
		if r.Method == http.MethodHead {
			return
		}
		if err := writeTarGz(w, dir); err != nil {
			panic(http.ErrAbortHandler) // a reader must not take half an artifact for a whole one
		}
	})
	return mux
}

// writeTarGz writes a stored folder as the tar.gz its digest is of.
func writeTarGz(w io.Writer, dir string) error {
	zip, tar := newTarGz(w)
	var add func(rel string) error
	add = func(rel string) error {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		sortEntries(entries)
		for _, entry := range entries {
			child := entry.Name()
			if rel != "" {
				child = rel + "/" + child
			}
			if entry.IsDir() {
				if err := add(child); err != nil {
					return err
				}
				continue
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if err := tar.WriteHeader(tarHeader(child, info.Mode()&0o100 != 0, info.Size())); err != nil {
				return err
			}
			if err := copyFile(tar, filepath.Join(dir, filepath.FromSlash(child))); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(""); err != nil {
		return err
	}
	return errors.Join(tar.Close(), zip.Close())
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
