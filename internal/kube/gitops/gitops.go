// Package gitops knows the objects by which a cluster follows Git: Flux's,
// flux-operator's and those of External Secrets. It finds them by the names
// that people type, asks their reconcilers for a reconcile, suspends and
// resumes them, and waits by watching until something holds of one.
//
// All it ever writes are the annotations by which a reconciler is asked, and
// spec.suspend, so that it may be pointed at any cluster, whoever reconciles
// it. What the state of an object means is left to package observe.
package gitops

import (
	"errors"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/scheme"
)

// fieldManager is who writes, as the API server records it.
const fieldManager = "hearth"

// Cluster is a cluster that follows Git. Its methods may be called
// concurrently.
type Cluster struct {
	client.WithWatch
	config *rest.Config
}

// Open returns a cluster to work with. Little is contacted yet.
func Open(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // the server's own fairness bounds it
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster at %s: %w", config.Host, err)
	}
	return &Cluster{WithWatch: c, config: config}, nil
}

// KindOf returns the kind of a name that people type: one of Flux's and their
// like by any of its names, and any other that the cluster serves by those
// that kubectl knows.
func (c *Cluster) KindOf(name string) (Kind, error) {
	if kind, ok := ParseKind(name); ok {
		return c.served(kind)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return Kind{}, fmt.Errorf("ask the cluster for its kinds: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(disco)
	if err != nil {
		return Kind{}, fmt.Errorf("ask the cluster for its kinds: %w", err)
	}
	mapper := restmapper.NewShortcutExpander(restmapper.NewDiscoveryRESTMapper(groups), disco, nil)
	resource, group := schema.ParseResourceArg(name)
	if resource != nil {
		if gvk, err := mapper.KindFor(*resource); err == nil {
			return other(mapper, gvk)
		}
	}
	gvk, err := mapper.KindFor(group.WithVersion(""))
	if err != nil {
		return Kind{}, &UnknownKindError{Name: name}
	}
	return other(mapper, gvk)
}

// UnknownKindError says that neither Hearth nor the cluster knows a kind.
type UnknownKindError struct{ Name string }

func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("there is no kind %q: neither Flux nor the cluster has one of that name", e.Name)
}

func other(mapper apimeta.RESTMapper, gvk schema.GroupVersionKind) (Kind, error) {
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return Kind{}, fmt.Errorf("ask the cluster for kind %s: %w", gvk.Kind, err)
	}
	return Kind{GroupVersionKind: gvk, ClusterScoped: mapping.Scope.Name() == apimeta.RESTScopeNameRoot}, nil
}

// served returns a kind in the version that the cluster serves.
func (c *Cluster) served(kind Kind) (Kind, error) {
	mapping, err := c.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if apimeta.IsNoMatchError(err) {
		mapping, err = c.RESTMapper().RESTMapping(kind.GroupKind())
	}
	if apimeta.IsNoMatchError(err) {
		return Kind{}, &NotServedError{Kind: kind}
	}
	if err != nil {
		return Kind{}, fmt.Errorf("ask the cluster for kind %s: %w", kind.Kind, err)
	}
	kind.GroupVersionKind = mapping.GroupVersionKind
	return kind, nil
}

// NotServedError says that the cluster lacks the definition of a known kind.
type NotServedError struct{ Kind Kind }

func (e *NotServedError) Error() string {
	return fmt.Sprintf("the cluster has no objects of kind %s: %s is not defined there", e.Kind.Kind, e.Kind.GroupVersion())
}

// Served returns the kinds of Kinds that the cluster serves, in their order.
func (c *Cluster) Served() ([]Kind, error) {
	var served []Kind
	for _, kind := range Kinds {
		kind, err := c.served(kind)
		var not *NotServedError
		switch {
		case errors.As(err, &not):
		case err != nil:
			return nil, err
		default:
			served = append(served, kind)
		}
	}
	return served, nil
}
