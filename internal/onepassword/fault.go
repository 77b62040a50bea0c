package onepassword

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hearth/internal/domain"
)

// Fault is something that is made to go wrong with a server, to see what
// those who depend on it make of it.
type Fault string

// The faults.
const (
	NoFault          Fault = ""
	FaultTokenExpiry Fault = "token-expired" // every token is refused
	FaultRateLimit   Fault = "rate-limited"  // every request is one too many
	FaultDown        Fault = "down"          // connections end without an answer
	FaultSlow        Fault = "slow"          // answers come later than anybody waits
	FaultError       Fault = "server-error"  // every answer is an internal error
	FaultGarbage     Fault = "garbage"       // every answer is the HTML of something else
)

// Faults returns all of them but NoFault.
func Faults() []Fault {
	return []Fault{FaultTokenExpiry, FaultRateLimit, FaultDown, FaultSlow, FaultError, FaultGarbage}
}

// ParseFault reads the name of a fault; empty is none.
func ParseFault(name string) (Fault, error) {
	if fault := Fault(name); fault == NoFault || slices.Contains(Faults(), fault) {
		return fault, nil
	}
	names := make([]string, 0, len(Faults()))
	for _, f := range Faults() {
		names = append(names, string(f))
	}
	return NoFault, fmt.Errorf("there is no fault %q: choose one of %s", name, strings.Join(names, ", "))
}

// SetFault makes every request from now on meet the fault, until another one,
// or NoFault, is set. It goes before those of ServerOptions.Faults.
func (s *Server) SetFault(f Fault) { s.fault.Store(f) }

// faultOf says what the kinds of faults that befall a whole server are here.
var faultOf = map[domain.FaultKind]Fault{
	domain.FaultConnectDown:        FaultDown,
	domain.FaultConnectSlow:        FaultSlow,
	domain.FaultConnectGarbage:     FaultGarbage,
	domain.FaultConnectRateLimited: FaultRateLimit,
	domain.FaultTokenExpired:       FaultTokenExpiry,
}

// Concerns reports whether faults of a kind befall Connect servers, what they
// hold, or those who ask them.
func Concerns(kind domain.FaultKind) bool {
	return faultOf[kind] != NoFault || kind == domain.FaultItemMissing || kind == domain.FaultFieldMissing || kind == domain.FaultRotate
}

// current returns the fault that a request meets now. A server that is down
// can be nothing else; otherwise the one that began first counts.
func (s *Server) current() Fault {
	if set := s.fault.Load().(Fault); set != NoFault {
		return set
	}
	found := NoFault
	for _, active := range s.options.Faults.Active() {
		fault := faultOf[active.Kind]
		if fault == FaultDown || found == NoFault {
			found = cmp.Or(fault, found)
		}
	}
	return found
}

// slowness is how long an answer of FaultSlow takes: longer than the time-outs
// of clients.
const slowness = time.Minute

// dawdle lets time pass, and reports whether the fault ended before it did.
func (s *Server) dawdle(r *http.Request) (ended bool) {
	changed, stop := s.options.Faults.Changes()
	defer stop()
	timer := time.NewTimer(slowness)
	defer timer.Stop()
	for s.current() == FaultSlow {
		select {
		case <-r.Context().Done():
			return false
		case <-timer.C:
			return false
		case <-changed:
		}
	}
	return true
}

// faulty lets a request meet the fault that is set, and reports whether that
// was its answer.
func (s *Server) faulty(w http.ResponseWriter, r *http.Request) bool {
	switch s.current() {
	case FaultTokenExpiry:
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			return false
		}
		fail(w, http.StatusUnauthorized, "Token expired")
	case FaultRateLimit:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "Too many requests")
	case FaultDown:
		panic(http.ErrAbortHandler) // ends the connection, and is not logged
	case FaultSlow:
		if s.dawdle(r) {
			return s.faulty(w, r)
		}
		fail(w, http.StatusGatewayTimeout, "Timed out")
	case FaultError:
		fail(w, http.StatusInternalServerError, "Internal server error")
	case FaultGarbage:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Sign in</title>")
	default:
		return false
	}
	return true
}
