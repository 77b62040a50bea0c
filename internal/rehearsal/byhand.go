package rehearsal

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"hearth/internal/manifest/edit"
)

// handOwner is whose fields those are that were edited by hand, as kubectl
// calls itself.
const handOwner = "kubectl-edit"

// editByHand does what KIND/NAMESPACE/NAME:PATH=VALUE says to an object of the
// cluster, as somebody with kubectl would.
func (s *Stage) editByHand(ctx context.Context, mistake string) error {
	target, rest, ok := strings.Cut(mistake, ":")
	spelled, value, set := cutValue(rest)
	if !ok || !set {
		return fmt.Errorf("%q is not of the form KIND/NAMESPACE/NAME:PATH=VALUE", mistake)
	}
	path, err := edit.FieldPath(spelled)
	if err != nil {
		return err
	}
	return s.change(ctx, target, func(obj *unstructured.Unstructured) error { return setField(obj.Object, path, scalar(value)) })
}

// servedKind finds a kind by its name, or Kind.group.
func (s *Stage) servedKind(name string) (schema.GroupVersionKind, error) {
	kind, group, grouped := strings.Cut(name, ".")
	served, err := discovery.NewDiscoveryClientForConfig(s.kubernetes.Config())
	if err != nil {
		return schema.GroupVersionKind{}, err
	}
	lists, err := served.ServerPreferredResources()
	if err != nil && len(lists) == 0 {
		return schema.GroupVersionKind{}, fmt.Errorf("ask which kinds there are: %w", err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || grouped && gv.Group != group {
			continue
		}
		for _, resource := range list.APIResources {
			if strings.EqualFold(resource.Kind, kind) {
				return gv.WithKind(resource.Kind), nil
			}
		}
	}
	return schema.GroupVersionKind{}, fmt.Errorf("the cluster has no kind %s", name)
}

// scalar reads a value as YAML does a plain one.
func scalar(value string) any {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return n
	}
	if value == "true" || value == "false" {
		return value == "true"
	}
	if unquoted, err := strconv.Unquote(value); err == nil {
		return unquoted
	}
	return value
}

// setField sets a field of an object; null takes it out.
func setField(object map[string]any, path []string, value any) error {
	var at any = object
	for i, step := range path[:len(path)-1] {
		next, ok := child(at, step)
		if parent, isMap := at.(map[string]any); !ok && isMap {
			next = map[string]any{}
			parent[step], ok = next, true
		}
		if !ok {
			return fmt.Errorf("it has no %s", strings.Join(path[:i+1], "."))
		}
		at = next
	}
	last := path[len(path)-1]
	switch parent := at.(type) {
	case map[string]any:
		if value == "null" {
			delete(parent, last)
		} else {
			parent[last] = value
		}
		return nil
	case []any:
		if i, err := strconv.Atoi(last); err == nil && i >= 0 && i < len(parent) {
			parent[i] = value
			return nil
		}
	}
	return fmt.Errorf("it has no %s", strings.Join(path, "."))
}

func child(at any, step string) (any, bool) {
	switch parent := at.(type) {
	case map[string]any:
		next, ok := parent[step]
		return next, ok
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(parent) {
			return parent[i], true
		}
	}
	return nil, false
}
