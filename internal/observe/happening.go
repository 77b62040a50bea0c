package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

// The types of happenings, beside those of Kubernetes, Normal and Warning.
const (
	// TypeDomain marks an event of the domain; its content is the data.
	TypeDomain = "Domain"
	// TypeState marks a transition from a state to the next.
	TypeState = "State"
	// TypeOverdue marks that a temporal rule has come to speak of an object.
	TypeOverdue = "Overdue"
)

// Happening is something that happened to an object: an event that Kubernetes
// or a reconciler recorded, or one of the domain.
type Happening struct {
	Time    time.Time  `json:"time"`
	Type    string     `json:"type"`
	Object  domain.Ref `json:"object"`
	Reason  string     `json:"reason"`
	Message string     `json:"message"`
	// Count is how often it happened, Since when first.
	Count int       `json:"count"`
	Since time.Time `json:"since"`
	// Source recorded it.
	Source string `json:"source,omitempty"`
	// Data is the content of what Hearth tells itself: a domain.Event, a Change
	// or a Late.
	Data any `json:"data,omitempty"`
}

// sourceHearth is the source of what Hearth tells itself.
const sourceHearth = "hearth"

// Change is the content of a transition.
type Change struct {
	From     domain.State `json:"from"`
	To       domain.State `json:"to"`
	Trigger  string       `json:"trigger,omitempty"`
	OffModel bool         `json:"offModel,omitempty"`
	Passed   bool         `json:"passed,omitempty"`  // not seen itself
	Seconds  float64      `json:"seconds,omitempty"` // that the state which was left lasted
}

// TransitionHappening tells a transition as a happening.
func TransitionHappening(t Transition) Happening {
	text := fmt.Sprintf("%s → %s", t.From, t.To)
	if t.OffModel {
		text += " (off the model)"
	}
	if t.Message != "" {
		text += ": " + t.Message
	}
	return Happening{
		Time: t.At, Since: t.At, Type: TypeState, Object: t.Ref, Reason: string(t.To), Message: text, Count: 1, Source: sourceHearth,
		Data: Change{t.From, t.To, t.Trigger, t.OffModel, t.Passed, t.Lasted.Seconds()},
	}
}

// LateHappening tells as a happening what a temporal rule speaks of.
func LateHappening(l Late, now time.Time) Happening {
	text := string(l.State)
	if !l.Due.IsZero() {
		text += ", due " + domain.ShortDuration(now.Sub(l.Due).Round(time.Second)) + " ago"
	}
	if l.Message != "" {
		text += ": " + l.Message
	}
	return Happening{Time: now, Since: now, Type: TypeOverdue, Object: l.Ref, Reason: l.Rule, Message: text, Count: 1, Source: sourceHearth, Data: l}
}

// closedHappening tells that a kind may not be read, and is not told of.
func closedHappening(kind string, at time.Time) Happening {
	return Happening{
		Time: at, Since: at, Type: corev1.EventTypeWarning, Object: domain.Ref{Kind: kind}, Reason: "NotObserved", Count: 1, Source: sourceHearth,
		Message: "objects of this kind may not be read, so nothing is told of them",
	}
}

// Happenings returns what is on record of a cluster, oldest first: its events,
// those that say the same as one, and of the domain's events the last of each
// object. The empty namespace means all. closed are the kinds that may not be
// read, in order, of which nothing is told.
func Happenings(ctx context.Context, config *rest.Config, c client.Client, namespace string) (list []Happening, closed []string, err error) {
	events, _, err := recordedEvents(ctx, c, namespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, nil, err
	}
	r, lookErr := look(ctx, config, false)
	if lookErr != nil {
		return nil, nil, lookErr
	}
	r.watcher.close(eventKind, err)
	for i := range events {
		list = append(list, KubernetesHappening(&events[i]))
		r.watcher.released(&events[i])
	}
	for _, e := range r.watcher.latestEvents() {
		if namespace == "" || e.Subject().Namespace == namespace {
			list = append(list, DomainHappening(e))
		}
	}
	list = merged(list)
	slices.SortStableFunc(list, func(a, b Happening) int {
		return cmp.Or(a.Time.Compare(b.Time), a.Object.Compare(b.Object), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Message, b.Message))
	})
	return list, r.watcher.Closed(), nil
}

// Recorded returns the events that Kubernetes holds, in no order, and the
// version from which on further ones can be watched.
func Recorded(ctx context.Context, c client.Client, namespace string) (list []Happening, version string, err error) {
	events, version, err := recordedEvents(ctx, c, namespace)
	for i := range events {
		list = append(list, KubernetesHappening(&events[i]))
	}
	return list, version, err
}

func recordedEvents(ctx context.Context, c client.Client, namespace string) (list []corev1.Event, version string, err error) {
	next := ""
	for {
		var page corev1.EventList
		if err := c.List(ctx, &page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, "", fmt.Errorf("list events: %w", err)
		}
		list = append(list, page.Items...)
		if version, next = page.ResourceVersion, page.Continue; next == "" {
			return list, version, nil
		}
	}
}

// KubernetesHappening reads an event of Kubernetes.
func KubernetesHappening(e *corev1.Event) Happening {
	o := e.InvolvedObject
	h := Happening{
		Type: e.Type, Reason: e.Reason, Message: oneLine(e.Message), Count: max(1, int(e.Count)),
		Object: domain.Ref{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name},
		Since:  firstTime(e.FirstTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time),
		Source: cmp.Or(e.Source.Component, e.ReportingController),
	}
	h.Time = firstTime(e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time)
	if e.Series != nil {
		h.Count, h.Time = max(h.Count, int(e.Series.Count)), e.Series.LastObservedTime.Time
	}
	return h
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// merged makes one of those that say the same of the same object.
func merged(list []Happening) []Happening {
	type same struct {
		object                domain.Ref
		kind, reason, message string
	}
	at := map[same]int{}
	var kept []Happening
	for _, h := range list {
		key := same{h.Object, h.Type, h.Reason, h.Message}
		i, known := at[key]
		if !known {
			at[key] = len(kept)
			kept = append(kept, h)
			continue
		}
		k := &kept[i]
		k.Count += h.Count
		if h.Since.Before(k.Since) {
			k.Since = h.Since
		}
		if h.Time.After(k.Time) {
			k.Time = h.Time
		}
	}
	return kept
}

// latestEvents returns the domain events that the present states amount to, in
// the order of their objects. They happened when the state began.
func (w *Watcher) latestEvents() []domain.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	refs := make([]domain.Ref, 0, len(w.records))
	for ref := range w.records {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, domain.Ref.Compare)
	var events []domain.Event
	for _, ref := range refs {
		r := w.records[ref]
		if h, ok := typed[gatewayv1.HTTPRoute](r.last); ok && r.Kind == kindHTTPRoute {
			events = append(events, routeCreated(ref, h, h.CreationTimestamp.Time))
		} else if e := domainEvent(r, r.Since); e != nil {
			if ready, ok := e.(domain.HelmReleaseReady); ok {
				e, _ = w.values.complete(ready)
			}
			events = append(events, e)
		}
	}
	return events
}

// DomainHappening tells an event of the domain as a happening.
func DomainHappening(e domain.Event) Happening {
	return Happening{
		Time: e.When(), Since: e.When(), Type: TypeDomain, Object: e.Subject(),
		Reason: e.EventName(), Message: sentence(e), Count: 1, Source: sourceHearth, Data: e,
	}
}

// sentence says what an event carries.
func sentence(e domain.Event) string {
	switch e := e.(type) {
	case domain.FluxReconciled:
		return fmt.Sprintf("%s with %d objects at %s", e.Status, e.Applied, cmp.Or(e.Revision, "no revision yet"))
	case domain.SecretSynced:
		return fmt.Sprintf("%s holds what the vault does: %s", e.Secret, cmp.Or(strings.Join(e.Sources, ", "), "what its sources name"))
	case domain.HelmReleaseReady:
		return "chart version " + cmp.Or(e.ChartVersion, "unknown: its status has no history")
	case domain.HTTPRouteCreated:
		return fmt.Sprintf("%s by %s to %s", cmp.Or(strings.Join(e.Hostnames, ", "), "any host"), refs(e.Gateways), refs(e.Backends))
	case domain.DriftCorrected:
		return e.Correction
	case domain.PodRestarted:
		return fmt.Sprintf("container %s restarted, %d times in all; it had exited with code %d", e.Container, e.Restarts, e.ExitCode)
	case domain.ImagePulled:
		return fmt.Sprintf("container %s has %s on %s", e.Container, e.Image, cmp.Or(e.Node, "no node"))
	case domain.DependencyBlocked:
		return fmt.Sprintf("waits for %s: %s", refs(e.On), e.Reason)
	}
	return ""
}

func refs(list []domain.Ref) string {
	var names []string
	for _, r := range list {
		names = append(names, r.String())
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}
