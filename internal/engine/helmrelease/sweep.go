package helmrelease

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/object"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Helm compares a release with the deployed one before it only. What an action
// made that was cut off half way is known to neither, and would stay for ever:
// the records that unlock marked say what that is.
const (
	unlockedFrom = "Release unlocked from stale '%s' state"
	sweptNote    = ", and what only it had made was deleted"
)

// history returns the release's records, one at least and the oldest first, or
// driver.ErrReleaseNotFound.
func (s *step) history() ([]*releasev1.Release, error) {
	stored, err := s.storage(nil).History(s.releaseName())
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return nil, driver.ErrReleaseNotFound
	}
	all := make([]*releasev1.Release, len(stored))
	for i, one := range stored {
		if all[i], err = release(one, nil); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b *releasev1.Release) int { return a.Version - b.Version })
	return all, nil
}

// unswept reports whether a record is of an action that was cut off, and whose
// leftovers were not looked for yet.
func unswept(rel *releasev1.Release) bool {
	before, _, _ := strings.Cut(unlockedFrom, "%")
	return rel.Info.Status == common.StatusFailed && strings.HasPrefix(rel.Info.Description, before) && !strings.HasSuffix(rel.Info.Description, sweptNote)
}

// sweep deletes what actions that were cut off have made, and the release as it
// is deployed now does not have. What cannot be deleted is tried again when the
// release is next looked at.
func (s *step) sweep(ctx context.Context) error {
	if len(s.stored) == 0 {
		return nil
	}
	last := s.stored[len(s.stored)-1]
	if last.Info.Status != common.StatusDeployed {
		return nil
	}
	for _, rel := range s.stored[:len(s.stored)-1] {
		if !unswept(rel) {
			continue
		}
		if err := s.deleteLeftovers(ctx, rel, last); err != nil {
			message := fmt.Sprintf("could not delete what the interrupted revision %d of release %s/%s left: %s", rel.Version, rel.Namespace, rel.Name, s.located(err))
			s.event(corev1.EventTypeWarning, "CleanupFailed", message)
			return nil
		}
		if err := s.markSwept(rel); err != nil {
			return err
		}
	}
	return nil
}

// markSwept notes that nothing is left of a revision.
func (s *step) markSwept(rel *releasev1.Release) error {
	a := &attempt{seen: observed{}}
	marked, info := *rel, *rel.Info
	info.Description += sweptNote
	marked.Info = &info
	if err := s.storage(a).Update(&marked); err != nil {
		return fmt.Errorf("noting that revision %d of release %s/%s left nothing: %w", rel.Version, rel.Namespace, rel.Name, err)
	}
	known := slices.ContainsFunc(s.hr.Status.History, func(snapshot *helmv2.Snapshot) bool {
		return snapshot.Targets(rel.Name, rel.Namespace, rel.Version)
	})
	if !known {
		return nil
	}
	return s.record(a.records(), s.hr.Status.LastAttemptedReleaseAction)
}

// sweepBeforeUninstall deletes what the deployed release and those that were
// cut off have, and the last one, which Helm goes by, does not.
func (s *step) sweepBeforeUninstall(ctx context.Context) error {
	all, err := s.history()
	if err != nil {
		return err
	}
	last := all[len(all)-1]
	for _, rel := range all[:len(all)-1] {
		if rel.Info.Status != common.StatusDeployed && !unswept(rel) {
			continue
		}
		if err := s.deleteLeftovers(ctx, rel, last); err != nil {
			return err
		}
	}
	return nil
}

// deleteLeftovers deletes the objects of one record that another does not
// have, the last applied first.
func (s *step) deleteLeftovers(ctx context.Context, from, keep *releasev1.Release) error {
	kept, err := s.objectsOf(keep)
	if err != nil {
		return err
	}
	keeps := map[object.ObjMetadata]bool{}
	for _, obj := range kept {
		keeps[object.UnstructuredToObjMetadata(obj)] = true
	}
	objs, err := s.objectsOf(from)
	if err != nil {
		return err
	}
	for _, obj := range slices.Backward(objs) {
		if keeps[object.UnstructuredToObjMetadata(obj)] {
			continue
		}
		if err := s.deleteLeftover(ctx, obj, from); err != nil {
			return err
		}
	}
	return nil
}

// deleteLeftover deletes an object if it is there, belongs to the release, and
// is not to be kept.
func (s *step) deleteLeftover(ctx context.Context, obj *unstructured.Unstructured, rel *releasev1.Release) error {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(obj.GroupVersionKind())
	err := s.connection.Objects().Get(ctx, client.ObjectKeyFromObject(obj), live)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	marks := live.GetAnnotations()
	if live.GetLabels()["app.kubernetes.io/managed-by"] != "Helm" ||
		marks["meta.helm.sh/release-name"] != rel.Name || marks["meta.helm.sh/release-namespace"] != rel.Namespace ||
		marks[kube.ResourcePolicyAnno] == kube.KeepPolicy || obj.GetAnnotations()[kube.ResourcePolicyAnno] == kube.KeepPolicy {
		return nil
	}
	uid := live.GetUID()
	err = s.connection.Objects().Delete(ctx, live, client.Preconditions{UID: &uid}, client.PropagationPolicy("Background"))
	return client.IgnoreNotFound(err)
}
