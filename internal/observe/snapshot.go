package observe

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
)

// Snapshot returns every observed object of the model's own kinds, ordered by
// kind, namespace and name.
func (w *Watcher) Snapshot() []Object {
	return slices.DeleteFunc(w.All(), func(o Object) bool { return Further(o.Kind) })
}

// Further reports whether a kind is one of those beside the model's own.
func Further(kind string) bool {
	return slices.ContainsFunc(FurtherKinds, func(k schema.GroupVersionKind) bool { return k.Kind == kind })
}

// All returns every observed object, ordered by kind, namespace and name.
func (w *Watcher) All() []Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := family{lineages: w.lineages, releases: map[releaseName]domain.Ref{}}
	for ref, r := range w.records {
		if r.Kind == kindHelmRelease {
			f.releases[r.release] = ref
		}
	}
	list := make([]Object, 0, len(w.records))
	for ref, r := range w.records {
		o := r.Object
		o.Owner = f.owner(w.lineages[r.key], ref)
		o.DependsOn = slices.Clone(o.DependsOn)
		list = append(list, o)
	}
	sortObjects(list)
	return list
}

func sortObjects(list []Object) {
	slices.SortFunc(list, func(a, b Object) int { return a.Ref.Compare(b.Ref) })
}

// Count says how many objects of a kind there are and how many are ready.
type Count struct{ Total, Ready int }

// Counts counts objects by kind. Suspended ones are left out.
func Counts(list []Object) map[string]Count {
	counts := map[string]Count{}
	for _, o := range list {
		if o.Suspended {
			continue
		}
		c := counts[o.Kind]
		c.Total++
		if o.Ready {
			c.Ready++
		}
		counts[o.Kind] = c
	}
	return counts
}

// Pods groups the pods of a snapshot by their owner.
func Pods(list []Object) map[domain.Ref][]Object {
	pods := map[domain.Ref][]Object{}
	for _, o := range list {
		if o.Kind == kindPod && o.Owner != (domain.Ref{}) {
			pods[o.Owner] = append(pods[o.Owner], o)
		}
	}
	return pods
}
