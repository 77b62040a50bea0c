package observe

import (
	"cmp"
	"slices"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// Late is an object that one of the domain's temporal rules speaks of.
type Late struct {
	domain.Ref
	Rule  string       `json:"rule"`
	State domain.State `json:"state"`
	// Due is by when it should have been done; zero where the rule knows no time.
	Due time.Time `json:"due,omitzero"`
	// Next is when it is tried again; zero where that is not known.
	Next    time.Time `json:"next,omitzero"`
	Message string    `json:"message,omitempty"`
}

// Overdue returns what the temporal rules speak of at a moment, ordered by kind,
// namespace, name and rule. What is suspended is left out.
func (w *Watcher) Overdue(now time.Time) []Late {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Late
	for _, r := range w.records {
		if !r.Suspended {
			list = append(list, overdue(r, now)...)
		}
	}
	slices.SortFunc(list, func(a, b Late) int { return cmp.Or(a.Ref.Compare(b.Ref), strings.Compare(a.Rule, b.Rule)) })
	return list
}

func overdue(r *record, now time.Time) []Late {
	switch r.Kind {
	case kindKustomization:
		if k, ok := typed[kustomizev1.Kustomization](r.last); ok {
			return overdueKustomization(r, k, now)
		}
	case kindHelmRelease:
		if h, ok := typed[helmv2.HelmRelease](r.last); ok {
			return overdueRelease(r, h, now)
		}
	case kindExternalSecret:
		if e, ok := typed[esv1.ExternalSecret](r.last); ok {
			return overdueSecret(r, e, now)
		}
	case kindPod:
		if p, ok := typed[corev1.Pod](r.last); ok {
			return overduePod(r, p, now)
		}
	case certificateKind.Kind:
		c := new(Certificate)
		if u, ok := r.last.(*unstructured.Unstructured); ok && readInto(u, c) == nil {
			return overdueCertificate(r, c, now)
		}
	}
	if r.State == domain.SourceReconciling && isSource(r.key.GroupKind()) {
		return lasting(r, domain.RuleFetchLong, fetchTimeout(r), now)
	}
	return nil
}

func (r *record) late(rule string, due time.Time) Late {
	return Late{Ref: r.Ref, Rule: rule, State: r.State, Due: due, Message: r.Message}
}

// by judges what should have been done by a moment.
func by(r *record, rule string, due, now time.Time) []Late {
	if !now.After(due) {
		return nil
	}
	return []Late{r.late(rule, due)}
}

// lasting judges how long an object has been in its state: not longer than the
// object's own bound, nor than the domain's where that is longer.
func lasting(r *record, rule string, own time.Duration, now time.Time) []Late {
	if r.Since.IsZero() {
		return nil
	}
	return by(r, rule, r.Since.Add(max(own, domain.TemporalLimit(rule))), now)
}

func overdueKustomization(r *record, k *kustomizev1.Kustomization, now time.Time) []Late {
	timeout := time.Duration(0)
	if k.Spec.Timeout != nil {
		timeout = k.Spec.Timeout.Duration
	}
	if _, under := domain.OperationOf(r.Kind, r.State); under {
		return lasting(r, domain.RuleReconcileLong, timeout, now)
	}
	if r.State != domain.KustomizationReady || len(k.Status.History) == 0 {
		return nil // nothing says when it was last reconciled
	}
	last := k.Status.History[0].LastReconciled.Time
	interval := cmp.Or(k.Spec.Interval.Duration, domain.KustomizationInterval)
	return by(r, domain.RuleReconcileOverdue, last.Add(interval).Add(max(timeout, domain.FluxReconcile.Timeout())), now)
}

func overdueRelease(r *record, h *helmv2.HelmRelease, now time.Time) []Late {
	stalled := conditionOf(h.Status.Conditions, "Stalled")
	if stalled.Status == metav1.ConditionTrue && stalled.Reason == reasonRetriesExceeded {
		return []Late{r.late(domain.RuleRetriesUsedUp, time.Time{})}
	}
	if r.State != domain.ReleaseReconciling {
		return nil
	}
	timeout := time.Duration(0)
	if h.Spec.Timeout != nil {
		timeout = h.Spec.Timeout.Duration
	}
	return lasting(r, domain.RuleInstallOverdue, timeout, now)
}

func overdueSecret(r *record, e *esv1.ExternalSecret, now time.Time) []Late {
	if r.State == domain.SecretSyncing {
		return lasting(r, domain.RuleSyncLong, 0, now)
	}
	interval := domain.SecretRefreshInterval
	if e.Spec.RefreshInterval != nil {
		interval = e.Spec.RefreshInterval.Duration
	}
	last := e.Status.RefreshTime.Time
	if last.IsZero() || interval == 0 || e.Spec.RefreshPolicy == esv1.RefreshCreatedOnce || e.Spec.RefreshPolicy == esv1.RefreshOnChange {
		return nil
	}
	return by(r, domain.RuleRefreshOverdue, last.Add(interval).Add(domain.SecretRefreshJitter+domain.SecretSync.Timeout()), now)
}

// overduePod judges pulls, and tells when a container that crashed is started
// again.
func overduePod(r *record, p *corev1.Pod, now time.Time) []Late {
	switch r.State {
	case domain.PodPullingImages:
		return lasting(r, domain.RulePullLong, 0, now)
	case domain.PodCrashLoop:
		l := r.late(domain.RuleBackOff, time.Time{})
		for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			t := c.LastTerminationState.Terminated
			if c.State.Waiting != nil && c.State.Waiting.Reason == waitCrashLoop && t != nil {
				l.Next = t.FinishedAt.Add(domain.CrashBackoff(int(c.RestartCount) + 1))
			}
		}
		return []Late{l}
	}
	return nil
}

func overdueCertificate(r *record, c *Certificate, now time.Time) []Late {
	if !r.Ready || c.Status.RenewalTime == nil {
		return nil
	}
	list := by(r, domain.RuleRenewalOverdue, c.Status.RenewalTime.Add(domain.TemporalLimit(domain.RuleRenewalOverdue)), now)
	if len(list) > 0 && c.Status.LastFailureTime != nil {
		list[0].Next = c.Status.LastFailureTime.Add(domain.CertificateBackoff(c.Status.FailedIssuanceAttempts))
	}
	return list
}

// fetchTimeout returns the timeout that a source sets for itself.
func fetchTimeout(r *record) time.Duration {
	u, err := objects.ToUnstructured(r.last, r.key.GroupVersionKind)
	if err != nil {
		return 0
	}
	text, _, _ := unstructured.NestedString(u.Object, "spec", "timeout")
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}
