package reloader

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// source is a Secret or ConfigMap.
type source struct {
	kind string // Secret or ConfigMap
	types.NamespacedName
}

func sourceOf(obj client.Object) source {
	kind := "ConfigMap"
	if _, ok := obj.(*corev1.Secret); ok {
		kind = "Secret"
	}
	return source{kind, client.ObjectKeyFromObject(obj)}
}

// change is a source whose content is another than before.
type change struct {
	source
	version     string // the source's resource version
	annotations map[string]string
}

// maxGone bounds how many deleted sources are remembered, to be compared with
// those that take their place.
const maxGone = 1000

// ledger knows what the sources hold, by digests, and which changes have not
// been acted upon. Its methods may be called concurrently.
type ledger struct {
	mu      sync.Mutex
	digests map[source][sha256.Size]byte
	left    []source // deleted ones, the oldest first
	changes map[string]map[source]change
	debts   map[string]map[workloadKey][]change
	waits   map[string]func() // ends of timers that run until changes are taken
}

func newLedger() *ledger {
	return &ledger{
		digests: map[source][sha256.Size]byte{},
		changes: map[string]map[source]change{},
		debts:   map[string]map[workloadKey][]change{},
		waits:   map[string]func(){},
	}
}

// see takes a source as it is now, and reports whether it changed.
func (l *ledger) see(obj client.Object) bool {
	if s, ok := obj.(*corev1.Secret); ok && s.Type == "helm.sh/release.v1" {
		return false // what Helm remembers; no pod reads it
	}
	key, digest := sourceOf(obj), digestOf(obj)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = slices.DeleteFunc(l.left, func(s source) bool { return s == key })
	before, known := l.digests[key]
	l.digests[key] = digest
	if !known || before == digest {
		return false
	}
	if l.changes[key.Namespace] == nil {
		l.changes[key.Namespace] = map[source]change{}
	}
	l.changes[key.Namespace][key] = change{key, obj.GetResourceVersion(), obj.GetAnnotations()}
	return true
}

// gone remembers a deleted source for a while.
func (l *ledger) gone(obj client.Object) {
	key := sourceOf(obj)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.digests[key]; !known {
		return
	}
	l.left = append(l.left, key)
	if len(l.left) > maxGone {
		delete(l.digests, l.left[0])
		l.left = l.left[1:]
	}
}

// await runs a timer until the changes in a namespace are taken, so that
// whoever waits for quiet waits for the restarts, too.
func (l *ledger) await(namespace string, timer func() (done func())) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits[namespace] == nil {
		l.waits[namespace] = timer()
	}
}

// take returns the changes in a namespace, and forgets them.
func (l *ledger) take(namespace string) []change {
	l.mu.Lock()
	defer l.mu.Unlock()
	if done := l.waits[namespace]; done != nil {
		done()
		delete(l.waits, namespace)
	}
	taken := slices.Collect(maps.Values(l.changes[namespace]))
	delete(l.changes, namespace)
	sortChanges(taken)
	return taken
}

// owe notes that a workload is to be restarted.
func (l *ledger) owe(w workloadKey, causes []change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.debts[w.Namespace] == nil {
		l.debts[w.Namespace] = map[workloadKey][]change{}
	}
	all := l.debts[w.Namespace][w]
	for _, c := range causes {
		all = append(slices.DeleteFunc(all, func(old change) bool { return old.source == c.source }), c)
	}
	sortChanges(all)
	l.debts[w.Namespace][w] = all
}

// owed returns the workloads of a namespace that are to be restarted, and why.
func (l *ledger) owed(namespace string) map[workloadKey][]change {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.debts[namespace])
}

// settle forgets a debt.
func (l *ledger) settle(w workloadKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.debts[w.Namespace], w)
	if len(l.debts[w.Namespace]) == 0 {
		delete(l.debts, w.Namespace)
	}
}

func sortChanges(list []change) {
	slices.SortFunc(list, func(a, b change) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.Name, b.Name)) })
}

// digestOf tells the contents of sources apart.
func digestOf(obj client.Object) [sha256.Size]byte {
	h := sha256.New()
	write := func(b []byte) {
		h.Write(binary.AppendUvarint(nil, uint64(len(b))))
		h.Write(b)
	}
	part := func(values map[string][]byte) {
		h.Write(binary.AppendUvarint(nil, uint64(len(values))))
		for _, key := range slices.Sorted(maps.Keys(values)) {
			write([]byte(key))
			write(values[key])
		}
	}
	switch obj := obj.(type) {
	case *corev1.Secret:
		part(obj.Data)
	case *corev1.ConfigMap:
		text := make(map[string][]byte, len(obj.Data))
		for key, value := range obj.Data {
			text[key] = []byte(value)
		}
		part(text)
		part(obj.BinaryData)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
