package status

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
	rule      *rule
	subStatus bool // the status is a subresource
}

// kinds knows the custom kinds that are played. Its methods may be called
// concurrently.
type kinds struct {
	mu    sync.Mutex
	byGVK map[schema.GroupVersionKind]kind
}

func newKinds() *kinds { return &kinds{byGVK: map[schema.GroupVersionKind]kind{}} }

func (k *kinds) set(gvk schema.GroupVersionKind, one kind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byGVK[gvk] = one
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

// reconcileKind follows a custom kind that is to be played once it is served.
func (p *player) reconcileKind(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := p.client.Get(ctx, req.NamespacedName, crd); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if crd.DeletionTimestamp != nil || !established(crd) {
		return reconcile.Result{}, nil
	}
	version := storageVersion(crd)
	rule := p.ruleFor(crd, version)
	if rule == nil || version == nil {
		return reconcile.Result{}, nil
	}
	gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
	p.kinds.set(gvk, kind{rule: rule, subStatus: version.Subresources != nil && version.Subresources.Status != nil})
	var existing []objects.Key
	err := work.Aside(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, followTimeout)
		defer cancel()
		var err error
		existing, err = p.Objects.Keys(ctx, gvk)
		return err
	})
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return reconcile.Result{}, nil
		}
		p.log.V(1).Info("cannot follow yet", "kind", gvk.String(), "reason", err.Error())
		return reconcile.Result{RequeueAfter: p.backs.Next(req.Name, followRetry)}, nil
	}
	p.backs.Forget(req.Name)
	// Somebody else may have followed the kind before it was known to be played.
	for _, key := range existing {
		p.see(key)
	}
	return reconcile.Result{}, nil
}

// ruleFor returns how a kind is played: by its row, or by the default for
// kinds whose definition has room for conditions. Nil is not at all.
func (p *player) ruleFor(crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion) *rule {
	r := p.table.find(schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind})
	switch {
	case r != nil && r.Leave:
		return nil
	case r != nil:
		return r
	case version != nil && takesConditions(version):
		return defaultRule(crd.Spec.Group, crd.Spec.Names.Kind)
	}
	return nil
}

func defaultRule(group, kind string) *rule {
	return &rule{Row: Row{
		Group: group, Kind: kind, Operator: kind + "." + group,
		Conditions: []Condition{{Type: "Ready", Reason: "Assumed", Message: "no stand-in knows this kind: it is ready by convention"}},
	}}
}

// takesConditions reports whether a version's definition admits the usual
// conditions in a status subresource.
func takesConditions(v *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	if v.Subresources == nil || v.Subresources.Status == nil || v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return false
	}
	schema := v.Schema.OpenAPIV3Schema
	if open(schema) && schema.Properties == nil {
		return true
	}
	status, ok := schema.Properties["status"]
	if !ok {
		return false
	}
	conditions, ok := status.Properties["conditions"]
	if !ok {
		return open(&status)
	}
	if conditions.Type != "array" || conditions.Items == nil || conditions.Items.Schema == nil {
		return false
	}
	return plainCondition(conditions.Items.Schema)
}

// plainCondition reports whether a schema admits what a condition has.
func plainCondition(item *apiextensionsv1.JSONSchemaProps) bool {
	if open(item) && item.Properties == nil {
		return true
	}
	for _, field := range item.Required {
		switch field {
		case "type", "status", "reason", "message", "lastTransitionTime", "observedGeneration":
		default:
			return false
		}
	}
	return item.Properties["type"].Type == "string" && item.Properties["status"].Type == "string"
}

func open(s *apiextensionsv1.JSONSchemaProps) bool {
	return s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			return c.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// storageVersion returns the version that is stored, if it is served, or else
// the first that is.
func storageVersion(crd *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinitionVersion {
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
