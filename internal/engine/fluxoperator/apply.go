package fluxoperator

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
)

// classTimeout bounds how long classes are waited for.
const classTimeout = time.Minute

// Cluster is what sets of objects are applied with.
type Cluster struct {
	Objects *objects.Objects
	Reader  client.Reader
	Mapper  apimeta.RESTMapper
	// UnknownKind is asked about a kind that the server does not know, and
	// reports whether it does now, or will in a moment. Nil knows none.
	UnknownKind func(ctx context.Context, gvk schema.GroupVersionKind) (handled bool, err error)
}

// Set is a set of objects that one owner applies.
type Set struct {
	*Cluster
	Client client.Client
	// Group prefixes the labels that name the owner.
	Group, Namespace, Name string

	manager *ssa.ResourceManager
}

// Open returns the set of an owner, applied by a client.
func (c *Cluster) Open(kube client.Client, group, namespace, name string) *Set {
	s := &Set{Cluster: c, Client: kube, Group: group, Namespace: namespace, Name: name}
	s.manager = ssa.NewResourceManager(kube, nil, ssa.Owner{Field: FieldManager, Group: group})
	s.manager.SetConcurrency(4)
	return s
}

// Own labels objects as the owner's.
func (s *Set) Own(list []*unstructured.Unstructured) {
	s.manager.SetOwnerLabels(list, s.Name, s.Namespace)
}

// Options are those of flux-operator: it takes over what kubectl, Helm and
// kustomize-controller own, and leaves those live objects alone that say so.
func Options(force bool) ssa.ApplyOptions {
	o := ssa.DefaultApplyOptions()
	o.Force = force
	o.ForceSelector = map[string]string{fluxcdv1.ForceAnnotation: fluxcdv1.Enabled}
	o.ExclusionSelector = map[string]string{fluxcdv1.ReconcileAnnotation: fluxcdv1.Disabled}
	o.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation, "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"},
		Labels:      []string{"kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace"},
		FieldManagers: []ssa.FieldManager{
			{Name: "kustomize-controller", OperationType: metav1.ManagedFieldsOperationApply, ExactMatch: true},
			{Name: "helm", OperationType: metav1.ManagedFieldsOperationUpdate, ExactMatch: true},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
		},
	}
	return o
}

// stageOf orders objects: definitions, namespaces and cluster roles, then
// classes, then roles, then all the rest.
func stageOf(obj *unstructured.Unstructured) int {
	gk := obj.GroupVersionKind().GroupKind()
	switch {
	case ssautil.IsClusterDefinition(obj):
		return 0
	case ssautil.IsClassDefinition(obj):
		return 1
	case gk.Group == "rbac.authorization.k8s.io" && gk.Kind == "Role":
		return 2
	}
	return 3
}

// Apply applies objects, in stages. What it covered is returned with an error,
// too. Each stage passes a dry run before anything of it is written.
func (s *Set) Apply(ctx context.Context, list []*unstructured.Unstructured, o ssa.ApplyOptions) (*ssa.ChangeSet, error) {
	done := ssa.NewChangeSet()
	for stage := range 4 {
		var part []*unstructured.Unstructured
		for _, obj := range list {
			if stageOf(obj) == stage {
				part = append(part, obj)
			}
		}
		if len(part) == 0 {
			continue
		}
		if err := s.knowKinds(ctx, part); err != nil {
			return done, err
		}
		changes, err := s.manager.ApplyAll(ctx, part, o)
		if changes != nil {
			done.Append(changes.Entries)
		}
		if err != nil {
			return done, err
		}
		if err := s.settled(ctx, stage, part); err != nil {
			return done, err
		}
	}
	return done, nil
}

// settled waits until definitions and classes can be used.
func (s *Set) settled(ctx context.Context, stage int, part []*unstructured.Unstructured) error {
	if stage == 1 {
		ctx, cancel := context.WithTimeout(ctx, classTimeout)
		defer cancel()
		return health.Await(ctx, s.Objects, keysOf(part), nil)
	}
	for _, obj := range part {
		if !ssautil.IsCRD(obj) {
			continue
		}
		if err := s.awaitDefinition(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(list []*unstructured.Unstructured) []objects.Key {
	keys := make([]objects.Key, len(list))
	for i, obj := range list {
		keys[i] = objects.KeyOf(obj)
	}
	return keys
}

// Changed lists what an apply or a removal changed, a line each.
func Changed(changes *ssa.ChangeSet) string {
	if changes == nil {
		return ""
	}
	var lines []string
	for _, change := range changes.Entries {
		if change.Action != ssa.SkippedAction && change.Action != ssa.UnchangedAction {
			lines = append(lines, change.String())
		}
	}
	return strings.Join(slices.Compact(lines), "\n")
}
