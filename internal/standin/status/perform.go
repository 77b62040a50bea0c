package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
)

// performance is one look at one object.
type performance struct {
	*player
	kind kind
	obj  *unstructured.Unstructured

	had, want map[string]any               // the status
	wanted    []*unstructured.Unstructured // the objects to make
}

// prepare computes the status and the objects that the row asks for.
func (w *performance) prepare(ctx context.Context) error {
	w.had, _, _ = unstructured.NestedMap(w.obj.Object, "status")
	w.want = runtime.DeepCopyJSON(w.had)
	if w.want == nil {
		w.want = map[string]any{}
	}
	seed := seedOf(w.Seed, w.obj.GetKind()+" "+w.obj.GetNamespace()+"/"+w.obj.GetName())
	if e := w.kind.rule.status; e != nil {
		value, err := e.eval(ctx, w.obj.Object, seed)
		if err != nil {
			return fmt.Errorf("evaluate the status: %w", err)
		}
		status, ok := value.(map[string]any)
		if !ok {
			return errNotMap
		}
		merge(w.want, status)
	}
	w.setConditions()
	if e := w.kind.rule.objects; e != nil {
		value, err := e.eval(ctx, w.obj.Object, seed)
		if err != nil {
			return fmt.Errorf("evaluate the objects: %w", err)
		}
		if w.wanted, err = w.asObjects(value); err != nil {
			return err
		}
	}
	return nil
}

// done reports whether the status is as it should be.
func (w *performance) done() bool { return equality.Semantic.DeepEqual(w.had, w.want) }

// merge puts b over a; maps are merged, all else is replaced.
func merge(a, b map[string]any) {
	for key, value := range b {
		into, isMap := a[key].(map[string]any)
		from, ok := value.(map[string]any)
		if isMap && ok {
			merge(into, from)
			continue
		}
		a[key] = value
	}
}

// setConditions sets the row's conditions among those that are there.
func (w *performance) setConditions() {
	if len(w.kind.rule.Conditions) == 0 {
		return
	}
	list, _ := w.want["conditions"].([]any)
	for _, c := range w.kind.rule.Conditions {
		list = setCondition(list, c, w.obj.GetGeneration())
	}
	w.want["conditions"] = list
}

func setCondition(list []any, c Condition, generation int64) []any {
	status, reason := c.Status, c.Reason
	if status == "" {
		status = "True"
	}
	if reason == "" {
		reason = "Ready"
	}
	want := map[string]any{
		"type": c.Type, "status": status, "reason": reason, "message": c.Message,
		"observedGeneration": generation,
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}
	for i, item := range list {
		had, ok := item.(map[string]any)
		if !ok || had["type"] != c.Type {
			continue
		}
		if had["status"] != status {
			list[i] = want
			return list
		}
		// What the definition has no room for was dropped, and is not missed.
		for _, field := range []string{"reason", "message", "observedGeneration"} {
			if _, kept := had[field]; kept {
				had[field] = want[field]
			}
		}
		return list
	}
	return append(list, want)
}

// write sends the status.
func (w *performance) write(ctx context.Context) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": w.obj.GetUID()},
		"status":   w.want,
	})
	if err != nil {
		return err
	}
	target := &unstructured.Unstructured{}
	target.SetGroupVersionKind(w.obj.GroupVersionKind())
	target.SetNamespace(w.obj.GetNamespace())
	target.SetName(w.obj.GetName())
	raw := client.RawPatch(types.MergePatchType, patch)
	if w.kind.subStatus {
		err = w.client.Status().Patch(ctx, target, raw)
	} else {
		err = w.client.Patch(ctx, target, raw)
	}
	if err != nil {
		return fmt.Errorf("write the status of %s %s/%s: %w", w.obj.GetKind(), w.obj.GetNamespace(), w.obj.GetName(), err)
	}
	return nil
}

var errNotObjects = errors.New("the objects expression has to yield a list of objects with apiVersion, kind and metadata.name")

// asObjects completes what the expression yields: namespace, owner, label.
func (w *performance) asObjects(value any) ([]*unstructured.Unstructured, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, errNotObjects
	}
	var list []*unstructured.Unstructured
	for _, item := range items {
		content, ok := item.(map[string]any)
		if !ok {
			return nil, errNotObjects
		}
		obj := &unstructured.Unstructured{Object: content}
		if obj.GetAPIVersion() == "" || obj.GetKind() == "" || obj.GetName() == "" {
			return nil, errNotObjects
		}
		if obj.GetNamespace() == "" {
			obj.SetNamespace(w.obj.GetNamespace())
		}
		labels := maps.Clone(obj.GetLabels())
		if labels == nil {
			labels = map[string]string{}
		}
		labels["app.kubernetes.io/managed-by"] = "hearth"
		obj.SetLabels(labels)
		if !w.kind.rule.Keep && obj.GetNamespace() == w.obj.GetNamespace() {
			yes := true
			obj.SetOwnerReferences([]metav1.OwnerReference{{
				APIVersion: w.obj.GetAPIVersion(), Kind: w.obj.GetKind(), Name: w.obj.GetName(), UID: w.obj.GetUID(),
				Controller: &yes, BlockOwnerDeletion: &yes,
			}})
		}
		list = append(list, obj)
	}
	return list, nil
}

// makeObjects makes the objects that are missing. What is there is left as it is.
func (w *performance) makeObjects(ctx context.Context) error {
	for _, obj := range w.wanted {
		_, err := w.Objects.Get(ctx, objects.KeyOf(obj))
		if err == nil {
			continue
		}
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("look for the %s %s/%s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), err)
		}
		err = w.client.Create(ctx, obj)
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("make the %s %s/%s of %s %s: %w", obj.GetKind(), obj.GetNamespace(), obj.GetName(), w.obj.GetKind(), w.obj.GetName(), err)
		}
	}
	return nil
}
