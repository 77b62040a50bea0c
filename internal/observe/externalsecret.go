package observe

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// Store is what is known of the secret store that an ExternalSecret names.
type Store struct {
	// Ref names the store; the zero Ref means that the ExternalSecret needs none.
	Ref domain.Ref
	// Exists says that it could be found.
	Exists bool
	// Ready is its Ready condition; nil where it has none.
	Ready *esv1.Condition
}

func (s Store) connected() bool {
	return s.Ref == domain.Ref{} || s.Exists && s.Ready != nil && s.Ready.Status == corev1.ConditionTrue
}

// why says why the store is not connected.
func (s Store) why() string {
	switch {
	case !s.Exists:
		return fmt.Sprintf("%s does not exist", s.Ref)
	case s.Ready == nil:
		return fmt.Sprintf("%s has not been validated yet", s.Ref)
	}
	return fmt.Sprintf("%s is not ready: %s", s.Ref, oneLine(s.Ready.Message))
}

// StoreOf names the store that an ExternalSecret reads; the zero Ref where all
// of its data names sources of its own.
func StoreOf(e *esv1.ExternalSecret) domain.Ref {
	ref := e.Spec.SecretStoreRef
	switch {
	case ref.Name == "":
		return domain.Ref{}
	case ref.Kind == esv1.ClusterSecretStoreKind:
		return domain.Ref{Kind: ref.Kind, Name: ref.Name}
	}
	return domain.Ref{Kind: esv1.SecretStoreKind, Namespace: e.Namespace, Name: ref.Name}
}

// ExternalSecretState derives the state of an ExternalSecret from it and its
// store.
//
// One that was never in sync is Pending while its store is not ready, and
// Syncing once it is. One that failed while the store was ready stays Failed,
// whatever becomes of the store; one that was in sync fails as it refreshes,
// its store included. Refreshing shows only where a changed spec
// has yet to be synced; the controller does not tell a periodic refresh.
func ExternalSecretState(e *esv1.ExternalSecret, store Store) Standing {
	if e.DeletionTimestamp != nil {
		return deleting(domain.SecretDeleting, e.DeletionTimestamp, "")
	}
	ready := esv1.GetCondition(e.Status.Conditions, esv1.ConditionReady)
	switch {
	case ready == nil || ready.Status == corev1.ConditionUnknown:
		return unsyncedSecret(e, store, ready)
	case ready.Status == corev1.ConditionFalse:
		return refusedSecret(e, store, *ready)
	}
	return syncedSecret(e, *ready)
}

func unsyncedSecret(e *esv1.ExternalSecret, store Store, ready *esv1.Condition) Standing {
	s := Standing{State: domain.SecretSyncing, Message: "not synced yet", Since: since(e.CreationTimestamp)}
	if ready != nil {
		s.Message, s.Since = oneLine(ready.Message), ready.LastTransitionTime.Time
	}
	if !store.connected() {
		s.State, s.Message = domain.SecretPending, store.why()
	} else if store.Ready != nil && store.Ready.LastTransitionTime.After(s.Since) {
		s.Since = store.Ready.LastTransitionTime.Time
	}
	return s
}

func refusedSecret(e *esv1.ExternalSecret, store Store, ready esv1.Condition) Standing {
	s := Standing{Message: oneLine(ready.Message), Since: ready.LastTransitionTime.Time}
	if e.Status.RefreshTime.IsZero() && !store.connected() && !failedBefore(ready, store) {
		s.State = domain.SecretPending
		if s.Message == "" {
			s.Message = store.why()
		}
		return s
	}
	s.State = domain.SecretFailed
	s.passed = []domain.State{domain.SecretSyncing}
	return s
}

// failedBefore reports whether the ExternalSecret failed while its store was
// still ready, so that the store is not what it waits for.
func failedBefore(ready esv1.Condition, store Store) bool {
	return store.Ready != nil && ready.LastTransitionTime.Before(&store.Ready.LastTransitionTime)
}

func syncedSecret(e *esv1.ExternalSecret, ready esv1.Condition) Standing {
	s := Standing{
		State:   domain.SecretReady,
		Message: oneLine(ready.Message),
		Since:   ready.LastTransitionTime.Time,
		Ready:   true,
	}
	if !e.Status.RefreshTime.IsZero() {
		s.round = e.Status.RefreshTime.UTC().String()
	}
	if specChanged(e) {
		s.State, s.Message = domain.SecretRefreshing, "its spec has changed and waits to be synced"
	}
	return s
}

// specChanged compares the generation with the one that was synced last, which
// the controller notes as the first part of the synced version.
func specChanged(e *esv1.ExternalSecret) bool {
	synced, _, found := strings.Cut(e.Status.SyncedResourceVersion, "-")
	return found && e.Spec.RefreshPolicy != esv1.RefreshCreatedOnce && synced != fmt.Sprint(e.Generation)
}
