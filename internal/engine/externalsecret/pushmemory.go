package externalsecret

import (
	"fmt"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/api/externalsecrets/v1alpha1"
	"hearth/internal/kube/work"
)

// pushMemory is what the pusher knows of PushSecrets beside their status: the
// hash of what was pushed last. Nothing is lost with it but a push.
type pushMemory struct {
	backoff work.Backoff[types.NamespacedName]

	mu sync.Mutex
	of map[types.NamespacedName]string
}

func (m *pushMemory) about(key types.NamespacedName) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[key]
}

func (m *pushMemory) succeed(key types.NamespacedName, hash string) {
	m.backoff.Forget(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[types.NamespacedName]string{}
	}
	m.of[key] = hash
}

func (m *pushMemory) fail(key types.NamespacedName, limit time.Duration) time.Duration {
	return m.backoff.Next(key, limit)
}

func (m *pushMemory) forget(key types.NamespacedName) {
	m.backoff.Forget(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}

// hashSources tells what is pushed apart.
func hashSources(sources []*corev1.Secret) string {
	all := map[string]any{}
	for _, s := range sources {
		all[s.Name] = []any{s.Data, s.Labels, withoutOwn(s.Annotations), s.Type}
	}
	return hash(all)
}

// versionOf identifies what of a PushSecret a push takes into account.
func versionOf(ps *v1alpha1.PushSecret) string {
	return fmt.Sprintf("%d-%s", ps.Generation, hash([]any{maps.Clone(ps.Labels), maps.Clone(ps.Annotations)}))
}
