package observe

import (
	"context"
	"slices"
	"sync"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// How much a Watcher remembers beside the objects that exist.
const (
	maxTransitions = 32768
	maxOffModel    = 4096
	maxUndelivered = 65536
)

// Watcher follows a cluster: it knows the state of every observed object and
// records how it came there. All methods may be called concurrently.
type Watcher struct {
	objects *objects.Objects
	now     func() time.Time
	wake    chan struct{}
	defined chan struct{} // a definition has changed

	// probe, where set, says why a kind cannot be read.
	probe func(context.Context, schema.GroupVersionKind) error
	wide  bool

	mu          sync.Mutex
	started     time.Time
	records     map[domain.Ref]*record
	configs     map[domain.Ref]string // Secrets and ConfigMaps that exist, by their data's digest where known
	hidden      map[string]bool       // kinds of these that are not known yet, or may not be read
	stores      map[domain.Ref]Store
	lineages    map[objects.Key]lineage
	wanted      []schema.GroupVersionKind // kinds of owners that are not followed yet
	asked       map[schema.GroupVersionKind]bool
	transitions ring
	offModel    []Transition
	subscribers []subscriber
	listeners   []func(domain.Event)
	changes     map[chan struct{}]bool
	values      releaseValues
	outbox      []any // posted, replay or domain.Event, in order
	closed      map[schema.GroupVersionKind]bool
	shut        func(kind string)
	arrived     func()
}

// record is what is remembered of one object.
type record struct {
	Object
	uid     string
	round   string
	content string
	key     objects.Key
	last    client.Object // the cache's own: read only
	release releaseName
	pulls   map[string]pull
	applied applied
	blocked string
}

// New returns a watcher over objects that are followed from now on: it must be
// made before anybody follows a kind. Nil for now means the wall clock.
func New(o *objects.Objects, now func() time.Time) *Watcher {
	w := newWatcher(now)
	w.objects = o
	w.hidden[kindSecret], w.hidden[kindConfigMap] = true, true
	o.Listen(w.handle)
	return w
}

func newWatcher(now func() time.Time) *Watcher {
	if now == nil {
		now = time.Now
	}
	return &Watcher{
		now:      now,
		wake:     make(chan struct{}, 1),
		defined:  make(chan struct{}, 1),
		started:  now(),
		records:  map[domain.Ref]*record{},
		configs:  map[domain.Ref]string{},
		hidden:   map[string]bool{},
		stores:   map[domain.Ref]Store{},
		lineages: map[objects.Key]lineage{},
		asked:    map[schema.GroupVersionKind]bool{},
		changes:  map[chan struct{}]bool{},
		closed:   map[schema.GroupVersionKind]bool{},
	}
}

// Widen makes the watcher observe the further kinds, too. It is called before
// Start, and before anybody follows a kind. Snapshot goes on to tell of the
// model's own kinds alone; All tells of all.
func (w *Watcher) Widen() { w.wide = true }

// NeedLeaderElection tells controller-runtime that watching needs no lease.
func (w *Watcher) NeedLeaderElection() bool { return false }

// Start follows the observed kinds, those whose definitions arrive later too,
// and calls subscribers, until ctx ends. The cache must be running or about to.
func (w *Watcher) Start(ctx context.Context) error {
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		w.deliver(ctx)
	}()
	err := w.follow(ctx)
	<-delivered
	return err
}

// Subscribe calls f for every transition that is remembered and every further
// one, in order, one at a time. A slow f delays other subscribers, and loses
// the oldest transitions once tens of thousands wait.
func (w *Watcher) Subscribe(f func(Transition)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := subscriber{f, w.transitions.added}
	w.subscribers = append(w.subscribers, s)
	w.post(replay{s, w.transitions.list()})
}

// OnEvent calls f for every domain event from now on, as Subscribe does.
func (w *Watcher) OnEvent(f func(domain.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners = append(w.listeners, f)
}

// tellEvent hands a domain event that was found elsewhere to the listeners.
func (w *Watcher) tellEvent(e domain.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.listeners) > 0 {
		w.post(e)
	}
}

// Changes returns a channel that gets a value, never more than one at a time,
// after anything that Snapshot tells has changed, and a function that ends it.
func (w *Watcher) Changes() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes[ch] = true
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.changes, ch)
	}
}

// Transitions returns the remembered transitions, oldest first.
func (w *Watcher) Transitions() []Transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.transitions.list()
}

// OffModel returns the off-model transitions, oldest first; they are kept when
// others are forgotten.
func (w *Watcher) OffModel() []Transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.offModel)
}

// handle takes in one change. It runs on the informers' goroutines.
func (w *Watcher) handle(c objects.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace(c)
	ref := domain.Ref{Kind: c.Key.Kind, Namespace: c.Key.Namespace, Name: c.Key.Name}
	switch c.Key.GroupVersionKind {
	case secretKind, configMapKind:
		w.config(ref, c.New)
	case definitionKind:
		signal(w.defined)
	case storeKind, clusterStoreKind:
		w.store(ref, c.New)
	case kustomizationKind, helmReleaseKind, externalSecretKind, podKind, httpRouteKind:
		w.change(c, ref)
	default:
		if w.wide && further(c.Key.GroupVersionKind) {
			w.change(c, ref)
		}
	}
}

func (w *Watcher) change(c objects.Change, ref domain.Ref) {
	if c.New == nil {
		w.gone(ref)
	} else {
		w.look(c.Key, ref, c.New)
	}
}

// look derives the state of an object and takes it in. An object that does not
// fit its type is left as it was; the API server admits none.
func (w *Watcher) look(key objects.Key, ref domain.Ref, obj client.Object) {
	r := w.records[ref]
	if r != nil && r.uid != string(obj.GetUID()) {
		w.gone(ref)
		r = nil
	}
	first := r == nil
	if first {
		r = &record{Object: Object{Ref: ref, State: domain.Absent}, uid: string(obj.GetUID())}
	}
	s, ok := w.derive(r, key, obj)
	if !ok {
		return
	}
	before := r.last
	r.key, r.last = key, obj
	if first {
		w.records[ref] = r
		if created := obj.GetCreationTimestamp(); created.Time.Before(w.started.Truncate(time.Second)) {
			w.baseline(r, s)
			w.familiar(r)
			return
		}
		w.announce(r)
	}
	w.advance(r, s)
	w.notice(r, before)
}

// derive calls the state function of an object's kind, and fills in what its
// spec says.
func (w *Watcher) derive(r *record, key objects.Key, obj client.Object) (s Standing, ok bool) {
	switch key.Kind {
	case kindKustomization:
		if k, ok := typed[kustomizev1.Kustomization](obj); ok {
			r.Suspended, r.DependsOn = k.Spec.Suspend, kustomizationDependencies(k)
			return KustomizationState(k), true
		}
	case kindHelmRelease:
		if h, ok := typed[helmv2.HelmRelease](obj); ok {
			r.Suspended, r.DependsOn = h.Spec.Suspend, releaseDependencies(h)
			r.release = releaseNameOf(h)
			return HelmReleaseState(h), true
		}
	case kindExternalSecret:
		if e, ok := typed[esv1.ExternalSecret](obj); ok {
			return ExternalSecretState(e, w.storeOf(e)), true
		}
	case kindPod:
		if p, ok := typed[corev1.Pod](obj); ok {
			r.pulls = countPulls(r.pulls, p)
			return PodState(p, PodEvidence{Find: w.find, FailedPulls: mostPulls(r.pulls)}), true
		}
	case kindHTTPRoute:
		if h, ok := typed[gatewayv1.HTTPRoute](obj); ok {
			return HTTPRouteState(h), true
		}
	default:
		if !isSource(key.GroupKind()) {
			return furtherState(key.GroupKind(), obj)
		}
		s, r.Suspended, ok = sourceState(key.GroupVersionKind, obj)
		return s, ok
	}
	return Standing{}, false
}
