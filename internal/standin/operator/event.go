package operator

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxMessage bounds an event's message, as the API server does.
const maxMessage = 1024

// Event is something that happened to an object.
type Event struct {
	// Object is what it happened to.
	Object corev1.ObjectReference
	// Component is who says so.
	Component string
	// Type is Normal or Warning.
	Type    string
	Reason  string
	Message string
}

// Write writes an event. One that is there already is counted.
func (e Event) Write(ctx context.Context, c client.Client) error {
	namespace := e.Object.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // where events of cluster-wide objects are
	}
	if len(e.Message) > maxMessage {
		e.Message = e.Message[:maxMessage]
	}
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s|%s|%s|%s|%s", e.Object.UID, e.Component, e.Type, e.Reason, e.Message)
	now := metav1.NewTime(time.Now())
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%016x", e.Object.Name, hash.Sum64())},
		InvolvedObject: e.Object,
		Type:           e.Type, Reason: e.Reason, Message: e.Message,
		Source:         corev1.EventSource{Component: e.Component},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
		ReportingController: e.Component,
	}
	err := c.Create(ctx, event)
	if apierrors.IsAlreadyExists(err) {
		err = count(ctx, c, event)
	}
	// The namespace may be going.
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell the event %s of %s %s/%s: %w", e.Reason, e.Object.Kind, e.Object.Namespace, e.Object.Name, err)
	}
	return nil
}

// count says that an event has happened once more.
func count(ctx context.Context, c client.Client, event *corev1.Event) error {
	had := &corev1.Event{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(event), had); err != nil {
		return err
	}
	before := had.DeepCopy()
	had.Count, had.LastTimestamp = had.Count+1, event.LastTimestamp
	return c.Patch(ctx, had, client.MergeFrom(before))
}

// Tell writes an event of the object, by its operator.
func (v *Visit) Tell(ctx context.Context, component, kind, reason, format string, args ...any) error {
	return Event{
		Object: corev1.ObjectReference{
			APIVersion: v.Object.GetAPIVersion(), Kind: v.Object.GetKind(),
			Namespace: v.Object.GetNamespace(), Name: v.Object.GetName(), UID: v.Object.GetUID(),
			ResourceVersion: v.Object.GetResourceVersion(),
		},
		Component: component, Type: kind, Reason: reason, Message: fmt.Sprintf(format, args...),
	}.Write(ctx, v.Client)
}

// TellOnce writes an event that this run has not told of this object yet.
func (v *Visit) TellOnce(ctx context.Context, component, kind, reason, format string, args ...any) error {
	id := reason + " " + fmt.Sprintf(format, args...)
	if v.state.happened[id] {
		return nil
	}
	if err := v.Tell(ctx, component, kind, reason, format, args...); err != nil {
		return err
	}
	v.state.happened[id] = true
	return nil
}
