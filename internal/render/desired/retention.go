package desired

import (
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
)

// Pruned reports whether an object that a Kustomization applies goes with it, or
// when it leaves Git.
func (o *Object) Pruned() bool {
	k := o.Kustomization
	switch k.GetDeletionPolicy() {
	case kustomizev1.DeletionPolicyOrphan:
		return false
	case kustomizev1.DeletionPolicyDelete, kustomizev1.DeletionPolicyWaitForTermination:
		return !o.keptFromPruning()
	}
	return k.Spec.Prune && !o.keptFromPruning()
}

func (o *Object) keptFromPruning() bool {
	return o.mark("prune") == "disabled" || o.mark("reconcile") == "disabled"
}

// mark returns what an annotation or label that steers Flux says; it heeds both.
func (o *Object) mark(name string) string {
	name = "kustomize.toolkit.fluxcd.io/" + name
	if value, ok := o.GetAnnotations()[name]; ok {
		return value
	}
	return o.GetLabels()[name]
}

// Retention knows which volumes survive their claims.
type Retention struct {
	// volumes are names of volumes, and of the claims they are reserved for.
	volumes map[string]bool
	// classes are those of provisioners, "" for the default one; static those
	// of volumes that stand in the tree.
	classes, static map[string]bool
}

// NewRetention reads what a state says of volumes.
func NewRetention(s *State) *Retention {
	r := &Retention{volumes: map[string]bool{}, classes: map[string]bool{}, static: map[string]bool{}}
	for _, v := range s.OfKind("", "PersistentVolume") {
		// What is written by hand is retained unless it says otherwise.
		kept := v.text("spec", "persistentVolumeReclaimPolicy") != "Delete"
		r.volumes[v.GetName()] = kept
		class := v.text("spec", "storageClassName")
		r.static[class] = r.static[class] || kept
		if claim := v.text("spec", "claimRef", "name"); claim != "" {
			r.volumes[v.text("spec", "claimRef", "namespace")+"/"+claim] = kept
		}
	}
	for _, c := range s.OfKind("storage.k8s.io", "StorageClass") {
		kept := c.text("reclaimPolicy") == "Retain"
		r.classes[c.GetName()] = kept
		if c.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" {
			r.classes[""] = kept
		}
	}
	return r
}

// Loses reports whether deleting the object would, for all that is known,
// delete data.
func (r *Retention) Loses(o *Object) bool {
	group, kind := o.GroupVersionKind().Group, o.GetKind()
	switch {
	case group == "" && kind == "PersistentVolume":
		return !r.volumes[o.GetName()]
	case group == "" && kind == "PersistentVolumeClaim":
		return !r.keeps(o)
	case group == "postgresql.cnpg.io":
		return domain.DatabaseKind(group, kind) && !r.classes[o.text("spec", "storage", "storageClass")]
	}
	return domain.DatabaseKind(group, kind)
}

// keeps reports whether the volume of a claim survives it.
func (r *Retention) keeps(claim *Object) bool {
	class, chosen, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
	if provisioned, known := r.classes[class]; known {
		return provisioned
	}
	return r.volumes[claim.text("spec", "volumeName")] || r.volumes[claim.GetNamespace()+"/"+claim.GetName()] || chosen && r.static[class]
}

func (o *Object) text(field ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, field...)
	return value
}
