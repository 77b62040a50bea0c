package helmrelease

import (
	"bytes"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/object"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/engine/helmrelease/helmkube"
)

// takeInventory lists in the status what the newest record that an action wrote
// is made of: its objects without the hooks, and the chart's CRDs.
func (s *step) takeInventory(seen observed) {
	var newest *releasev1.Release
	for _, rel := range seen {
		if newest == nil || rel.Version > newest.Version {
			newest = rel
		}
	}
	if newest == nil {
		return
	}
	objs, err := s.objectsOf(newest)
	if err == nil && s.chart != nil {
		for _, crd := range s.chart.Copy("").CRDObjects() {
			var defined []*unstructured.Unstructured
			if defined, err = helmkube.Decode(bytes.NewReader(crd.File.Data)); err != nil {
				break
			}
			objs = append(objs, defined...)
		}
	}
	if err != nil {
		s.event(corev1.EventTypeWarning, helmv2.InventoryBuildFailedReason, "failed to build the inventory: "+s.located(err))
		return
	}
	inventory := &helmv2.ResourceInventory{Entries: make([]helmv2.ResourceRef, 0, len(objs))}
	for _, obj := range objs {
		inventory.Entries = append(inventory.Entries, helmv2.ResourceRef{
			ID: object.UnstructuredToObjMetadata(obj).String(), Version: obj.GroupVersionKind().Version,
		})
	}
	s.hr.Status.Inventory = inventory
}

// objectsOf reads the objects of a release record's manifest, each with the
// namespace that it went to.
func (s *step) objectsOf(rel *releasev1.Release) ([]*unstructured.Unstructured, error) {
	all, err := helmkube.Decode(strings.NewReader(rel.Manifest))
	if err != nil {
		return nil, err
	}
	objs := all[:0]
	for _, obj := range all {
		if _, hook := obj.GetAnnotations()[releasev1.HookAnnotation]; hook {
			continue
		}
		objs = append(objs, obj)
		if obj.GetNamespace() != "" {
			continue
		}
		// A kind that is gone has no namespace any more that anybody could tell.
		if namespaced, err := s.connection.Namespaced(obj.GroupVersionKind()); err == nil && namespaced {
			obj.SetNamespace(rel.Namespace)
		}
	}
	return objs, nil
}
