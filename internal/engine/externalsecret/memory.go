package externalsecret

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/kube/work"
)

// memory is what the reconciler knows of ExternalSecrets beside their status:
// times finer than a second, and what the cache may not have yet. Nothing is
// lost with it but a read.
type memory struct {
	backoff work.Backoff[types.NamespacedName]

	mu sync.Mutex
	of map[types.NamespacedName]*recollection
}

type recollection struct {
	failed  time.Time // the last failure since the last sync
	synced  time.Time
	waiting bool   // for a store
	written uint64 // resource version of the last status written
	// object is the digest of the object of another kind that the last sync left.
	object [sha256.Size]byte
}

// change applies f to what is known of one ExternalSecret.
func (m *memory) change(key types.NamespacedName, f func(*recollection)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[types.NamespacedName]*recollection{}
	}
	if m.of[key] == nil {
		m.of[key] = &recollection{}
	}
	f(m.of[key])
}

// about returns what is known of one ExternalSecret.
func (m *memory) about(key types.NamespacedName) recollection {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.of[key]; known != nil {
		return *known
	}
	return recollection{}
}

// fail counts a failure and returns the wait before the next try.
func (m *memory) fail(key types.NamespacedName, limit time.Duration) time.Duration {
	m.change(key, func(r *recollection) { r.failed = time.Now() })
	return m.backoff.Next(key, limit)
}

// succeed ends a row of failures; began is when the sync that succeeded did.
func (m *memory) succeed(key types.NamespacedName, began time.Time) {
	m.change(key, func(r *recollection) { r.failed, r.synced = time.Time{}, began })
	m.backoff.Forget(key)
}

func (m *memory) forget(key types.NamespacedName) {
	m.backoff.Forget(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}

// wrote remembers the version of an ExternalSecret whose status was written.
func (m *memory) wrote(es *v1.ExternalSecret) {
	version, err := strconv.ParseUint(es.ResourceVersion, 10, 64)
	if err == nil {
		m.change(client.ObjectKeyFromObject(es), func(r *recollection) { r.written = version })
	}
}

// isStale reports whether an ExternalSecret is older than the status written last.
func (m *memory) isStale(es *v1.ExternalSecret) bool {
	version, err := strconv.ParseUint(es.ResourceVersion, 10, 64)
	return err == nil && version < m.about(client.ObjectKeyFromObject(es)).written
}
