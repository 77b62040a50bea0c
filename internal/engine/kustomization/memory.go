package kustomization

import (
	"context"
	"sync"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// memory is what the reconciler remembers of each Kustomization between
// reconciles. All of it may be lost: then more is done than needed.
type memory struct {
	backoff work.Backoff[types.NamespacedName]
	written objects.Written[*kustomizev1.Kustomization]

	mu      sync.Mutex
	failure map[types.NamespacedName]stamp
	checks  map[types.NamespacedName]*healthCheck
	ledgers map[types.NamespacedName]*ledger
	deleted map[types.NamespacedName]bool
	due     map[types.NamespacedName]time.Time
	// waits are until when others may take objects over.
	waits    map[types.NamespacedName]time.Time
	told     map[types.NamespacedName]map[string]bool
	claimed  map[types.NamespacedName]*claims
	outcomes map[types.NamespacedName]*outcome
}

func newMemory() *memory {
	return &memory{
		failure:  map[types.NamespacedName]stamp{},
		checks:   map[types.NamespacedName]*healthCheck{},
		ledgers:  map[types.NamespacedName]*ledger{},
		deleted:  map[types.NamespacedName]bool{},
		due:      map[types.NamespacedName]time.Time{},
		waits:    map[types.NamespacedName]time.Time{},
		told:     map[types.NamespacedName]map[string]bool{},
		claimed:  map[types.NamespacedName]*claims{},
		outcomes: map[types.NamespacedName]*outcome{},
	}
}

func (m *memory) forget(key types.NamespacedName) {
	m.backoff.Forget(key)
	m.written.Forget(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.failure, key)
	delete(m.checks, key)
	delete(m.ledgers, key)
	delete(m.deleted, key)
	delete(m.due, key)
	delete(m.waits, key)
	delete(m.told, key)
	delete(m.claimed, key)
	delete(m.outcomes, key)
}

// firstTold reports whether something was not told of a Kustomization yet.
func (m *memory) firstTold(key types.NamespacedName, message string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told[key] == nil {
		m.told[key] = map[string]bool{}
	}
	told := m.told[key][message]
	m.told[key][message] = true
	return !told
}

// waitUntil returns until when a Kustomization lets others take its objects
// over, which is so long from when it is first asked.
func (m *memory) waitUntil(key types.NamespacedName, long time.Duration) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, waits := m.waits[key]; !waits {
		m.waits[key] = time.Now().Add(long)
	}
	return m.waits[key]
}

// endWait says that a Kustomization waits for nobody, and may tell all anew.
func (m *memory) endWait(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, waits := m.waits[key]; waits {
		delete(m.waits, key)
		delete(m.told, key)
	}
}

// waitsForTakeover reports whether others are to take objects over.
func (m *memory) waitsForTakeover(key types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, waits := m.waits[key]
	return waits
}

// outcome returns what the last reconcile came to, nil where it is not kept.
func (m *memory) outcome(key types.NamespacedName) *outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outcomes[key]
}

func (m *memory) setOutcome(key types.NamespacedName, o *outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outcomes[key] = o
}

func (m *memory) claims(key types.NamespacedName) *claims {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.claimed[key]
}

func (m *memory) setClaims(key types.NamespacedName, c *claims) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claimed[key] = c
}

// firstDeletion reports whether a deletion was not told of yet.
func (m *memory) firstDeletion(key types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := m.deleted[key]
	m.deleted[key] = true
	return !told
}

// read returns a Kustomization as the cache has it, or as it was last written
// where the cache has yet to learn of that.
func (r *reconciler) read(ctx context.Context, key types.NamespacedName) (*kustomizev1.Kustomization, error) {
	obj := &kustomizev1.Kustomization{}
	if err := r.client.Get(ctx, key, obj); err != nil {
		return nil, err
	}
	return r.memory.written.Latest(obj), nil
}

func (m *memory) failed(key types.NamespacedName, s stamp) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failure[key] != s {
		m.backoff.Forget(key)
	}
	m.failure[key] = s
}

func (m *memory) failedAt(key types.NamespacedName) stamp {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure[key]
}

// succeeded forgets failures. Until the interval is over there is no reason to
// look at the Kustomization again, unless something about it changes.
func (m *memory) succeeded(key types.NamespacedName, interval time.Duration) {
	m.backoff.Forget(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.failure, key)
	delete(m.checks, key)
	delete(m.claimed, key)
	m.due[key] = time.Now().Add(interval)
}

// restFor returns how long a Kustomization that is ready needs no look.
func (m *memory) restFor(key types.NamespacedName) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, waits := m.waits[key]; waits {
		return 0 // whoever it waits for may have woken it
	}
	return time.Until(m.due[key])
}

// lookAgain returns when to look at a Kustomization that is ready: after its
// interval, or sooner where it waits for others to take objects over. Their
// change wakes it, unless it comes while a health check is under way.
func (m *memory) lookAgain(key types.NamespacedName, interval time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, waits := m.waits[key]; waits {
		return min(interval, takeoverLook, max(time.Until(until), time.Second))
	}
	return interval
}

// takeoverLook bounds how long a takeover stays unnoticed.
const takeoverLook = 10 * time.Second

// expire makes a Kustomization due.
func (m *memory) expire(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.due, key)
	delete(m.checks, key)
}

func (m *memory) check(key types.NamespacedName) *healthCheck {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.checks[key]
}

func (m *memory) setCheck(key types.NamespacedName, c *healthCheck) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks[key] = c
}

func (m *memory) dropCheck(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.checks, key)
}

// ledger returns the record of what was applied, an empty one at first.
func (m *memory) ledger(key types.NamespacedName) *ledger {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ledgers[key] == nil {
		m.ledgers[key] = &ledger{}
	}
	return m.ledgers[key]
}
