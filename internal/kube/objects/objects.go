// Package objects reads objects of any kind through one shared cache, and
// tells who asks when they change. Kinds that the scheme knows are cached
// typed, once, and handed out as unstructured copies; others are cached as
// they are. Nothing here writes, and nothing polls.
package objects

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Key names one object of any kind.
type Key struct {
	schema.GroupVersionKind
	types.NamespacedName
}

// KeyOf returns the key of an object that carries its kind.
func KeyOf(obj *unstructured.Unstructured) Key {
	return Key{obj.GroupVersionKind(), client.ObjectKeyFromObject(obj)}
}

// String returns "Kind namespace/name", or "Kind name" without a namespace.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Kind + " " + k.Name
	}
	return k.Kind + " " + k.Namespace + "/" + k.Name
}

// Change tells that an object was added, updated (both set) or deleted (New
// nil). Both are the cache's own: read only.
type Change struct {
	Key      Key
	Old, New client.Object
}

// Objects reads and follows objects. Its methods may be called concurrently.
type Objects struct {
	cache  cache.Cache
	scheme *runtime.Scheme

	mu        sync.Mutex
	followed  map[schema.GroupVersionKind]bool
	listeners []func(Change)
	waiting   map[Key]map[chan struct{}]bool
}

// New returns a reader over a cache that runs, or will be started.
func New(c cache.Cache, scheme *runtime.Scheme) *Objects {
	return &Objects{
		cache:    c,
		scheme:   scheme,
		followed: map[schema.GroupVersionKind]bool{},
		waiting:  map[Key]map[chan struct{}]bool{},
	}
}

// Get returns a copy of an object as the cache has it. The first Get of a kind
// starts to follow it, and waits until the cache has it. A kind that the
// server does not know yields an error for which meta.IsNoMatchError is true.
func (o *Objects) Get(ctx context.Context, key Key) (*unstructured.Unstructured, error) {
	if err := o.Follow(ctx, key.GroupVersionKind); err != nil {
		return nil, err
	}
	obj := o.empty(key.GroupVersionKind)
	if err := o.cache.Get(ctx, key.NamespacedName, obj); err != nil {
		return nil, err
	}
	return ToUnstructured(obj, key.GroupVersionKind)
}

// Peek returns an object as Get does, but the cache's own: read only.
func (o *Objects) Peek(ctx context.Context, key Key) (client.Object, error) {
	if err := o.Follow(ctx, key.GroupVersionKind); err != nil {
		return nil, err
	}
	obj := o.empty(key.GroupVersionKind)
	if err := o.cache.Get(ctx, key.NamespacedName, obj, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	return obj, nil
}

// Keys returns the keys of all objects of a kind that the cache has, in no
// order. It follows the kind as Get does.
func (o *Objects) Keys(ctx context.Context, gvk schema.GroupVersionKind) ([]Key, error) {
	if err := o.Follow(ctx, gvk); err != nil {
		return nil, err
	}
	informer, err := o.cache.GetInformer(ctx, o.empty(gvk))
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", gvk.Kind, err)
	}
	shared, ok := informer.(toolscache.SharedIndexInformer)
	if !ok {
		return nil, fmt.Errorf("list %s: the cache is of a kind that cannot be listed (%T)", gvk.Kind, informer)
	}
	var keys []Key
	for _, obj := range shared.GetStore().List() {
		if obj, ok := obj.(client.Object); ok {
			keys = append(keys, Key{gvk, client.ObjectKeyFromObject(obj)})
		}
	}
	return keys, nil
}

// Follow makes the cache follow a kind, and waits until it has it.
func (o *Objects) Follow(ctx context.Context, gvk schema.GroupVersionKind) error {
	o.mu.Lock()
	followed := o.followed[gvk]
	o.mu.Unlock()
	if followed {
		return nil
	}
	informer, err := o.cache.GetInformer(ctx, o.empty(gvk))
	if err != nil {
		return fmt.Errorf("follow %s: %w", gvk.Kind, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.followed[gvk] {
		return nil
	}
	if _, err := informer.AddEventHandler(o.handler(gvk)); err != nil {
		return fmt.Errorf("follow %s: %w", gvk.Kind, err)
	}
	o.followed[gvk] = true
	return nil
}

// Followed reports whether changes of a kind are told.
func (o *Objects) Followed(gvk schema.GroupVersionKind) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.followed[gvk]
}

// Listen calls f for every change of every followed kind, from the informer's
// goroutines, in order for each kind. f must be quick. It cannot be undone.
func (o *Objects) Listen(f func(Change)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listeners = append(o.listeners, f)
}

// Notify returns a channel that gets a value, never more than one at a time,
// after one of the objects changed, and a function that ends it. The kinds
// must be followed. A namespace in the key of an object that lives in none is
// overlooked, as Get overlooks it: manifests often have one.
func (o *Objects) Notify(keys ...Key) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	keys = withoutNamespaces(keys)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		if o.waiting[key] == nil {
			o.waiting[key] = map[chan struct{}]bool{}
		}
		o.waiting[key][ch] = true
	}
	return ch, func() { o.forget(ch, keys) }
}

// withoutNamespaces adds each key without its namespace, under which objects
// of cluster-scoped kinds are told, and no others.
func withoutNamespaces(keys []Key) []Key {
	all := slices.Clone(keys)
	for _, key := range keys {
		if key.Namespace != "" {
			key.Namespace = ""
			all = append(all, key)
		}
	}
	return all
}

func (o *Objects) forget(ch chan struct{}, keys []Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		delete(o.waiting[key], ch)
		if len(o.waiting[key]) == 0 {
			delete(o.waiting, key)
		}
	}
}

func (o *Objects) handler(gvk schema.GroupVersionKind) toolscache.ResourceEventHandler {
	tell := func(old, new client.Object) {
		obj := new
		if obj == nil {
			obj = old
		}
		o.tell(Change{Key: Key{gvk, client.ObjectKeyFromObject(obj)}, Old: old, New: new})
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			if obj, ok := obj.(client.Object); ok {
				tell(nil, obj)
			}
		},
		UpdateFunc: func(old, new any) {
			oldObj, _ := old.(client.Object)
			newObj, ok := new.(client.Object)
			if ok && (oldObj == nil || oldObj.GetResourceVersion() != newObj.GetResourceVersion()) {
				tell(oldObj, newObj)
			}
		},
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if obj, ok := obj.(client.Object); ok {
				tell(obj, nil)
			}
		},
	}
}

func (o *Objects) tell(change Change) {
	o.mu.Lock()
	listeners := o.listeners
	for ch := range o.waiting[change.Key] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
	o.mu.Unlock()
	for _, f := range listeners {
		f(change)
	}
}

// empty returns an object of the kind, typed where the scheme knows it.
func (o *Objects) empty(gvk schema.GroupVersionKind) client.Object {
	if typed, err := o.scheme.New(gvk); err == nil {
		if obj, ok := typed.(client.Object); ok {
			return obj
		}
	}
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(gvk)
	return obj
}

// ToUnstructured returns a copy of an object with its kind set.
func ToUnstructured(obj client.Object, gvk schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return u.DeepCopy(), nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("convert %s %s: %w", gvk.Kind, client.ObjectKeyFromObject(obj), err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	return u, nil
}
