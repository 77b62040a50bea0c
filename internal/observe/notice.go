package observe

import (
	"slices"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// applied is what a Kustomization has applied, and since when.
type applied struct {
	revision   string
	generation int64
	since      time.Time
}

// notice tells the domain events that are no transitions: what an object says
// now and did not say before. The object as it was is nil for a new one.
func (w *Watcher) notice(r *record, before client.Object) {
	switch r.Kind {
	case kindPod:
		w.noticePod(r, before)
	case kindKustomization:
		if k, ok := typed[kustomizev1.Kustomization](r.last); ok {
			w.noticeApplied(r, k)
			w.noticeBlocked(r, k.Status.Conditions)
		}
	case kindHelmRelease:
		if h, ok := typed[helmv2.HelmRelease](r.last); ok {
			w.noticeBlocked(r, h.Status.Conditions)
		}
	}
}

// familiar takes in what would be noticed of an object that was there before,
// and tells nothing.
func (w *Watcher) familiar(r *record) {
	switch r.Kind {
	case kindKustomization:
		if k, ok := typed[kustomizev1.Kustomization](r.last); ok {
			r.blocked = waitsFor(k.Status.Conditions)
			w.noticeApplied(r, k)
			r.applied.since = r.Since
		}
	case kindHelmRelease:
		if h, ok := typed[helmv2.HelmRelease](r.last); ok {
			r.blocked = waitsFor(h.Status.Conditions)
		}
	}
}

// waitsFor returns which dependency conditions complain of; empty for none.
func waitsFor(conditions []metav1.Condition) string {
	ready := conditionOf(conditions, meta.ReadyCondition)
	if ready.Status != metav1.ConditionFalse || ready.Reason != meta.DependencyNotReadyReason {
		return ""
	}
	return ready.Message
}

// noticePod tells of containers that were started again, and that have their
// image.
func (w *Watcher) noticePod(r *record, before client.Object) {
	if len(w.listeners) == 0 {
		return
	}
	now, ok := typed[corev1.Pod](r.last)
	if !ok {
		return
	}
	was := &corev1.Pod{}
	if before != nil {
		if was, ok = typed[corev1.Pod](before); !ok {
			return
		}
	}
	at := w.now()
	for i, statuses := range [][]corev1.ContainerStatus{now.Status.InitContainerStatuses, now.Status.ContainerStatuses} {
		earlier := [][]corev1.ContainerStatus{was.Status.InitContainerStatuses, was.Status.ContainerStatuses}[i]
		for _, c := range statuses {
			old := corev1.ContainerStatus{}
			if o := slices.IndexFunc(earlier, named(c.Name)); o >= 0 {
				old = earlier[o]
			}
			if c.ImageID != "" && c.ImageID != old.ImageID {
				w.post(domain.ImagePulled{Pod: r.Ref, Container: c.Name, Image: c.Image, ID: c.ImageID, Node: now.Spec.NodeName, Time: at})
			}
			if c.RestartCount > old.RestartCount {
				w.post(restarted(r.Ref, c, at))
			}
		}
	}
}

func restarted(pod domain.Ref, c corev1.ContainerStatus, at time.Time) domain.PodRestarted {
	e := domain.PodRestarted{Pod: pod, Container: c.Name, Restarts: int(c.RestartCount), Time: at}
	if t := c.LastTerminationState.Terminated; t != nil {
		e.ExitCode, e.Reason = int(t.ExitCode), t.Reason
	}
	return e
}

// noticeBlocked tells that a reconciler waits for a dependency, each time that
// it begins to or waits for another one.
func (w *Watcher) noticeBlocked(r *record, conditions []metav1.Condition) {
	message := waitsFor(conditions)
	was := r.blocked
	if r.blocked = message; message == "" || message == was {
		return
	}
	if len(w.listeners) > 0 {
		w.post(domain.DependencyBlocked{Object: r.Ref, On: w.unready(r), Reason: oneLine(message), Time: w.now()})
	}
}

// unready lists the dependencies of an object that are not ready, or are not
// there.
func (w *Watcher) unready(r *record) []domain.Ref {
	var list []domain.Ref
	for _, ref := range r.DependsOn {
		if d := w.records[ref]; d == nil || !d.Ready {
			list = append(list, ref)
		}
	}
	return list
}

// noticeApplied remembers since when a Kustomization has applied what it has.
func (w *Watcher) noticeApplied(r *record, k *kustomizev1.Kustomization) {
	if r.State != domain.KustomizationReady {
		return
	}
	if a := r.applied; a.revision != k.Status.LastAppliedRevision || a.generation != k.Generation {
		r.applied = applied{k.Status.LastAppliedRevision, k.Generation, w.now()}
	}
}

// The events by which reconcilers tell of drift. Hearth and helm-controller
// name it; kustomize-controller lists what an apply changed, which is drift
// where it had applied the same revision before.
const (
	reasonDriftCorrected = "DriftCorrected"
	reasonProgressing    = "Progressing"
	annotationRevision   = "kustomize.toolkit.fluxcd.io/revision"
	// appliedLong is how long before an event a revision must have been
	// applied: the event of its first apply may come late.
	appliedLong = 3 * time.Second
)

// corrected tells the domain event that an event of Kubernetes amounts to, if
// any.
func (w *Watcher) corrected(e *corev1.Event) (domain.DriftCorrected, bool) {
	h := KubernetesHappening(e)
	d := domain.DriftCorrected{Reconciler: h.Object, Correction: h.Message, Time: h.Time}
	if h.Object.Kind != kindKustomization && h.Object.Kind != kindHelmRelease {
		return d, false
	}
	if e.Reason == reasonDriftCorrected {
		return d, true
	}
	if h.Object.Kind != kindKustomization || e.Reason != reasonProgressing || !changesObjects(e.Message) {
		return d, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.records[h.Object]
	return d, r != nil && r.applied.revision != "" && r.applied.revision == e.Annotations[annotationRevision] &&
		r.last.GetGeneration() == r.applied.generation && h.Time.Sub(r.applied.since) > appliedLong
}

// changesObjects reports whether a message lists objects that an apply made or
// changed.
func changesObjects(message string) bool {
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(line, " configured") || strings.HasSuffix(line, " created") {
			return true
		}
	}
	return false
}
