package operator

import (
	"context"
	"errors"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

const (
	// followTimeout bounds one try to list a kind; its conversion webhook may be down.
	followTimeout = 10 * time.Second
	followRetry   = 30 * time.Second
)

// kind is what is known of a custom kind that is played.
type kind struct {
	role      *Role
	subStatus bool // the status is a subresource
	assumed   bool // nobody brought its definition
}

// kinds knows the custom kinds that are played. The zero value is ready to
// use; its methods may be called concurrently.
type kinds struct {
	mu      sync.Mutex
	byGVK   map[schema.GroupVersionKind]kind
	version map[schema.GroupKind]string
}

func (k *kinds) set(gvk schema.GroupVersionKind, one kind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byGVK == nil {
		k.byGVK, k.version = map[schema.GroupVersionKind]kind{}, map[schema.GroupKind]string{}
	}
	k.byGVK[gvk], k.version[gvk.GroupKind()] = one, gvk.Version
}

func (k *kinds) get(gvk schema.GroupVersionKind) (kind, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one, ok := k.byGVK[gvk]
	return one, ok
}

func (k *kinds) played(gvk schema.GroupVersionKind) bool {
	_, ok := k.get(gvk)
	return ok
}

// resolve gives a kind the version in which it is played.
func (k *kinds) resolve(gvk schema.GroupVersionKind) (schema.GroupVersionKind, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	version, ok := k.version[gvk.GroupKind()]
	return gvk.GroupKind().WithVersion(version), ok
}

// reconcileKind follows a custom kind that is to be played once it is served.
func (s *stage) reconcileKind(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := s.client.Get(ctx, req.NamespacedName, crd); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	version := StorageVersion(crd)
	if crd.DeletionTimestamp != nil || !established(crd) || version == nil {
		return reconcile.Result{}, nil
	}
	role := s.part.Plays(crd, version)
	if role == nil {
		return reconcile.Result{}, nil
	}
	gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
	s.kinds.set(gvk, kind{
		role:      role,
		subStatus: version.Subresources != nil && version.Subresources.Status != nil,
		assumed:   crd.Annotations[AnnotationAssumed] != "" && Permissive(version),
	})
	var existing []objects.Key
	err := work.Aside(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, followTimeout)
		defer cancel()
		var err error
		existing, err = s.Objects.Keys(ctx, gvk)
		return err
	})
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return reconcile.Result{}, nil
		}
		s.log.V(1).Info("cannot follow yet", "kind", gvk.String(), "reason", err.Error())
		return reconcile.Result{RequeueAfter: s.backs.Next(req.Name, followRetry)}, nil
	}
	s.backs.Forget(req.Name)
	// Somebody else may have followed the kind before it was known to be played.
	for _, key := range existing {
		s.see(key)
	}
	return reconcile.Result{}, nil
}

// Permissive reports whether a version of a definition admits anything: it was
// made up, or its author did not care.
func Permissive(v *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return false
	}
	schema := v.Schema.OpenAPIV3Schema
	return schema.XPreserveUnknownFields != nil && *schema.XPreserveUnknownFields && schema.Properties == nil
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			return c.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// StorageVersion returns the version that is stored, if it is served, or else
// the first that is.
func StorageVersion(crd *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinitionVersion {
	var first *apiextensionsv1.CustomResourceDefinitionVersion
	for i := range crd.Spec.Versions {
		v := &crd.Spec.Versions[i]
		if v.Served && v.Storage {
			return v
		}
		if v.Served && first == nil {
			first = v
		}
	}
	return first
}
