package drift

import (
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lastApplied is what kubectl keeps of an object. It repeats the object, with
// the values of a Secret, and differs whenever the object does.
const lastApplied = corev1.LastAppliedConfigAnnotation

// ownerGroup is the prefix of the labels and annotations of Kustomizations.
var ownerGroup = kustomizev1.GroupVersion.Group

// cleanup takes fields back that kubectl owns, so that what Git does not have
// goes, as in Flux.
var cleanup = ssa.ApplyCleanupOptions{
	Annotations: []string{
		lastApplied,
		ownerGroup + "/checksum",
		"fluxcd.io/sync-checksum",
	},
	Labels: []string{"fluxcd.io/sync-gc-mark"},
	FieldManagers: []ssa.FieldManager{
		{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
		{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
		{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
		{Name: FieldManager, OperationType: metav1.ManagedFieldsOperationUpdate},
	},
	Exclusions: map[string]string{ownerGroup + "/ssa": kustomizev1.MergeValue},
}

// ApplyOptions are those with which kustomize-controller applies what a
// Kustomization asks for.
func ApplyOptions(obj *kustomizev1.Kustomization) ssa.ApplyOptions {
	o := ssa.DefaultApplyOptions()
	o.Force = obj.Spec.Force
	o.ForceSelector = map[string]string{ownerGroup + "/force": kustomizev1.EnabledValue}
	o.ExclusionSelector = map[string]string{
		ownerGroup + "/reconcile": kustomizev1.DisabledValue,
		ownerGroup + "/ssa":       kustomizev1.IgnoreValue,
	}
	o.IfNotPresentSelector = map[string]string{ownerGroup + "/ssa": kustomizev1.IfNotPresentValue}
	o.DriftIgnoreRules = ignoreRules(obj)
	o.Cleanup = cleanup
	return o
}

// ignoreRules are the fields that spec.ignore leaves to others.
func ignoreRules(obj *kustomizev1.Kustomization) []jsondiff.IgnoreRule {
	var rules []jsondiff.IgnoreRule
	for _, ignore := range obj.Spec.Ignore {
		rule := jsondiff.IgnoreRule{Paths: ignore.Paths}
		if t := ignore.Target; t != nil {
			rule.Selector = &jsondiff.Selector{
				Group: t.Group, Version: t.Version, Kind: t.Kind, Name: t.Name, Namespace: t.Namespace,
				AnnotationSelector: t.AnnotationSelector, LabelSelector: t.LabelSelector,
			}
		}
		rules = append(rules, rule)
	}
	return rules
}
