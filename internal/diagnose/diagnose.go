// Package diagnose goes from what a cluster shows to why: from objects that
// are not as they should be to the few causes behind them, the place in Git
// where each stands, and what puts it right.
//
// A [World] is what is known of a cluster at one moment. It is derived from API
// objects and Events alone, so that the answer is equally true where Flux and
// External Secrets reconcile; a repository is welcome and not needed. A [Cause]
// is one diagnosis and recognises itself in a World; package causes has them
// all. [Explain] asks every cause, follows who waits for whom, and tells each
// cause once, with all that it blocks. An object that only waits for another
// one is a consequence, never a cause.
//
// No value of a Secret is read, and none is told: of Secrets only the names
// are known here, logs are only matched against known sentences, and what
// messages quote of values is left out. Nothing is written to a cluster.
package diagnose

import (
	"time"

	"hearth/internal/domain"
	"hearth/internal/render"
)

// Key names an object whatever the version of its API.
type Key = render.Key

// Cause is one diagnosis. Its name is part of Hearth's interface.
type Cause struct {
	Name string
	// Title says in a few words, without a full stop, what is wrong.
	Title string
	// Symptom, Evidence, Why and Fix say what one sees, what the diagnosis is
	// made from, how the one leads to the other, and what puts it right.
	Symptom, Evidence, Why, Fix string
	// Section names the section of the domain model that the cause is from;
	// empty for those that homelab owners add to it.
	Section string
	// Scenario is the cause's name in the domain's failure scenarios, if any.
	Scenario string
	// Yields says that what the cause sees is told by another finding, wherever
	// one stands upstream of it.
	Yields bool
	// Unless names causes that tell better what is wrong with the same object.
	Unless []string
	// Find reports where the cause is at work.
	Find func(*Search)
}

// Search is one run of one cause over a world.
type Search struct {
	*World
	cause *Cause
	found []*Finding
}

// Report reports a finding; its cause and title are filled in.
func (s *Search) Report(f Finding) {
	f.Cause, f.Title = s.cause.Name, s.cause.Title
	if f.Confidence == "" {
		f.Confidence = High
	}
	if f.Fix == "" {
		f.Fix = s.cause.Fix
	}
	s.found = append(s.found, &f)
}

// Confidence says how sure a finding is.
type Confidence string

// The confidences; their names are part of the JSON interface.
const (
	// High: an object says so itself.
	High Confidence = "high"
	// Medium: it follows from several objects.
	Medium Confidence = "medium"
	// Low: it is what remains once nothing better was found.
	Low Confidence = "low"
)

// Finding is a cause at work.
type Finding struct {
	Cause string `json:"cause"`
	Title string `json:"title"`
	// Subject is where the cause sits.
	Subject Key `json:"-"`
	// Sentence says what is wrong, with names.
	Sentence string     `json:"sentence"`
	Evidence []Evidence `json:"evidence"`
	// Explains are the objects whose trouble is this cause's direct doing.
	Explains []Key `json:"-"`
	// At says what to look up in Git; the subject where it is zero.
	At Locus `json:"-"`
	// Place is where the cause stands in Git; unknown without a repository.
	Place domain.Place `json:"-"`
	// Commit brought the line at Place; nil where that is not known.
	Commit     *Commit    `json:"commit,omitempty"`
	Fix        string     `json:"fix"`
	Commands   []string   `json:"commands"`
	Confidence Confidence `json:"confidence"`
	// Blocked are the objects in trouble because of it, in order.
	Blocked []Affected `json:"blocked"`
}

// Evidence is one thing that a finding rests on.
type Evidence struct {
	Object domain.Ref `json:"object"`
	// Field is the field, condition or event that says it.
	Field string `json:"field"`
	// Text is what it says; it may hold anything but control characters.
	Text string    `json:"text"`
	Time time.Time `json:"time,omitzero"`
}

// Locus says what to look up in Git: an object, and in it a field or the first
// line that mentions a text.
type Locus struct {
	Key   Key
	Field []string
	Text  string
}

// Affected is an object in trouble.
type Affected struct {
	Object  domain.Ref   `json:"object"`
	State   domain.State `json:"state"`
	Message string       `json:"message,omitempty"`
	Since   time.Time    `json:"since,omitzero"`
}

// Unexplained is an object in trouble for which no cause was found.
type Unexplained struct {
	Affected
	// LookedAt says what was looked at.
	LookedAt []string `json:"lookedAt"`
	// Blocked are the objects that wait for it.
	Blocked  []Affected   `json:"blocked,omitempty"`
	Place    domain.Place `json:"-"`
	Commands []string     `json:"commands"`
}

// Report is what was found.
type Report struct {
	Findings    []*Finding     `json:"findings"`
	Unexplained []*Unexplained `json:"unexplained"`
	// Objects counts what was looked at; Unseen says what could not be.
	Objects int      `json:"objects"`
	Unseen  []string `json:"unseen,omitempty"`
	// Down is what [World.Down] returns, whatever the report is limited to.
	Down []Affected `json:"-"`
}

// Healthy reports whether nothing is wrong.
func (r *Report) Healthy() bool { return len(r.Findings)+len(r.Unexplained) == 0 }

// RefOf returns a key as the domain names objects.
func RefOf(k Key) domain.Ref {
	return domain.Ref{Kind: k.Kind, Namespace: k.Namespace, Name: k.Name}
}
