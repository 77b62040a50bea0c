package gitops

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationForceSync is what users of External Secrets change to have a
// secret read again: any annotation would do.
const annotationForceSync = "force-sync"

// Request says what a reconcile is to do beyond the usual.
type Request struct {
	// Force makes a HelmRelease install or upgrade though nothing has changed.
	Force bool
	// Reset makes a HelmRelease forget its failures.
	Reset bool
}

// Asked is a request that was made of a reconciler.
type Asked struct {
	ask Ask
	// token is the value of the annotation.
	token   string
	request Request
	// synced is how an object of External Secrets stood before.
	synced string
}

// Reconcile asks an object's reconciler to act at once, and returns the object
// as it then is.
func (c *Cluster) Reconcile(ctx context.Context, o Object, r Request) (Object, Asked, error) {
	asked := Asked{ask: o.Kind.Ask, request: r, token: time.Now().Format(time.RFC3339Nano), synced: syncMark(o.Unstructured)}
	annotations := map[string]any{}
	switch o.Kind.Ask {
	case AskFlux:
		annotations[meta.ReconcileRequestAnnotation] = asked.token
		if r.Force {
			annotations[helmv2.ForceRequestAnnotation] = asked.token
		}
		if r.Reset {
			annotations[helmv2.ResetRequestAnnotation] = asked.token
		}
	case AskExternalSecrets:
		annotations[annotationForceSync] = asked.token
	default:
		return o, asked, fmt.Errorf("%s is not reconciled by anything: it is only read", o.ID())
	}
	patched, err := c.patch(ctx, o, map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err != nil {
		return o, asked, fmt.Errorf("ask for a reconcile of %s: %w", o.ID(), err)
	}
	return patched, asked, nil
}

// Handled reports whether a reconciler has acted on a request, as the object
// shows it by now. Where an ExternalSecret fails as it did before, nothing
// shows it.
func (a Asked) Handled(obj *unstructured.Unstructured) bool {
	switch a.ask {
	case AskFlux:
		return a.noted(obj, "lastHandledReconcileAt") &&
			(!a.request.Force || a.noted(obj, "lastHandledForceAt")) &&
			(!a.request.Reset || a.noted(obj, "lastHandledResetAt"))
	case AskExternalSecrets:
		return syncMark(obj) != a.synced
	case askGeneration:
		return observed(obj)
	}
	return true
}

// noted reports whether a reconciler has noted the request in its status.
func (a Asked) noted(obj *unstructured.Unstructured, field string) bool {
	handled, _, _ := unstructured.NestedString(obj.Object, "status", field)
	return handled == a.token
}

// Generation returns a request that is handled once a reconciler has seen the
// present spec of an object.
func Generation(o Object) Asked {
	if o.Static() || o.Kind.Pause == PauseAnnotation {
		return Asked{}
	}
	return Asked{ask: askGeneration}
}

// askGeneration is to change the spec.
const askGeneration Ask = "generation"

// observed reports whether the status, or its Ready condition, is about the
// present spec.
func observed(obj *unstructured.Unstructured) bool {
	if seen, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration"); seen == obj.GetGeneration() {
		return true
	}
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, entry := range list {
		c, _ := entry.(map[string]any)
		seen, _, _ := unstructured.NestedInt64(c, "observedGeneration")
		if c["type"] == meta.ReadyCondition && seen == obj.GetGeneration() {
			return true
		}
	}
	return false
}

// syncMark is what changes in the status of an object of External Secrets when
// it was looked at again.
func syncMark(obj *unstructured.Unstructured) string {
	status := map[string]any{}
	for _, field := range []string{"refreshTime", "syncedResourceVersion", "conditions"} {
		if value, ok, _ := unstructured.NestedFieldNoCopy(obj.Object, "status", field); ok {
			status[field] = value
		}
	}
	// What came from JSON can become JSON.
	mark, _ := json.Marshal(status)
	return string(mark)
}

// patch merges a change into an object.
func (c *Cluster) patch(ctx context.Context, o Object, change map[string]any) (Object, error) {
	data, err := json.Marshal(change)
	if err != nil {
		return o, err
	}
	patched := &unstructured.Unstructured{}
	patched.SetGroupVersionKind(o.GroupVersionKind())
	patched.SetNamespace(o.GetNamespace())
	patched.SetName(o.GetName())
	if err := c.Patch(ctx, patched, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager)); err != nil {
		return o, err
	}
	return Object{patched, o.Kind}, nil
}
