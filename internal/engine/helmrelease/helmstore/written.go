package helmstore

import (
	"maps"
	"slices"
	"sync"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
)

// Written remembers the records that this process wrote, as they were at the
// Secret's resource version. The zero value is ready to use; a nil Written
// remembers nothing. Its methods may be called concurrently.
type Written struct {
	mu      sync.Mutex
	records map[recordKey]record
	order   []recordKey
}

type recordKey struct{ namespace, name string }

type record struct {
	resourceVersion string
	rel             *releasev1.Release
	chart           []byte
}

// kept bounds how many records are remembered.
const kept = 1024

func (w *Written) add(secret *corev1.Secret, rel *releasev1.Release, chart []byte) {
	if w == nil {
		return
	}
	key := recordKey{secret.Namespace, secret.Name}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.records == nil {
		w.records = map[recordKey]record{}
	}
	if _, ok := w.records[key]; !ok {
		w.order = append(w.order, key)
	}
	w.records[key] = record{secret.ResourceVersion, snapshot(rel), chart}
	if rel.Info.Status == common.StatusUninstalled {
		delete(w.records, key)
	}
	if len(w.order) > kept {
		delete(w.records, w.order[0])
		w.order = slices.Clone(w.order[1:])
	}
}

func (w *Written) get(secret *corev1.Secret) *releasev1.Release {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.records[recordKey{secret.Namespace, secret.Name}]
	if !ok || r.resourceVersion != secret.ResourceVersion {
		return nil
	}
	return snapshot(r.rel)
}

// chart returns the gzip member under which a chart was stored before.
func (w *Written) chart(of *chart.Chart) []byte {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.records {
		if r.rel.Chart == of {
			return r.chart
		}
	}
	return nil
}

// snapshot copies what Helm's actions change in a record. The chart is shared.
func snapshot(rel *releasev1.Release) *releasev1.Release {
	copied := *rel
	info := *rel.Info
	copied.Info = &info
	copied.Labels = maps.Clone(rel.Labels)
	copied.Config, _ = deepCopy(rel.Config).(map[string]any)
	copied.Hooks = make([]*releasev1.Hook, len(rel.Hooks))
	for i, hook := range rel.Hooks {
		h := *hook
		h.Events = slices.Clone(hook.Events)
		h.DeletePolicies = slices.Clone(hook.DeletePolicies)
		h.OutputLogPolicies = slices.Clone(hook.OutputLogPolicies)
		copied.Hooks[i] = &h
	}
	return &copied
}

func deepCopy(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		copied := make(map[string]any, len(v))
		for key, item := range v {
			copied[key] = deepCopy(item)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = deepCopy(item)
		}
		return copied
	}
	return value
}
