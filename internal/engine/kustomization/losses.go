package kustomization

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// maxHeld bounds how many objects that hold data are named of one namespace.
const maxHeld = 100

var claimKind = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")

// losses names, of objects about to be deleted, those that take data along:
// claims and volumes that are not retained, databases, and what holds such
// objects.
func losses(ctx context.Context, kube client.Client, doomed []*unstructured.Unstructured) []string {
	var lost []string
	for _, obj := range doomed {
		gk := obj.GroupVersionKind().GroupKind()
		switch {
		case gk == claimKind.GroupKind():
			if !retained(ctx, kube, obj) {
				lost = append(lost, subject(obj))
			}
		case gk == schema.GroupKind{Kind: "PersistentVolume"}:
			if policy, _, _ := unstructured.NestedString(obj.Object, "spec", "persistentVolumeReclaimPolicy"); policy != string(corev1.PersistentVolumeReclaimRetain) {
				lost = append(lost, subject(obj))
			}
		case domain.DatabaseKind(gk.Group, gk.Kind):
			lost = append(lost, subject(obj))
		default:
			if held := heldBy(ctx, kube, obj); len(held) > 0 {
				lost = append(lost, fmt.Sprintf("%s with %s", subject(obj), strings.Join(held, " and ")))
			}
		}
	}
	return lost
}

// retained reports whether the volume of a claim survives it.
func retained(ctx context.Context, kube client.Client, claim *unstructured.Unstructured) bool {
	name, _, _ := unstructured.NestedString(claim.Object, "spec", "volumeName")
	if name == "" {
		return false
	}
	volume := &corev1.PersistentVolume{}
	// What cannot be read may be lost.
	return kube.Get(ctx, client.ObjectKey{Name: name}, volume) == nil &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRetain
}

// heldBy names the data that goes with an object that holds others.
func heldBy(ctx context.Context, kube client.Client, obj *unstructured.Unstructured) []string {
	switch gk := obj.GroupVersionKind().GroupKind(); gk {
	case schema.GroupKind{Kind: "Namespace"}:
		return heldIn(ctx, kube, obj.GetName())
	case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
		if domain.DatabaseKind(group, kind) {
			return []string{"every " + kind + " of the cluster"}
		}
	case schema.GroupKind{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease"}:
		return heldByRelease(ctx, kube, obj)
	}
	return nil
}

// heldIn names what holds data in a namespace.
func heldIn(ctx context.Context, kube client.Client, namespace string) []string {
	var held []string
	add := func(gvk schema.GroupVersionKind) {
		list, err := listed(ctx, kube, gvk, namespace)
		if err != nil {
			held = append(held, fmt.Sprintf("whatever of kind %s is in it (%v)", gvk.Kind, err))
		}
		for i := range list {
			if gvk != claimKind || !retained(ctx, kube, &list[i]) {
				held = append(held, subject(&list[i]))
			}
		}
	}
	add(claimKind)
	domain.DatabaseKinds(func(group, kind string) {
		if mapping, err := kube.RESTMapper().RESTMapping(schema.GroupKind{Group: group, Kind: kind}); err == nil {
			add(mapping.GroupVersionKind)
		}
	})
	return held
}

// heldByRelease names the claims that Helm deletes with a release.
func heldByRelease(ctx context.Context, kube client.Client, release *unstructured.Unstructured) []string {
	text := func(field string) string {
		value, _, _ := unstructured.NestedString(release.Object, "spec", field)
		return value
	}
	namespace, name := text("targetNamespace"), text("releaseName")
	if name == "" && namespace != "" {
		name = namespace + "-"
	}
	if text("releaseName") == "" {
		name += release.GetName()
	}
	if namespace == "" {
		namespace = release.GetNamespace()
	}
	list, err := listed(ctx, kube, claimKind, namespace)
	if err != nil {
		return nil // the release itself is uninstalled by others, who need not be us
	}
	var held []string
	for i := range list {
		notes := list[i].GetAnnotations()
		if notes["meta.helm.sh/release-name"] == name && notes["helm.sh/resource-policy"] != "keep" && !retained(ctx, kube, &list[i]) {
			held = append(held, subject(&list[i]))
		}
	}
	return held
}

func listed(ctx context.Context, kube client.Client, gvk schema.GroupVersionKind, namespace string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	err := kube.List(ctx, list, client.InNamespace(namespace), client.Limit(maxHeld))
	if apimeta.IsNoMatchError(err) {
		err = nil
	}
	return list.Items, err
}
