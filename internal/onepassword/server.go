package onepassword

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"hearth/internal/domain"
)

// connectVersion is the version of Connect whose API the server speaks.
const connectVersion = "1.7.3"

// ServerOptions says what a server serves, and to whom. The zero value is a
// server without vaults.
type ServerOptions struct {
	// Token is one that reads and writes all vaults, beside those that the file
	// names. Empty means a random one; see Server.Token.
	Token string

	// File is a vault file, read by NewServer and by Reload. Empty means none.
	File string

	// Identity is the file with the age identity that opens the vault file;
	// empty is the one of Load.
	Identity string

	// Vaults are served beside those of the file.
	Vaults []Vault

	// Writes says what becomes of items that clients write.
	Writes Writes

	// Assume makes fields up for an item that no vault has, or that lacks them;
	// nil means that nothing is made up. An item without any field does not
	// exist. With Assume, a vault of any name exists. It is called concurrently.
	Assume func(vault, item string) []Field

	// Assumptions records, as item/field, what was made up and handed out.
	Assumptions *domain.Assumptions

	// Reason says in assumptions why values are made up; empty means what the
	// vaults lack.
	Reason string

	// Faults are met by every request while they are on: those of Connect, of
	// its token, of items and of fields. Nil means none.
	Faults *domain.Faults
}

// Writes is what becomes of items that clients write.
type Writes int

const (
	// WritesKept keeps them in memory, over what the vault file says, as long
	// as the server lives.
	WritesKept Writes = iota
	// WritesSaved writes them into the vault file.
	WritesSaved
	// WritesRefused lets nobody write.
	WritesRefused
)

// maxRequestsAtOnce bounds the requests that are worked on at the same time;
// others wait.
const maxRequestsAtOnce = 128

// Server speaks the Connect REST API. It is an http.Handler, and all its
// methods may be called concurrently.
type Server struct {
	options  ServerOptions
	mux      *http.ServeMux
	slots    chan struct{}
	counts   requestCounts
	activity activity
	fault    atomic.Value // Fault

	writing sync.Mutex // held while an item is written

	mu      sync.RWMutex
	vaults  []Vault
	tokens  []Token
	written []written // over what the file says
	changes int       // written since the start
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
		token, _ := NewToken()
		o.Token = token.Reveal()
	}
	s := &Server{
		options: o,
		slots:   make(chan struct{}, maxRequestsAtOnce),
		invited: map[string]Vault{},
		made:    map[string]madeUpItem{},
	}
	s.fault.Store(NoFault)
	s.mux = s.routes()
	return s, s.Reload()
}

// Token returns the token that reads and writes all vaults.
func (s *Server) Token() string { return s.options.Token }

// Reload reads the vault file again. After an error the server goes on with
// what it had.
func (s *Server) Reload() error {
	var content Content
	if s.options.File != "" {
		var err error
		if content, err = Load(s.options.File, s.options.Identity); err != nil {
			return err
		}
	}
	tokens := append(content.Tokens, Token{Name: "hearth", Digest: sha256.Sum256([]byte(s.options.Token)), Write: true})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vaults = append(content.Vaults, s.options.Vaults...)
	for _, w := range s.written {
		s.vaults = w.over(s.vaults)
	}
	s.tokens, s.loaded = tokens, time.Now().UTC().Truncate(time.Second)
	return nil
}

// Vaults returns what is served, without what is made up. It is read only.
func (s *Server) Vaults() []Vault {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.vaults
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-r.Context().Done():
		return
	}
	counted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	counted.Header().Set("1Password-Connect-Version", connectVersion)
	if s.faulty(counted, r) {
		s.counts.add("fault", counted.status)
		return
	}
	s.mux.ServeHTTP(counted, r)
	s.counts.add(r.Pattern, counted.status)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
