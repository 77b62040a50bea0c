package observe

import (
	"cmp"
	"encoding/json"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

const (
	// annotationValues is where Hearth's event of an install or upgrade carries
	// the values, every leaf that came from a Secret as a digest.
	annotationValues = "hearth.dev/values"
	// annotationToken is where that event, and Flux's, has the values' digest.
	annotationToken = "helm.toolkit.fluxcd.io/token"
	// maxValues bounds the values that are taken from an event, in bytes of JSON.
	maxValues = 64 << 10
	// maxReleases bounds of how many releases they are kept.
	maxReleases = 4096
	// valuesWait is how long a release's event waits for the one that carries
	// its values: it is recorded apart from the status.
	valuesWait = 5 * time.Second
)

// releaseValues are the values that were applied, where the HelmRelease alone
// does not tell them.
type releaseValues struct {
	// recorded says that events are handed in, so that waiting for one may help.
	recorded bool
	known    map[domain.Ref]releasedWith
	held     map[domain.Ref]domain.HelmReleaseReady
}

// releasedWith is what the event of an install or upgrade tells; values is nil
// where it does not carry them, as Flux's do not.
type releasedWith struct {
	digest string
	values map[string]any
}

// helmReleaseReady tells what was released. What the HelmRelease spells out was
// applied as it is, whatever else supplies values; which of those came from
// Secrets only the reconciler knows.
func helmReleaseReady(r *record, h *helmv2.HelmRelease, at time.Time) domain.HelmReleaseReady {
	e := domain.HelmReleaseReady{
		Release: r.Ref, Name: h.GetReleaseName(), Namespace: h.GetReleaseNamespace(),
		ChartVersion: h.Status.LastAttemptedRevision, ValuesDigest: h.Status.LastAttemptedConfigDigest, Time: at,
	}
	if latest := latestRelease(h); latest != nil {
		e.Name, e.Namespace = cmp.Or(latest.Name, e.Name), cmp.Or(latest.Namespace, e.Namespace)
		e.ChartVersion = cmp.Or(latest.ChartVersion, e.ChartVersion)
		e.ValuesDigest = cmp.Or(latest.ConfigDigest, e.ValuesDigest)
	}
	if h.Spec.Values != nil && h.Status.ObservedGeneration == h.Generation {
		_ = json.Unmarshal(h.Spec.Values.Raw, &e.Values) // the API server admits nothing but objects
	}
	for _, from := range h.Spec.ValuesFrom {
		e.ValuesFrom = append(e.ValuesFrom, domain.Ref{Kind: from.Kind, Namespace: h.Namespace, Name: from.Name})
	}
	return e
}

// complete adds to a release's event what is known of its values; false says
// that they may still come.
func (v *releaseValues) complete(e domain.HelmReleaseReady) (domain.HelmReleaseReady, bool) {
	if len(e.ValuesFrom) == 0 {
		return e, true
	}
	with, ok := v.known[e.Release]
	if !ok || with.digest != e.ValuesDigest {
		return e, !v.recorded
	}
	if with.values != nil {
		e.Values, e.ValuesFrom = with.values, nil
	}
	return e, true
}

// note takes in an event of Kubernetes, and reports whether it is of an install
// or upgrade.
func (v *releaseValues) note(e *corev1.Event) bool {
	if e.InvolvedObject.Kind != kindHelmRelease || e.Reason != helmv2.InstallSucceededReason && e.Reason != helmv2.UpgradeSucceededReason {
		return false
	}
	with := releasedWith{digest: e.Annotations[annotationToken]}
	if text := e.Annotations[annotationValues]; len(text) <= maxValues {
		_ = json.Unmarshal([]byte(text), &with.values) // what cannot be read is not shown
	}
	if v.known == nil || len(v.known) >= maxReleases {
		v.known = map[domain.Ref]releasedWith{}
	}
	v.known[eventSubject(e)] = with
	return true
}

func eventSubject(e *corev1.Event) domain.Ref {
	o := e.InvolvedObject
	return domain.Ref{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// postReady posts a release's event, with its values, for which it waits a while
// where the HelmRelease does not tell them.
func (w *Watcher) postReady(e domain.HelmReleaseReady) {
	v := &w.values
	e, complete := v.complete(e)
	if complete {
		w.post(e)
		return
	}
	if v.held == nil {
		v.held = map[domain.Ref]domain.HelmReleaseReady{}
	}
	v.held[e.Release] = e
	time.AfterFunc(valuesWait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if held, ok := v.held[e.Release]; ok && held.Time.Equal(e.Time) {
			delete(v.held, e.Release)
			w.post(held)
		}
	})
}

// released takes in an event of Kubernetes: that of an install or upgrade
// carries the values.
func (w *Watcher) released(e *corev1.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.values.note(e) {
		return
	}
	ref := eventSubject(e)
	held, ok := w.values.held[ref]
	if !ok {
		return
	}
	if held, ok = w.values.complete(held); ok {
		delete(w.values.held, ref)
		w.post(held)
	}
}
