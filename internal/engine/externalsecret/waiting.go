package externalsecret

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// waits reports whether an ExternalSecret has to wait for a store, and writes
// down which. One that was in sync stays what it is; one that failed keeps its
// failure, told anew.
func (r *reconciler) waits(ctx context.Context, es *v1.ExternalSecret) (bool, error) {
	name := client.ObjectKeyFromObject(es)
	// Noted before the stores are looked at, so that no change of theirs is missed.
	r.memory.change(name, func(known *recollection) { known.waiting = true })
	for _, key := range storesOf(es) {
		why, err := r.notReady(ctx, key)
		if err != nil {
			return false, err
		}
		if why == "" {
			continue
		}
		c := v1.Condition{
			Type: v1.ConditionReady, Status: corev1.ConditionUnknown,
			Reason: v1.ReasonStoreNotReady, Message: why,
		}
		if old := v1.GetCondition(es.Status.Conditions, v1.ConditionReady); old != nil && old.Status != corev1.ConditionUnknown {
			c.Status, c.Reason = corev1.ConditionFalse, v1.ReasonSecretSyncedError
		}
		return true, r.report(ctx, es, func(s *v1.ExternalSecretStatus) { v1.SetCondition(&s.Conditions, c) })
	}
	r.memory.change(name, func(known *recollection) { known.waiting = false })
	return false, nil
}

// notReady says why a store cannot be read from; empty if it can.
func (r *reconciler) notReady(ctx context.Context, key storeKey) (string, error) {
	store, err := getStore(ctx, r.client, key)
	if apierrors.IsNotFound(err) {
		return key.String() + " does not exist", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	c := v1.GetCondition(store.StoreStatus().Conditions, v1.ConditionReady)
	switch {
	case !isOurs(store):
		return fmt.Sprintf("%s is left to the controller %q", key, store.StoreSpec().Controller), nil
	case c == nil:
		return key.String() + " has not been validated yet", nil
	case c.Status != corev1.ConditionTrue:
		return key.String() + " is not ready: " + c.Message, nil
	}
	return "", nil
}

// admitted reports, as an error, that a ClusterSecretStore's conditions keep a
// namespace out.
func (r *reconciler) admitted(ctx context.Context, from string, store v1.Store) error {
	conditions := store.StoreSpec().Conditions
	if _, cluster := store.(*v1.ClusterSecretStore); !cluster || len(conditions) == 0 {
		return nil
	}
	var namespace corev1.Namespace
	if err := r.client.Get(ctx, types.NamespacedName{Name: from}, &namespace); err != nil {
		return fmt.Errorf("read the Namespace %s: %w", from, err)
	}
	for _, c := range conditions {
		ok, err := admits(c, &namespace)
		if err != nil {
			return fmt.Errorf("%s: %w", keyOf(store), err)
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("%s does not admit the namespace %s: see its spec.conditions", keyOf(store), from)
}

func admits(c v1.ClusterSecretStoreCondition, namespace *corev1.Namespace) (bool, error) {
	if slices.Contains(c.Namespaces, namespace.Name) {
		return true, nil
	}
	for _, pattern := range c.NamespaceRegexes {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return false, fmt.Errorf("%q in spec.conditions is no regular expression: %w", pattern, err)
		}
		if re.MatchString(namespace.Name) {
			return true, nil
		}
	}
	if c.NamespaceSelector == nil {
		return false, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(c.NamespaceSelector)
	if err != nil {
		return false, fmt.Errorf("namespaceSelector in spec.conditions: %w", err)
	}
	return selector.Matches(labels.Set(namespace.Labels)), nil
}
