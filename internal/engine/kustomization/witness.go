package kustomization

import (
	"context"
	"fmt"
	"strings"
	"sync"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/drift"
	"hearth/internal/kube/objects"
)

// driftReason is the reason of events that tell of drift.
const driftReason = "DriftCorrected"

// witness keeps how objects were before an apply wrote them, and how they were
// afterwards, to tell what the apply corrected.
type witness struct {
	client.Client

	mu      sync.Mutex
	before  map[objects.Key]*unstructured.Unstructured // nil for one that was not there
	written map[objects.Key]*unstructured.Unstructured
}

func newWitness(kube client.Client) *witness {
	return &witness{Client: kube, before: map[objects.Key]*unstructured.Unstructured{}, written: map[objects.Key]*unstructured.Unstructured{}}
}

// Get reads an object. Only the first look at it is from before the apply.
func (w *witness) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	err := w.Client.Get(ctx, key, obj, opts...)
	u, ok := obj.(*unstructured.Unstructured)
	if !ok || err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	id := objects.Key{GroupVersionKind: u.GroupVersionKind(), NamespacedName: key}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, seen := w.before[id]; seen {
		return err
	}
	w.before[id] = nil
	if err == nil {
		// Whoever writes to it later replaces its content as a whole.
		w.before[id] = &unstructured.Unstructured{Object: u.Object}
	}
	return err
}

// Patch applies an object. What cleans up managed fields before that is no
// correction yet.
func (w *witness) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	asked := client.ObjectKeyFromObject(obj)
	if err := w.Client.Patch(ctx, obj, patch, opts...); err != nil {
		return err
	}
	u, ok := obj.(*unstructured.Unstructured)
	if options := (&client.PatchOptions{}).ApplyOptions(opts); ok && len(options.DryRun) == 0 && patch.Type() == types.ApplyPatchType {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.written[objects.Key{GroupVersionKind: u.GroupVersionKind(), NamespacedName: asked}] = u
	}
	return nil
}

// tellDrift tells what an apply corrected, as opposed to what Git changed:
// fields that others had written, and, where Git asks for the same as before,
// those that were gone, and objects that were deleted.
func (a *applier) tellDrift(saw *witness, before *kustomizev1.ResourceInventory) {
	listed := map[string]bool{}
	if before != nil {
		for _, entry := range before.Entries {
			listed[entry.ID] = true
		}
	}
	again := a.obj.Status.LastAppliedRevision == a.revision && a.obj.Status.ObservedGeneration == a.obj.Generation
	var lines []string
	for _, obj := range a.objects {
		key := objects.KeyOf(obj)
		written := saw.written[key]
		if written == nil {
			continue
		}
		name := subject(written)
		switch live := saw.before[key]; {
		case live == nil:
			if listed[idOf(written)] {
				lines = append(lines, name+" created again: it was deleted")
			}
		case live.GetUID() != written.GetUID(), !drift.Applied(live):
			// Made anew because Git asks for it, or taken over from others.
		default:
			if fields := corrections(live, written, again || a.ledger.repeats(key)); len(fields) > 0 {
				lines = append(lines, drift.Corrected(name, fields))
			}
		}
	}
	if len(lines) > 0 {
		a.eventFor(corev1.EventTypeNormal, driftReason, a.mask(strings.Join(lines, "\n")))
	}
}

// corrections are the fields that others had changed. What nobody else wrote
// is one only where Git asks for the same as before.
func corrections(live, written *unstructured.Unstructured, again bool) []drift.Field {
	var fields []drift.Field
	for _, f := range drift.Compare(live, written) {
		if again || !f.Ours {
			fields = append(fields, f)
		}
	}
	return fields
}

// subject names an object as people do: "Deployment media/app".
func subject(obj *unstructured.Unstructured) string {
	if obj.GetNamespace() == "" {
		return fmt.Sprintf("%s %s", obj.GetKind(), obj.GetName())
	}
	return fmt.Sprintf("%s %s/%s", obj.GetKind(), obj.GetNamespace(), obj.GetName())
}
