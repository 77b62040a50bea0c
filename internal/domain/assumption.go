package domain

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// AssumptionKind says what a rehearsal had to make up.
type AssumptionKind string

// The kinds of assumptions; their names are part of the JSON interface.
const (
	AssumedChart        AssumptionKind = "chart"
	AssumedCRD          AssumptionKind = "crd"
	AssumedSecret       AssumptionKind = "secret"
	AssumedBootstrap    AssumptionKind = "bootstrap"
	AssumedOperator     AssumptionKind = "operator"
	AssumedNode         AssumptionKind = "node"
	AssumedStorageClass AssumptionKind = "storageClass"
	AssumedImage        AssumptionKind = "image"
	AssumedVersion      AssumptionKind = "version"
	AssumedInputs       AssumptionKind = "inputs"
)

// Assumption is one thing that a rehearsal made up, and why. It never holds a
// secret's value.
type Assumption struct {
	Kind    AssumptionKind `json:"kind"`
	Subject string         `json:"subject"`
	Reason  string         `json:"reason"`
}

// Assumptions collects what a rehearsal made up, each subject once per kind.
// The zero value is ready to use; all methods may be called concurrently, and
// on a nil receiver, which records nothing.
type Assumptions struct {
	mu   sync.Mutex
	list []Assumption
	seen map[Assumption]bool
}

// Add records an assumption. The first reason given for a kind and subject is kept.
func (a *Assumptions) Add(kind AssumptionKind, subject, reason string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := Assumption{Kind: kind, Subject: subject}
	if a.seen[key] {
		return
	}
	if a.seen == nil {
		a.seen = map[Assumption]bool{}
	}
	a.seen[key] = true
	a.list = append(a.list, Assumption{Kind: kind, Subject: subject, Reason: reason})
}

// List returns the assumptions, ordered by kind and subject.
func (a *Assumptions) List() []Assumption {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	list := slices.Clone(a.list)
	a.mu.Unlock()
	slices.SortFunc(list, func(x, y Assumption) int {
		return cmp.Or(strings.Compare(string(x.Kind), string(y.Kind)), strings.Compare(x.Subject, y.Subject))
	})
	return list
}
