package storage

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// defaultClass is the name of the class that is assumed where claims name none.
const defaultClass = "default"

// assumeClass makes the class that a claim names, unless a volume of that class
// is there: such a name is only a label then, that ties the two together.
func (p *provisioner) assumeClass(ctx context.Context, claim *corev1.PersistentVolumeClaim, name string) error {
	volumes := &corev1.PersistentVolumeList{}
	if err := p.client.List(ctx, volumes); err != nil {
		return err
	}
	for _, v := range volumes.Items {
		if v.Spec.StorageClassName == name && v.Annotations[annotationProvisioned] == "" {
			return nil
		}
	}
	return p.make(ctx, name, nil, fmt.Sprintf("the claim %s/%s names it, and nothing brings it", claim.Namespace, claim.Name))
}

// giveDefault writes the default class on a claim that names none; where there
// is none, a default is assumed in the end.
func (p *provisioner) giveDefault(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	class, err := p.defaultClass(ctx)
	if err != nil {
		return err
	}
	if class == nil {
		p.stuck(claim, func(ctx context.Context) error { return p.assumeDefault(ctx, claim) })
		return nil
	}
	patch := client.MergeFrom(claim.DeepCopy())
	claim.Spec.StorageClassName = &class.Name
	if err := p.client.Patch(ctx, claim, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("give the claim %s/%s the default class: %w", claim.Namespace, claim.Name, err)
	}
	return nil
}

// defaultClass returns the newest class that is marked as the default, or nil.
func (p *provisioner) defaultClass(ctx context.Context) (*storagev1.StorageClass, error) {
	classes := &storagev1.StorageClassList{}
	if err := p.client.List(ctx, classes); err != nil {
		return nil, err
	}
	var newest *storagev1.StorageClass
	for i := range classes.Items {
		class := &classes.Items[i]
		if class.Annotations[annotationDefaultClass] != "true" {
			continue
		}
		if newest == nil || newest.CreationTimestamp.Before(&class.CreationTimestamp) {
			newest = class
		}
	}
	return newest, nil
}

// assumeDefault makes a default class, unless there is one by now.
func (p *provisioner) assumeDefault(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	class, err := p.defaultClass(ctx)
	if class != nil || err != nil {
		return err
	}
	return p.make(ctx, defaultClass, map[string]string{annotationDefaultClass: "true"},
		fmt.Sprintf("the claim %s/%s names no class, and there is no default", claim.Namespace, claim.Name))
}

func (p *provisioner) make(ctx context.Context, name string, annotations map[string]string, reason string) error {
	policy, mode, expansion := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate, true
	err := p.client.Create(ctx, &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: name, Annotations: annotations},
		Provisioner:          Provisioner,
		ReclaimPolicy:        &policy,
		VolumeBindingMode:    &mode,
		AllowVolumeExpansion: &expansion,
	})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("assume the storage class %s: %w", name, err)
	}
	p.Assumptions.Add(domain.AssumedStorageClass, name, reason)
	return nil
}
