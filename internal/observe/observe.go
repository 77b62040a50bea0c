// Package observe tells a cluster in the domain's language: the state of every
// Kustomization, HelmRelease, ExternalSecret, Pod and HTTPRoute, the
// transitions between states, and the events that follow from them.
//
// Everything is derived from API objects alone: conditions, phases, container
// states and timestamps. No reconciler is asked what it believes, so the
// answer is equally true where Flux and External Secrets reconcile.
//
// The state functions ([KustomizationState] and its siblings) are pure. A
// [Watcher] follows a cluster through informers and records transitions;
// [Read] looks once. A transition that the domain's machine does not allow is
// recorded as off-model, never dropped. Nothing here writes to a cluster, and
// no value of a Secret is read.
//
// # Coalesced observations
//
// An informer may show an object rarely enough for states to go unseen. Where
// the machine leads from the last observed state to the new one through
// transient states only (those that neither arrive nor fail nor end), the
// shortest such way is logged with the unseen states marked as passed. What an
// object proves is part of the way: a container that has terminated has run, a
// failed build was building, and what the proof ends in must be one edge away.
// Where several ways are equally short the transition is logged as one step.
// Only where no way exists it is off-model.
package observe

import (
	"time"

	"hearth/internal/domain"
)

// The kinds that are observed.
const (
	kindKustomization  = "Kustomization"
	kindHelmRelease    = "HelmRelease"
	kindExternalSecret = "ExternalSecret"
	kindPod            = "Pod"
	kindHTTPRoute      = "HTTPRoute"
	kindSecret         = "Secret"
	kindConfigMap      = "ConfigMap"
)

// Standing is what one object says of itself at one moment.
type Standing struct {
	State domain.State
	// Message says why in one line, in the words of whoever set the status. It
	// may hold anything that a cluster holds: escape it for terminals.
	Message string
	// Since is when the object entered the state by its own account, to the
	// second; zero where it does not say.
	Since time.Time
	// Ready says that the object has arrived: Ready for Flux objects and
	// secrets, Running or completed for pods, accepted for routes.
	Ready bool
	// Completed says that all containers of a pod have ended well. Its state
	// is then Running, as the machine has no other.
	Completed bool

	// passed are the states that the object proves to have been in before this
	// one; an edge of the machine should lead from the last of them.
	passed []domain.State
	// round changes whenever the object went round a cycle of its machine and
	// came back to the same state.
	round string
}

// Object is one observed object.
type Object struct {
	domain.Ref
	State   domain.State
	Message string
	// Since is when the object entered its state.
	Since time.Time
	// ReadyAt is when it was first seen Ready; zero if never.
	ReadyAt time.Time
	Ready   bool
	// Suspended says that its reconciler leaves it alone.
	Suspended bool
	Completed bool
	// Owner is the HelmRelease or Kustomization that the object came from;
	// zero where none is known.
	Owner domain.Ref
	// DependsOn are the objects that it waits for, as its spec names them.
	DependsOn []domain.Ref
}

// Presence says whether an object exists.
type Presence int

// Unknown is the answer where one may not look.
const (
	Unknown Presence = iota
	Missing
	Present
)
