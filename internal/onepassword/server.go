package onepassword

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"hearth/internal/domain"
)

// connectVersion is the version of Connect whose API the server speaks.
const connectVersion = "1.7.3"

// ServerOptions says what a server serves, and to whom. The zero value is a
// server without vaults.
type ServerOptions struct {
	// Token is what clients must bear. Empty means a random one; see Server.Token.
	Token string

	// File is a vault file, read by NewServer and by Reload. Empty means none.
	File string

	// Vaults are served beside those of the file.
	Vaults []Vault

	// Assume makes fields up for an item that no vault has, or that lacks them;
	// nil means that nothing is made up. An item without any field does not
	// exist. With Assume, a vault of any name exists. It is called concurrently.
	Assume func(vault, item string) []Field

	// Assumptions records, as item/field, what was made up and handed out.
	Assumptions *domain.Assumptions
}

// Server speaks the Connect REST API. It is an http.Handler, and all its
// methods may be called concurrently.
type Server struct {
	options ServerOptions
	token   [sha256.Size]byte
	mux     *http.ServeMux
	counts  requestCounts

	mu      sync.RWMutex
	vaults  []Vault
	loaded  time.Time
	invited map[string]Vault      // vaults made up, by id
	made    map[string]madeUpItem // items made up, by id
}

// madeUpItem says where an item that was made up is asked for.
type madeUpItem struct{ vault, title string }

// NewServer returns a server that does not listen yet. A fault in the vault
// file is a *FileError.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Token == "" {
		random := make([]byte, 32)
		rand.Read(random) //nolint:errcheck // never fails
		o.Token = hex.EncodeToString(random)
	}
	s := &Server{
		options: o,
		token:   sha256.Sum256([]byte(o.Token)),
		invited: map[string]Vault{},
		made:    map[string]madeUpItem{},
	}
	s.mux = s.routes()
	return s, s.Reload()
}

// Token returns what clients must bear.
func (s *Server) Token() string { return s.options.Token }

// Reload reads the vault file again. After an error the server goes on with
// what it had.
func (s *Server) Reload() error {
	vaults := append([]Vault{}, s.options.Vaults...)
	if s.options.File != "" {
		fromFile, err := ReadFile(s.options.File)
		if err != nil {
			return err
		}
		vaults = append(fromFile, vaults...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vaults, s.loaded = vaults, time.Now().UTC().Truncate(time.Second)
	return nil
}

// Vaults returns what is served, without what is made up. It is read only.
func (s *Server) Vaults() []Vault {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.vaults
}

// Listen serves on a loopback address, such as "127.0.0.1:0", until ctx ends,
// and returns the URL once it can be reached. Done is closed when all has
// ended.
func (s *Server) Listen(ctx context.Context, address string) (url string, done <-chan struct{}, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: it hands secrets out in clear text and listens on loopback only", address)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("serve 1Password Connect on %q: %w", address, err)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			server.Close()
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return "http://" + listener.Addr().String(), ended, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	counted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	counted.Header().Set("1Password-Connect-Version", connectVersion)
	s.mux.ServeHTTP(counted, r)
	s.counts.add(r.Pattern, counted.status)
}

// guarded lets a request through that bears the token.
func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		given := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(given[:], s.token[:]) != 1 || !ok {
			fail(w, http.StatusUnauthorized, "Invalid bearer token")
			return
		}
		h(w, r)
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
