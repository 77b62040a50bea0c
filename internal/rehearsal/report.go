package rehearsal

import (
	"encoding/json"
	"time"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
	"hearth/internal/timeline"
)

// Verdict says how a rehearsal ended.
type Verdict string

// The two verdicts; their names are part of the JSON interface.
const (
	Converged Verdict = "Converged"
	Failed    Verdict = "Failed"
)

// Report is what a rehearsal found out. Its JSON form is stable: fields are
// only ever added. Times are seconds from the API server's readiness.
type Report struct {
	Verdict          Verdict             `json:"verdict"`
	WallSeconds      float64             `json:"wallSeconds"`
	PredictedSeconds float64             `json:"predictedSeconds"`
	Cluster          string              `json:"cluster"`
	Revision         string              `json:"revision"`
	Counts           map[string]Count    `json:"counts"`
	Objects          []Object            `json:"objects"`
	CriticalPath     []Step              `json:"criticalPath"`
	Assumptions      []domain.Assumption `json:"assumptions"`
	OffModel         []OffModel          `json:"offModel"`
	// Faults are those that were injected, with what was down when each was
	// lifted, or at the end.
	Faults []Effect `json:"faults,omitempty"`
	// Explanation says why what failed did, as hearth explain -o json has it.
	Explanation json.RawMessage `json:"explanation,omitempty"`
	// Timeline says when each object was in which state.
	Timeline *timeline.Timeline `json:"timeline"`
	// Problems are mistakes of the repository that no object shows: files that
	// could not be read, bootstrap templates that do not render.
	Problems []string `json:"problems"`
	// Incomplete says why the rehearsal ended before it settled: interrupted,
	// or out of time. It is empty otherwise.
	Incomplete string `json:"incomplete,omitempty"`

	kubernetes kubernetes
	tree       []row
	found      *diagnose.Report // nil where nothing failed
}

// Effect says what a fault did: what was not ready just before it was lifted,
// or at the end where it was not.
type Effect struct {
	Fault string `json:"fault"`
	Down  []Down `json:"down"`
}

// Down is an object that was not ready.
type Down struct {
	domain.Ref
	State   domain.State `json:"state"`
	Message string       `json:"message"`
}

// Count says how many objects of a kind there are, and how many are ready.
// Suspended objects count in neither.
type Count struct {
	Total int `json:"total"`
	Ready int `json:"ready"`
}

// Object is one object of the homelab at the end.
type Object struct {
	domain.Ref
	State   domain.State `json:"state"`
	Message string       `json:"message"`
	domain.Place
	// ReadyAfterSeconds is when it was first ready, null if it never was.
	ReadyAfterSeconds *float64 `json:"readyAfterSeconds"`

	ready, suspended bool
}

// Step is one link of the critical path: at real pace it would be ready after
// so many seconds.
type Step struct {
	domain.Ref
	PredictedSeconds float64 `json:"predictedSeconds"`
}

// OffModel is a transition that the domain's machine does not allow.
type OffModel struct {
	domain.Ref
	From domain.State `json:"from"`
	To   domain.State `json:"to"`
}

// kubernetes is what the first line of the text says.
type kubernetes struct {
	version string
	ready   time.Duration
	nodes   int
	path    string
	tree    string
}

// row is a Kustomization in dependency order with what keeps it from Ready.
type row struct {
	object  Object
	after   []string
	waiting []string
	causes  []cause
}

// up reports whether it is ready, and all that it applied.
func (r row) up() bool { return r.object.ready && len(r.causes) == 0 }

// blocked reports whether it only waits for others: for what it depends on, or
// itself applied.
func (r row) blocked() bool { return r.object.ready || len(r.waiting) > 0 }

// cause is one object that is not ready, and where to look.
type cause struct {
	text string
	// about is the object; the zero one where the reason stands elsewhere.
	about domain.Ref
	place domain.Place
}
