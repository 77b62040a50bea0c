package observe

import (
	"context"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
)

const (
	// pageSize is how many objects are asked for at once.
	pageSize = 500
	// maxOwnerKinds bounds how many further kinds are read to find whose a pod is.
	maxOwnerKinds = 32
)

// Sight is what a look at a cluster saw.
type Sight struct {
	Objects []Object
	// Late is what the temporal rules speak of.
	Late []Late
	// Closed are the kinds that may not be read, in order.
	Closed []string
}

// Read looks at a cluster once. Kinds that it does not serve are left out, and
// so is, without being told as closed, what may not be read of Secrets,
// ConfigMaps and workloads, of which only names and marks are read anyway.
// Since is by the objects' own account.
func Read(ctx context.Context, config *rest.Config) (*Sight, error) {
	r, err := look(ctx, config, false)
	if err != nil {
		return nil, err
	}
	return &Sight{Objects: r.watcher.Snapshot(), Late: r.watcher.Overdue(time.Now()), Closed: r.watcher.Closed()}, nil
}

// ReadAll looks at a cluster once as Read does, at the further kinds too.
func ReadAll(ctx context.Context, config *rest.Config) (*Sight, error) {
	r, err := look(ctx, config, true)
	if err != nil {
		return nil, err
	}
	return &Sight{Objects: r.watcher.All(), Late: r.watcher.Overdue(time.Now()), Closed: r.watcher.Closed()}, nil
}

// look reads a cluster into a watcher that does not go on.
func look(ctx context.Context, config *rest.Config, wide bool) (*reader, error) {
	c, err := client.New(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster at %s: %w", config.Host, err)
	}
	r := &reader{client: c, watcher: newWatcher(time.Now)}
	// To an onlooker who has just arrived all objects were there before.
	r.watcher.started = time.Now().Add(time.Hour)
	if err := r.all(ctx); err != nil || !wide {
		return r, err
	}
	r.watcher.Widen()
	return r, r.further(ctx)
}

type reader struct {
	client  client.Client
	watcher *Watcher
}

// all reads what states are looked up in before what they are derived for.
func (r reader) all(ctx context.Context) error {
	for _, kind := range []schema.GroupVersionKind{secretKind, configMapKind} {
		seen, err := r.marks(ctx, kind)
		if err != nil {
			return err
		}
		r.watcher.hidden[kind.Kind] = !seen
	}
	for _, kind := range workloadKinds {
		if _, err := r.marks(ctx, kind); err != nil {
			return err
		}
	}
	for _, kind := range []schema.GroupVersionKind{clusterStoreKind, storeKind, externalSecretKind} {
		if err := r.list(ctx, kind, untyped(kind)); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		kind schema.GroupVersionKind
		list client.ObjectList
	}{
		{kustomizationKind, &kustomizev1.KustomizationList{}},
		{helmReleaseKind, &helmv2.HelmReleaseList{}},
		{httpRouteKind, &gatewayv1.HTTPRouteList{}},
		{podKind, &corev1.PodList{}},
	} {
		if err := r.list(ctx, of.kind, of.list); err != nil {
			return err
		}
	}
	return r.owners(ctx)
}

// further reads the further kinds.
func (r reader) further(ctx context.Context) error {
	for _, kind := range FurtherKinds {
		if err := r.list(ctx, kind, untyped(kind)); err != nil {
			return err
		}
	}
	return nil
}

// owners reads the marks of the kinds that control pods and were not read.
func (r reader) owners(ctx context.Context) error {
	known := map[schema.GroupVersionKind]bool{}
	for _, kind := range workloadKinds {
		known[kind] = true
	}
	for i, kind := range r.watcher.wanted {
		if known[kind] || i >= maxOwnerKinds {
			continue
		}
		if _, err := r.marks(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// marks reads names, labels and owners of a kind; seen is false where that is
// not allowed or the kind is not served.
func (r reader) marks(ctx context.Context, kind schema.GroupVersionKind) (seen bool, err error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err = r.pages(ctx, kind, list)
	if apierrors.IsForbidden(err) || notServed(err) {
		return false, nil
	}
	return err == nil, err
}

// list reads a kind, if it is served, and notes whether it may be read.
func (r reader) list(ctx context.Context, kind schema.GroupVersionKind, list client.ObjectList) error {
	err := r.pages(ctx, kind, list)
	r.watcher.close(kind, err)
	if notServed(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// pages reads a kind page by page, each into a list of its own: the objects
// are kept.
func (r reader) pages(ctx context.Context, kind schema.GroupVersionKind, empty client.ObjectList) error {
	next := ""
	for {
		list := empty.DeepCopyObject().(client.ObjectList)
		err := r.client.List(ctx, list, client.Limit(pageSize), client.Continue(next))
		if err != nil {
			return fmt.Errorf("list objects of kind %s: %w", kind.Kind, err)
		}
		items, err := apimeta.ExtractList(list)
		if err != nil {
			return fmt.Errorf("list objects of kind %s: %w", kind.Kind, err)
		}
		for _, item := range items {
			if obj, ok := item.(client.Object); ok {
				trim(obj)
				r.watcher.handle(objects.Change{Key: objects.Key{GroupVersionKind: kind, NamespacedName: client.ObjectKeyFromObject(obj)}, New: obj})
			}
		}
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}

func notServed(err error) bool {
	return apimeta.IsNoMatchError(err) || apierrors.IsNotFound(err)
}

func untyped(kind schema.GroupVersionKind) client.ObjectList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}
