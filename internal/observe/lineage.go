package observe

import (
	"cmp"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
)

// The marks by which Flux, Helm and their charts say whose an object is.
const (
	labelReleaseName            = "helm.toolkit.fluxcd.io/name"
	labelReleaseNamespace       = "helm.toolkit.fluxcd.io/namespace"
	labelKustomizationName      = "kustomize.toolkit.fluxcd.io/name"
	labelKustomizationNamespace = "kustomize.toolkit.fluxcd.io/namespace"
	labelInstance               = "app.kubernetes.io/instance"
	annotationRelease           = "meta.helm.sh/release-name"
	annotationReleaseNamespace  = "meta.helm.sh/release-namespace"
)

// releaseName names a Helm release, which need not be named like its HelmRelease.
type releaseName struct{ namespace, name string }

// lineage is where an object says that it came from.
type lineage struct {
	helmRelease, kustomization domain.Ref
	release, instance          releaseName
	controller                 objects.Key
}

// maxLineage bounds how many owners are followed up, from a pod to what Git holds.
const maxLineage = 8

// lineageOf reads an object's marks; namespace is the object's own.
func lineageOf(obj metav1.Object) lineage {
	var l lineage
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	if name := labels[labelReleaseName]; name != "" {
		l.helmRelease = domain.Ref{Kind: kindHelmRelease, Namespace: labels[labelReleaseNamespace], Name: name}
	}
	if name := labels[labelKustomizationName]; name != "" {
		l.kustomization = domain.Ref{Kind: kindKustomization, Namespace: labels[labelKustomizationNamespace], Name: name}
	}
	if name := annotations[annotationRelease]; name != "" {
		l.release = releaseName{cmp.Or(annotations[annotationReleaseNamespace], obj.GetNamespace()), name}
	}
	if name := labels[labelInstance]; name != "" {
		l.instance = releaseName{obj.GetNamespace(), name}
	}
	if owner := metav1.GetControllerOfNoCopy(obj); owner != nil {
		l.controller = objects.Key{
			GroupVersionKind: schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind),
			NamespacedName:   types.NamespacedName{Namespace: obj.GetNamespace(), Name: owner.Name},
		}
	}
	return l
}

// family finds the HelmRelease or Kustomization that objects came from.
type family struct {
	lineages map[objects.Key]lineage
	releases map[releaseName]domain.Ref
}

// owner climbs from an object to its controllers until one says which release
// or Kustomization it came from. A chart's label decides only where no mark
// of Flux or Helm does.
func (f family) owner(l lineage, self domain.Ref) domain.Ref {
	instance := releaseName{}
	for range maxLineage {
		if ref := l.helmRelease; ref.Name != "" && ref != self {
			return ref
		}
		if ref, known := f.releases[l.release]; known && ref != self {
			return ref
		}
		if ref := l.kustomization; ref.Name != "" && ref != self {
			return ref
		}
		instance = cmp.Or(instance, l.instance)
		next, known := f.lineages[l.controller]
		if !known {
			break
		}
		l = next
	}
	if ref := f.releases[instance]; ref != self {
		return ref
	}
	return domain.Ref{}
}

// trace takes in where an object came from. Objects without any mark are not
// remembered. A kind that controls pods and that nobody follows is asked for.
func (w *Watcher) trace(c objects.Change) {
	if c.New == nil {
		delete(w.lineages, c.Key)
		return
	}
	l := lineageOf(c.New)
	if l == (lineage{}) {
		delete(w.lineages, c.Key)
		return
	}
	w.lineages[c.Key] = l
	kind := l.controller.GroupVersionKind
	if c.Key.Kind == kindPod && !kind.Empty() && !w.asked[kind] {
		w.asked[kind] = true
		w.wanted = append(w.wanted, kind)
		w.rouse()
	}
}

func releaseNameOf(h *helmv2.HelmRelease) releaseName {
	return releaseName{h.GetReleaseNamespace(), h.GetReleaseName()}
}

func kustomizationDependencies(k *kustomizev1.Kustomization) []domain.Ref {
	var refs []domain.Ref
	for _, d := range k.Spec.DependsOn {
		refs = append(refs, domain.Ref{Kind: kindKustomization, Namespace: cmp.Or(d.Namespace, k.Namespace), Name: d.Name})
	}
	return refs
}

func releaseDependencies(h *helmv2.HelmRelease) []domain.Ref {
	var refs []domain.Ref
	for _, d := range h.Spec.DependsOn {
		refs = append(refs, domain.Ref{Kind: kindHelmRelease, Namespace: cmp.Or(d.Namespace, h.Namespace), Name: d.Name})
	}
	return refs
}
