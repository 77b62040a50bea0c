package rehearsal

import (
	"context"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/render"
)

// kustomization returns a Kustomization as the cache has it.
func (s *Stage) kustomization(ref domain.Ref) (*kustomizev1.Kustomization, bool) {
	k := &kustomizev1.Kustomization{}
	key := client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}
	if err := s.engine.client.Get(context.Background(), key, k); err != nil {
		return nil, false // gone meanwhile
	}
	return k, true
}

// unhealthy lists what a Kustomization that was applied still waits for.
func (s *Stage) unhealthy(ref domain.Ref) health.Report {
	k, ok := s.kustomization(ref)
	if !ok {
		return nil
	}
	report, err := health.Check(context.Background(), s.objects, checkedBy(k), k.Spec.HealthCheckExprs)
	if err != nil {
		s.problem("%s: %v", s.placeOf(ref), err)
	}
	return report.NotCurrent()
}

// checkedBy returns what a Kustomization's health is judged by: all that it
// applied where it waits, else the objects that its health checks name.
func checkedBy(k *kustomizev1.Kustomization) []objects.Key {
	var keys []objects.Key
	if k.Spec.Wait && k.Status.Inventory != nil {
		for _, entry := range k.Status.Inventory.Entries {
			id, err := object.ParseObjMetadata(entry.ID)
			if err != nil {
				continue // written by somebody else
			}
			keys = append(keys, objects.Key{
				GroupVersionKind: id.GroupKind.WithVersion(entry.Version),
				NamespacedName:   types.NamespacedName{Namespace: id.Namespace, Name: id.Name},
			})
		}
		return keys
	}
	for _, check := range k.Spec.HealthChecks {
		keys = append(keys, objects.Key{
			GroupVersionKind: schema.FromAPIVersionAndKind(check.APIVersion, check.Kind),
			NamespacedName:   types.NamespacedName{Namespace: check.Namespace, Name: check.Name},
		})
	}
	return keys
}

// healthCauses tells what a Kustomization waits for, unless its own objects
// among those observed say it already.
func (s *Stage) healthCauses(k domain.Ref) []cause {
	var list []cause
	for _, state := range s.unhealthy(k) {
		if observedKinds[state.Key.Kind] {
			continue
		}
		text := fmt.Sprintf("%s is %s", state.Key, state.Status)
		if state.Message != "" {
			text += ": " + state.Message
		}
		place := s.index.Place(render.Key{Group: state.Key.Group, Kind: state.Key.Kind, Namespace: state.Key.Namespace, Name: state.Key.Name})
		about := domain.Ref{Kind: state.Key.Kind, Namespace: state.Key.Namespace, Name: state.Key.Name}
		list = append(list, cause{text: text, about: about, place: place})
	}
	return list
}
