package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Suspended reports whether an object's reconciler leaves it alone.
func (o Object) Suspended() bool {
	switch o.Kind.Pause {
	case PauseSpec:
		suspended, _, _ := unstructured.NestedBool(o.Object, "spec", "suspend")
		return suspended
	case PauseAnnotation:
		return strings.EqualFold(o.GetAnnotations()[o.pauseAnnotation()], "disabled")
	}
	return false
}

// pauseAnnotation is the annotation that suspends: each operator has its own group's.
func (o Object) pauseAnnotation() string { return o.Kind.Group + "/reconcile" }

// Suspend makes an object's reconciler leave it alone, or look after it again,
// and returns the object as it then is. An object that is so already is not
// written.
func (c *Cluster) Suspend(ctx context.Context, o Object, suspend bool) (Object, error) {
	if o.Kind.Pause == "" {
		return o, fmt.Errorf("%s cannot be suspended: objects of its kind have no such field", o.ID())
	}
	if o.Suspended() == suspend {
		return o, nil
	}
	change := map[string]any{"spec": map[string]any{"suspend": suspend}}
	if o.Kind.Pause == PauseAnnotation {
		value := "enabled"
		if suspend {
			value = "disabled"
		}
		change = map[string]any{"metadata": map[string]any{"annotations": map[string]any{o.pauseAnnotation(): value}}}
	}
	patched, err := c.patch(ctx, o, change)
	if err != nil {
		verb := "resume"
		if suspend {
			verb = "suspend"
		}
		return o, fmt.Errorf("%s %s: %w", verb, o.ID(), err)
	}
	return patched, nil
}

// Keeper says who keeps a field of an object as Git has it: a Kustomization or
// HelmRelease that applied the object.
type Keeper struct {
	// ID names the Kustomization or HelmRelease.
	ID string
	// Sets says that it sets the field itself, and will set it back.
	Sets bool
}

// SuspensionKeeper tells whether Git has a say in whether an object is
// suspended: which Kustomization or HelmRelease applies it, and whether it
// sets the field. ok is false where none applies it.
func (o Object) SuspensionKeeper() (k Keeper, ok bool) {
	labels := o.GetLabels()
	for _, owner := range []struct{ kind, group string }{{"Kustomization", "kustomize.toolkit.fluxcd.io"}, {"HelmRelease", "helm.toolkit.fluxcd.io"}} {
		name, namespace := labels[owner.group+"/name"], labels[owner.group+"/namespace"]
		if name == "" || owner.kind == o.Kind.Kind && name == o.GetName() && namespace == o.GetNamespace() {
			continue
		}
		return Keeper{ID: fmt.Sprintf("%s %s/%s", owner.kind, namespace, name), Sets: o.suspensionManaged()}, true
	}
	return Keeper{}, false
}

// suspensionManaged reports whether somebody else than this package manages
// the field by server-side apply, as those do who follow Git.
func (o Object) suspensionManaged() bool {
	field := []byte(`"f:suspend"`)
	if o.Kind.Pause == PauseAnnotation {
		// What came from JSON can become JSON.
		field, _ = json.Marshal("f:" + o.pauseAnnotation())
	}
	for _, entry := range o.GetManagedFields() {
		if entry.Operation == "Apply" && entry.FieldsV1 != nil && bytes.Contains(entry.FieldsV1.Raw, field) {
			return true
		}
	}
	return false
}
