package kustomization

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/object"
	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"golang.org/x/sync/errgroup"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/engine/remote"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

const (
	// definitionTimeout bounds how long definitions are waited for, as in Flux.
	definitionTimeout = time.Minute
	// kindsAtOnce is how many kinds are asked about at a time.
	kindsAtOnce = 8
	// discoveryTimeout bounds how long a kind that was just defined is looked
	// for. Discovery cannot be watched, and lags about a second behind.
	discoveryTimeout      = 15 * time.Second
	discoveryShortestWait = 100 * time.Millisecond
	discoveryLongestWait  = time.Second
)

// applier applies the objects of one reconcile.
type applier struct {
	*walk
	manager *ssa.ResourceManager
	options ssa.ApplyOptions
	objects []*unstructured.Unstructured
	ledger  *ledger
	changes *ssa.ChangeSet
}

// stages applies definitions and namespaces, then classes, then all the rest,
// each stage once the one before is ready.
func (a *applier) stages(ctx context.Context) error {
	var definitions, classes, rest []*unstructured.Unstructured
	for _, obj := range a.objects {
		switch {
		case ssautil.IsClusterDefinition(obj):
			definitions = append(definitions, obj)
		case ssautil.IsClassDefinition(obj):
			classes = append(classes, obj)
		default:
			rest = append(rest, obj)
		}
	}
	if err := a.stage(ctx, definitions); err != nil {
		return err
	}
	if err := a.awaitDefinitions(ctx, definitions); err != nil {
		return err
	}
	if err := a.knowKinds(ctx, append(classes[:len(classes):len(classes)], rest...)); err != nil {
		return err
	}
	if len(definitions) > 0 {
		a.intend(ctx, a.objects) // among them what was not known before
	}
	if err := a.stage(ctx, classes); err != nil {
		return err
	}
	if err := a.awaitClasses(ctx, classes); err != nil {
		return err
	}
	return a.stage(ctx, rest)
}

// stage applies objects together: all pass a dry run before any is written.
// Those that are surely as they were last applied are not even asked about.
func (a *applier) stage(ctx context.Context, stage []*unstructured.Unstructured) error {
	var open []*unstructured.Unstructured
	for _, obj := range stage {
		if !a.remote() && a.ledger.unchanged(ctx, a.reconciler, obj) {
			a.changes.Add(ssa.ChangeSetEntry{
				ObjMetadata:  object.UnstructuredToObjMetadata(obj),
				GroupVersion: obj.GroupVersionKind().Version,
				Subject:      ssautil.FmtUnstructured(obj),
				Action:       ssa.UnchangedAction,
			})
			continue
		}
		open = append(open, obj)
	}
	if len(open) == 0 {
		return nil
	}
	changes, err := a.manager.ApplyAll(ctx, open, a.options)
	if changes != nil {
		a.changes.Append(changes.Entries)
	}
	if err == nil {
		a.ledger.commit(open)
	}
	return err
}

// awaitDefinitions waits until the server serves the kinds that were defined.
func (a *applier) awaitDefinitions(ctx context.Context, definitions []*unstructured.Unstructured) error {
	var names []string
	for _, obj := range definitions {
		if ssautil.IsCRD(obj) {
			names = append(names, obj.GetName())
		}
	}
	if len(names) == 0 {
		return nil
	}
	defer a.o.Gate.Timer()() // they come by themselves
	ctx, cancel := context.WithTimeout(ctx, definitionTimeout)
	defer cancel()
	if a.remote() {
		return remote.Await(ctx, a.manager.Client(), definitionKeys(names), nil)
	}
	return a.crds.await(ctx, a.reader, names)
}

func definitionKeys(names []string) []objects.Key {
	keys := make([]objects.Key, len(names))
	for i, name := range names {
		keys[i] = objects.Key{GroupVersionKind: crdKind, NamespacedName: types.NamespacedName{Name: name}}
	}
	return keys
}

// awaitClasses waits until classes are accepted, for those kinds that say so.
func (a *applier) awaitClasses(ctx context.Context, classes []*unstructured.Unstructured) error {
	keys := make([]objects.Key, len(classes))
	for i, obj := range classes {
		keys[i] = objects.KeyOf(obj)
	}
	if len(keys) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, definitionTimeout)
	defer cancel()
	if a.remote() {
		return remote.Await(ctx, a.manager.Client(), keys, nil)
	}
	return health.Await(ctx, a.o.Objects, keys, nil)
}

// knowKinds asks about kinds that the server does not know, before an apply
// fails on them. The apply itself tells of those that stay unknown.
func (a *applier) knowKinds(ctx context.Context, stage []*unstructured.Unstructured) error {
	defined := definedKinds(a.objects)
	seen := map[schema.GroupVersionKind]bool{}
	// From now on, so that no definition is missed while kinds are looked up.
	a.wake.awaitGroups(a.key, groupsOf(stage))
	unknown := map[schema.GroupVersionKind]*unstructured.Unstructured{}
	for _, obj := range stage {
		gvk := obj.GroupVersionKind()
		if seen[gvk] {
			continue
		}
		seen[gvk] = true
		known, err := a.knows(gvk)
		if err != nil {
			return err
		}
		if !known {
			unknown[gvk] = obj
		}
	}
	if len(unknown) > 0 {
		defer a.o.Gate.Timer()() // they come, or do not, by themselves
		if err := work.Aside(ctx, func(ctx context.Context) error { return a.learnAll(ctx, unknown, defined) }); err != nil {
			return err
		}
	}
	a.wake.awaitGroups(a.key, groupsOf(slices.Collect(maps.Values(unknown))))
	return nil
}

// learnAll removes the kinds that it learns from those that are unknown.
func (a *applier) learnAll(ctx context.Context, unknown map[schema.GroupVersionKind]*unstructured.Unstructured, defined map[schema.GroupKind]bool) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(kindsAtOnce)
	for gvk, obj := range maps.Clone(unknown) {
		g.Go(func() error {
			known, err := a.learn(ctx, gvk, obj, defined[gvk.GroupKind()])
			if err != nil {
				return fmt.Errorf("%s: %w", ssautil.FmtUnstructured(obj), err)
			}
			if known {
				mu.Lock()
				defer mu.Unlock()
				delete(unknown, gvk)
			}
			return nil
		})
	}
	return g.Wait()
}

// learn waits for a kind that was just defined, or lets somebody else define
// it.
func (a *applier) learn(ctx context.Context, gvk schema.GroupVersionKind, obj *unstructured.Unstructured, defined bool) (known bool, err error) {
	if !defined {
		if a.o.UnknownKind == nil || a.remote() {
			return false, nil
		}
		handled, err := a.o.UnknownKind(ctx, gvk, a.o.Index.PlaceOf(obj))
		if err != nil || !handled {
			return false, err
		}
	}
	return a.awaitKind(ctx, gvk)
}

func groupsOf(list []*unstructured.Unstructured) []string {
	var groups []string
	for _, obj := range list {
		if group := obj.GroupVersionKind().Group; !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}

func (a *applier) knows(gvk schema.GroupVersionKind) (bool, error) {
	_, err := a.manager.Client().RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if apimeta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the kind %s: %w", gvk, err)
	}
	return true, nil
}

// awaitKind waits until discovery names a kind whose definition is established.
func (a *applier) awaitKind(ctx context.Context, gvk schema.GroupVersionKind) (known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	for wait := discoveryShortestWait; ; wait = min(2*wait, discoveryLongestWait) {
		if known, err = a.knows(gvk); known || err != nil {
			return known, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, nil // the apply tells that it is unknown
		case <-timer.C:
		}
	}
}

// definedKinds returns the kinds that objects define.
func definedKinds(all []*unstructured.Unstructured) map[schema.GroupKind]bool {
	kinds := map[schema.GroupKind]bool{}
	for _, obj := range all {
		if ssautil.IsCRD(obj) {
			group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
			kinds[schema.GroupKind{Group: group, Kind: kind}] = true
		}
	}
	return kinds
}
