package observe

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// annotationDataHash is where External Secrets notes a digest of what it wrote.
const annotationDataHash = "reconcile.external-secrets.io/data-hash"

// config takes in that a Secret or ConfigMap exists, or no longer does. Only
// its name is kept, and the digest that its owner noted.
func (w *Watcher) config(ref domain.Ref, obj client.Object) {
	before, existed := w.configs[ref]
	if obj == nil {
		delete(w.configs, ref)
	} else if w.configs[ref] = obj.GetAnnotations()[annotationDataHash]; w.configs[ref] != before {
		w.overtaken(ref, obj)
	}
	if existed == (obj != nil) {
		return
	}
	w.lookAgain(func(r *record) bool {
		return r.Kind == kindPod && r.Namespace == ref.Namespace && (r.State == domain.PodInit || r.State == domain.PodWaitingSecrets)
	})
}

// store takes in what a secret store says of itself.
func (w *Watcher) store(ref domain.Ref, obj client.Object) {
	if obj == nil {
		delete(w.stores, ref)
	} else {
		w.stores[ref] = readStore(ref, obj)
	}
	w.lookAgain(func(r *record) bool {
		if r.Kind != kindExternalSecret || r.Ready {
			return false
		}
		e, ok := typed[esv1.ExternalSecret](r.last)
		return ok && StoreOf(e) == ref
	})
}

// readStore reads the readiness of a SecretStore or ClusterSecretStore.
func readStore(ref domain.Ref, obj client.Object) Store {
	s := Store{Ref: ref, Exists: true}
	var status *esv1.SecretStoreStatus
	if cs, ok := typed[esv1.ClusterSecretStore](obj); ok {
		status = &cs.Status
	} else if ss, ok := typed[esv1.SecretStore](obj); ok {
		status = &ss.Status
	}
	if status == nil {
		return s
	}
	if c := esv1.GetCondition(status.Conditions, esv1.ConditionReady); c != nil {
		ready := *c
		s.Ready = &ready
	}
	return s
}

// reveal tells that Secrets and ConfigMaps are known from now on, unless they
// may not be read: one that is not there does not exist.
func (w *Watcher) reveal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := false
	for _, kind := range []schema.GroupVersionKind{secretKind, configMapKind} {
		if w.hidden[kind.Kind] && !w.closed[kind] {
			delete(w.hidden, kind.Kind)
			known = true
		}
	}
	if !known {
		return
	}
	w.lookAgain(func(r *record) bool { return r.Kind == kindPod && r.State == domain.PodInit })
}

// lookAgain derives the state of objects once more, in their order: what they
// depend on has changed.
func (w *Watcher) lookAgain(which func(*record) bool) {
	for _, r := range w.chosen(which) {
		if s, ok := w.derive(r, r.key, r.last); ok {
			w.advance(r, s)
		}
	}
}

// chosen returns some of the records, in their order.
func (w *Watcher) chosen(which func(*record) bool) []*record {
	var list []*record
	for _, r := range w.records {
		if which(r) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *record) int { return a.Ref.Compare(b.Ref) })
	return list
}

func (w *Watcher) find(ref domain.Ref) Presence {
	if _, exists := w.configs[ref]; exists {
		return Present
	}
	if w.hidden[ref.Kind] {
		return Unknown
	}
	return Missing
}

func (w *Watcher) storeOf(e *esv1.ExternalSecret) Store {
	ref := StoreOf(e)
	if s, known := w.stores[ref]; known {
		return s
	}
	return Store{Ref: ref}
}

// contentChanged reports whether what an ExternalSecret wrote has changed
// since it was last asked.
func (w *Watcher) contentChanged(r *record) bool {
	if r.Kind != kindExternalSecret || r.last == nil {
		return false
	}
	e, ok := typed[esv1.ExternalSecret](r.last)
	if !ok {
		return false
	}
	content := w.configs[secretOf(e)]
	changed := r.content != "" && content != "" && r.content != content
	r.content = content
	return changed
}

// overtaken takes in the new content of a Secret that was written before the
// status of its ExternalSecret which is known: each kind comes on a stream of its
// own, and that status seemed to tell of a round without changes.
func (w *Watcher) overtaken(ref domain.Ref, secret client.Object) {
	late := w.chosen(func(r *record) bool {
		if r.Kind != kindExternalSecret || r.Namespace != ref.Namespace || r.State != domain.SecretReady || r.last == nil {
			return false
		}
		e, ok := typed[esv1.ExternalSecret](r.last)
		return ok && secretOf(e) == ref && objects.Older(secret, r.last) && w.contentChanged(r)
	})
	for _, r := range late {
		at := w.now()
		w.walk(r, machine(r.Kind), cycle(r.Kind, r.State, true), at, r.Message)
		r.Since = at
		w.event(r, at)
		w.changed()
	}
}

// pull is how the pulls of one container's image went.
type pull struct {
	failing bool
	failed  int
}

// countPulls counts how often each container was seen to fail a pull. It
// starts anew once the container has an image.
func countPulls(before map[string]pull, p *corev1.Pod) map[string]pull {
	var pulls map[string]pull
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range list {
			if c.State.Waiting == nil || c.State.Running != nil {
				continue
			}
			was := before[c.Name]
			failing := c.State.Waiting.Reason == waitPullError
			if failing && !was.failing {
				was.failed++
			}
			was.failing = failing
			if was.failed == 0 {
				continue
			}
			if pulls == nil {
				pulls = map[string]pull{}
			}
			pulls[c.Name] = was
		}
	}
	return pulls
}

func mostPulls(pulls map[string]pull) (most int) {
	for _, p := range pulls {
		most = max(most, p.failed)
	}
	return most
}
