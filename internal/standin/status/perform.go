package status

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/standin/operator"
)

var (
	errNotMap     = errors.New("the status expression has to yield a map")
	errNotObjects = errors.New("the objects expression has to yield a list of objects with apiVersion, kind and metadata.name")
)

// prepare computes the status and the objects that a row asks for.
func (r *rule) prepare(ctx context.Context, obj *unstructured.Unstructured, seed uint64) (map[string]any, []*unstructured.Unstructured, error) {
	status := runtime.DeepCopyJSON(operator.Status(obj))
	own := seedOf(seed, obj.GetKind()+" "+obj.GetNamespace()+"/"+obj.GetName())
	if r.status != nil {
		value, err := r.status.eval(ctx, obj.Object, own)
		if err != nil {
			return nil, nil, fmt.Errorf("evaluate the status: %w", err)
		}
		more, ok := value.(map[string]any)
		if !ok {
			return nil, nil, errNotMap
		}
		merge(status, more)
	}
	if len(r.Conditions) > 0 {
		operator.Conditions(status, obj.GetGeneration(), r.Conditions...)
	}
	if r.objects == nil {
		return status, nil, nil
	}
	value, err := r.objects.eval(ctx, obj.Object, own)
	if err != nil {
		return nil, nil, fmt.Errorf("evaluate the objects: %w", err)
	}
	wanted, err := asObjects(value)
	return status, wanted, err
}

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

func asObjects(value any) ([]*unstructured.Unstructured, error) {
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
		list = append(list, obj)
	}
	return list, nil
}
