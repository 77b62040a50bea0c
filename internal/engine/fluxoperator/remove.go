package fluxoperator

import (
	"context"
	"time"

	"github.com/fluxcd/pkg/ssa"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// goneTimeout bounds how long objects that finalize themselves are waited for.
const goneTimeout = time.Minute

// Remove deletes those objects that are still the owner's and that nothing
// protects: first Kustomizations and HelmReleases, which clean up after
// themselves with the rights they have, and then all others.
func (s *Set) Remove(ctx context.Context, list []*unstructured.Unstructured) (*ssa.ChangeSet, error) {
	var appliers, others []*unstructured.Unstructured
	for _, obj := range list {
		gvk := obj.GroupVersionKind()
		if known, err := s.knows(gvk); err != nil || !known {
			continue // a kind that is gone has no objects
		}
		switch gvk.Group {
		case "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io":
			appliers = append(appliers, obj)
		default:
			others = append(others, obj)
		}
	}
	all := ssa.NewChangeSet()
	for i, part := range [][]*unstructured.Unstructured{appliers, others} {
		if len(part) == 0 {
			continue
		}
		changes, err := s.manager.DeleteAll(ctx, part, ssa.DeleteOptions{
			PropagationPolicy: metav1.DeletePropagationBackground,
			Inclusions:        s.manager.GetOwnerLabels(s.Name, s.Namespace),
			Exclusions:        map[string]string{fluxcdv1.PruneAnnotation: fluxcdv1.Disabled},
		})
		if changes != nil {
			all.Append(changes.Entries)
		}
		if err != nil {
			return all, err
		}
		if i == 0 {
			s.awaitGone(ctx, deleted(part, changes))
		}
	}
	return all, nil
}

// deleted returns the objects that a removal did not leave on purpose.
func deleted(list []*unstructured.Unstructured, changes *ssa.ChangeSet) []objects.Key {
	actions := map[string]ssa.Action{}
	for _, change := range changes.Entries {
		actions[change.ObjMetadata.String()] = change.Action
	}
	var keys []objects.Key
	for _, obj := range list {
		if actions[idOf(obj)] == ssa.DeletedAction {
			keys = append(keys, objects.KeyOf(obj))
		}
	}
	return keys
}

// awaitGone waits until objects are gone, or for as long as is reasonable.
func (c *Cluster) awaitGone(ctx context.Context, keys []objects.Key) bool {
	if len(keys) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, goneTimeout)
	defer cancel()
	changed, stop := c.Objects.Notify(keys...)
	defer stop()
	for {
		gone := true
		for _, key := range keys {
			_, err := c.Objects.Get(ctx, key)
			gone = gone && (apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err))
		}
		if gone {
			return true
		}
		err := work.Aside(ctx, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				return nil
			}
		})
		if err != nil {
			return false
		}
	}
}
