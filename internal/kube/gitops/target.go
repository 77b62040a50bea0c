package gitops

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxTargets bounds how many objects one command may name.
const maxTargets = 1000

// Target is an object as a person names it.
type Target struct {
	// Kind is any name of its kind.
	Kind string
	// Namespace may be left out where the name is unique without it.
	Namespace, Name string
}

// String returns the target as it is typed.
func (t Target) String() string {
	if t.Namespace == "" {
		return t.Kind + "/" + t.Name
	}
	return t.Kind + "/" + t.Namespace + "/" + t.Name
}

// ParseTargets reads objects: KIND/NAME or KIND/NAMESPACE/NAME each, or a KIND
// followed by names.
func ParseTargets(args []string) ([]Target, error) {
	if len(args) > maxTargets {
		return nil, fmt.Errorf("%d objects are more than the %d that can be named at once", len(args), maxTargets)
	}
	if len(args) > 0 && !strings.Contains(args[0], "/") {
		return namesOf(args[0], args[1:])
	}
	var targets []Target
	for _, arg := range args {
		parts := strings.Split(arg, "/")
		if len(parts) == 2 {
			parts = []string{parts[0], "", parts[1]}
		}
		if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
			return nil, fmt.Errorf("%q names no object: write KIND/NAME, for example ks/apps", arg)
		}
		targets = append(targets, Target{Kind: parts[0], Namespace: parts[1], Name: parts[2]})
	}
	return targets, nil
}

// namesOf reads the names that follow a kind.
func namesOf(kind string, names []string) ([]Target, error) {
	if kind == "" || len(names) == 0 {
		return nil, fmt.Errorf("%q names no object: write KIND/NAME or KIND NAME, for example ks/apps", kind)
	}
	var targets []Target
	for _, name := range names {
		if name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%q is no name: behind a kind (%s) come names only", name, kind)
		}
		targets = append(targets, Target{Kind: kind, Name: name})
	}
	return targets, nil
}

// NotFoundError says that there is no such object, or that there are several.
type NotFoundError struct {
	Kind, Namespace, Name string
	// Namespaces are those that have one of the name.
	Namespaces []string
}

func (e *NotFoundError) Error() string {
	if len(e.Namespaces) > 1 {
		return fmt.Sprintf("there are several %s of the name %q, in the namespaces %s: choose with -n", e.Kind, e.Name, strings.Join(e.Namespaces, ", "))
	}
	where := "in any namespace"
	if e.Namespace != "" {
		where = "in namespace " + e.Namespace
	}
	return fmt.Sprintf("there is no %s %q %s", e.Kind, e.Name, where)
}

// Object is one object of a cluster, with what is known of its kind.
type Object struct {
	*unstructured.Unstructured
	Kind Kind
}

// ID names the object for a person.
func (o Object) ID() string {
	if o.GetNamespace() == "" {
		return o.Kind.Kind + " " + o.GetName()
	}
	return o.Kind.Kind + " " + o.GetNamespace() + "/" + o.GetName()
}

// Find returns the object that a target means. Without a namespace, neither in
// the target nor given, the name must be unique in the cluster. Its error is a
// *NotFoundError, *UnknownKindError or *NotServedError, or that of the cluster.
func (c *Cluster) Find(ctx context.Context, t Target, namespace string) (Object, error) {
	kind, err := c.KindOf(t.Kind)
	if err != nil {
		return Object{}, err
	}
	if t.Namespace != "" {
		namespace = t.Namespace
	}
	if kind.ClusterScoped {
		namespace = ""
	} else if namespace == "" {
		if namespace, err = c.search(ctx, kind, t.Name); err != nil {
			return Object{}, err
		}
	}
	return c.Object(ctx, kind, types.NamespacedName{Namespace: namespace, Name: t.Name})
}

// Object reads one object. Its error is a *NotFoundError where there is none.
func (c *Cluster) Object(ctx context.Context, kind Kind, key types.NamespacedName) (Object, error) {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(kind.GroupVersionKind)
	err := c.Get(ctx, key, obj)
	if apierrors.IsNotFound(err) {
		return Object{}, &NotFoundError{Kind: kind.Kind, Namespace: key.Namespace, Name: key.Name}
	}
	if err != nil {
		return Object{}, fmt.Errorf("read %s %s: %w", kind.Kind, key, err)
	}
	return Object{obj, kind}, nil
}

// search finds the one namespace that has an object of a name.
func (c *Cluster) search(ctx context.Context, kind Kind, name string) (string, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := c.List(ctx, list, client.MatchingFields{"metadata.name": name}); err != nil {
		return "", fmt.Errorf("search for %s %q: %w", kind.Kind, name, err)
	}
	var found []string
	for _, item := range list.Items {
		found = append(found, item.Namespace)
	}
	if len(found) != 1 {
		return "", &NotFoundError{Kind: kind.Kind, Name: name, Namespaces: found}
	}
	return found[0], nil
}

// All returns the objects of a kind, by namespace and name.
func (c *Cluster) All(ctx context.Context, kind Kind, namespace string) ([]Object, error) {
	var found []Object
	next := ""
	for {
		list := emptyList(kind)
		if err := c.List(ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list objects of kind %s: %w", kind.Kind, err)
		}
		for i := range list.Items {
			found = append(found, Object{&list.Items[i], kind})
		}
		if next = list.GetContinue(); next == "" {
			return found, nil
		}
	}
}

// pageSize is how many objects are asked for at once.
const pageSize = 500

func emptyList(kind Kind) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}
