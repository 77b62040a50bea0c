package onepassword

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// access is one request's: who asks, and what was reached for.
type access struct {
	token   Token
	vault   string
	item    string
	version int
}

type accessKey struct{}

// accessOf returns the access of a request that guarded let through.
func accessOf(r *http.Request) *access { return r.Context().Value(accessKey{}).(*access) }

// guarded lets a request through that bears a token, and notes what it did.
func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		borne, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.RLock()
		tokens := s.tokens
		s.mu.RUnlock()
		token := tokenOf(tokens, borne, time.Now())
		if token == nil || !ok {
			fail(w, http.StatusUnauthorized, "Invalid bearer token")
			return
		}
		a := &access{token: *token}
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h(answer, r.WithContext(context.WithValue(r.Context(), accessKey{}, a)))
		if a.vault != "" {
			s.activity.add(a, r, answer.status)
		}
	}
}

// guardedWrite lets a request through that may, besides, write.
func (s *Server) guardedWrite(h http.HandlerFunc) http.HandlerFunc {
	return s.guarded(func(w http.ResponseWriter, r *http.Request) {
		if s.options.Writes == WritesRefused || !accessOf(r).token.Write {
			accessOf(r).vault = r.PathValue("vault")
			fail(w, http.StatusForbidden, "The token is not authorized to write")
			return
		}
		h(w, r)
	})
}

// vaultOf returns the vault that a request names, or answers that there is
// none, or none for its token.
func (s *Server) vaultOf(w http.ResponseWriter, r *http.Request) (Vault, bool) {
	id := r.PathValue("vault")
	if !IsID(id) {
		fail(w, http.StatusBadRequest, "Invalid Vault UUID")
		return Vault{}, false
	}
	v, ok := s.vaultByID(id)
	if !ok {
		fail(w, http.StatusNotFound, fmt.Sprintf("vault %s not found", id))
		return v, false
	}
	a := accessOf(r)
	a.vault = v.ID
	if !a.token.reaches(v) {
		fail(w, http.StatusForbidden, fmt.Sprintf("vault %s is not in scope", id))
		return v, false
	}
	return v, true
}

func (s *Server) vaultByID(id string) (Vault, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.vaults {
		if v.ID == id {
			return v, true
		}
	}
	v, ok := s.invited[id]
	return v, ok
}
