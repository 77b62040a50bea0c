package kustomization

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
)

// ledger remembers, for one Kustomization, what was asked for with each object
// and what the server had afterwards. As long as both are the same there is no
// drift, and nothing to ask the server. An object without a generation is
// known by its resource version, every other by its generation, labels and
// annotations, which a mere change of status leaves alone.
type ledger struct {
	mu      sync.Mutex
	entries map[objects.Key]entry
	noted   map[objects.Key]trace // as answered during the apply under way
	// repeated are the objects that the apply under way asks for as before.
	repeated map[objects.Key]bool
	// generation of the Kustomization: another one may ignore other fields.
	generation int64
}

// begin opens the ledger for one apply.
func (l *ledger) begin(generation int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.generation != generation {
		l.entries = nil
	}
	l.generation, l.noted, l.repeated = generation, nil, map[objects.Key]bool{}
}

// repeats reports whether the apply under way asks for an object as before.
func (l *ledger) repeats(key objects.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.repeated[key]
}

type entry struct {
	asked [sha256.Size]byte
	trace
}

// trace is what tells a changed object from an unchanged one.
type trace struct {
	uid, version        string
	generation          int64
	labels, annotations map[string]string
}

func traceOf(obj client.Object) trace {
	return trace{string(obj.GetUID()), obj.GetResourceVersion(), obj.GetGeneration(), obj.GetLabels(), obj.GetAnnotations()}
}

func (t trace) same(o trace) bool {
	if t.uid != o.uid || t.generation != o.generation {
		return false
	}
	if t.generation == 0 {
		return t.version == o.version
	}
	return maps.Equal(t.labels, o.labels) && maps.Equal(t.annotations, o.annotations)
}

// unchanged reports whether an object surely is as it was last applied.
func (l *ledger) unchanged(ctx context.Context, r *reconciler, obj *unstructured.Unstructured) bool {
	key := objects.KeyOf(obj)
	l.mu.Lock()
	known, ok := l.entries[key]
	l.mu.Unlock()
	if !ok || known.asked != ask(obj) {
		return false
	}
	l.mu.Lock()
	if l.repeated != nil {
		l.repeated[key] = true
	}
	l.mu.Unlock()
	return l.intact(ctx, r, key)
}

// intact reports whether an object surely is as it was last applied, whatever
// is asked for now. What cannot be read is not.
func (l *ledger) intact(ctx context.Context, r *reconciler, key objects.Key) bool {
	l.mu.Lock()
	known, ok := l.entries[key]
	l.mu.Unlock()
	if !ok {
		return false
	}
	live, err := r.cached(ctx, key)
	return err == nil && live.GetDeletionTimestamp() == nil && known.same(traceOf(live))
}

// cached reads an object from the shared cache, to look at only. Definitions
// are large, and only their metadata is cached.
func (r *reconciler) cached(ctx context.Context, key objects.Key) (client.Object, error) {
	if key.GroupKind() != crdKind.GroupKind() {
		return r.o.Objects.Peek(ctx, key)
	}
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(key.GroupVersionKind)
	return meta, r.client.Get(ctx, key.NamespacedName, meta)
}

// note keeps what the server answered to an apply or its dry run.
func (l *ledger) note(obj *unstructured.Unstructured) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.noted == nil {
		l.noted = map[objects.Key]trace{}
	}
	l.noted[objects.KeyOf(obj)] = traceOf(obj)
}

// commit takes over the answers for a stage that succeeded as a whole.
func (l *ledger) commit(stage []*unstructured.Unstructured) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[objects.Key]entry{}
	}
	for _, obj := range stage {
		key := objects.KeyOf(obj)
		if answered, ok := l.noted[key]; ok {
			l.entries[key] = entry{ask(obj), answered}
		} else {
			delete(l.entries, key)
		}
	}
	l.noted = nil
}

// clear forgets everything: after a failure nobody knows what was written.
func (l *ledger) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.noted = nil, nil
}

// ask digests what is asked for; the encoding sorts keys.
func ask(obj *unstructured.Unstructured) [sha256.Size]byte {
	data, err := json.Marshal(obj.Object)
	if err != nil {
		return [sha256.Size]byte{} // equals no digest of an object that was sent
	}
	return sha256.Sum256(data)
}
