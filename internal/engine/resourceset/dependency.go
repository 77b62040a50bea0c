package resourceset

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/cel"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
)

// awaitDependencies returns the first dependency that is not met. A change of
// any of them wakes the set.
func (w *walk) awaitDependencies(ctx context.Context) error {
	expressions := make([]*cel.Expression, len(w.Object.Spec.DependsOn))
	keys := make([]objects.Key, len(expressions))
	for i, dep := range w.Object.Spec.DependsOn {
		gv, err := schema.ParseGroupVersion(dep.APIVersion)
		if err != nil {
			return fluxoperator.Terminal(meta.InvalidCELExpressionReason, fmt.Errorf("dependency %s: %w", named(dep), err))
		}
		keys[i] = objects.Key{GroupVersionKind: gv.WithKind(dep.Kind), NamespacedName: types.NamespacedName{Namespace: dep.Namespace, Name: dep.Name}}
		if !dep.Ready || dep.ReadyExpr == "" {
			continue
		}
		if expressions[i], err = cel.NewExpression(dep.ReadyExpr); err != nil {
			return fluxoperator.Terminal(meta.InvalidCELExpressionReason, fmt.Errorf("failed to parse expression for dependency %s: %w", named(dep), err))
		}
	}
	// From now on, so that no change is missed while they are looked at.
	w.dependencies.Set(w.Key, keys)
	for i, dep := range w.Object.Spec.DependsOn {
		if err := w.checkDependency(ctx, dep, keys[i], expressions[i]); err != nil {
			return &fluxoperator.Failure{Reason: meta.DependencyNotReadyReason, Waiting: true, Err: fmt.Errorf("Retrying dependency check: %w", err)}
		}
	}
	w.dependencies.Set(w.Key, nil)
	return nil
}

func named(dep fluxcdv1.Dependency) string {
	if dep.Namespace == "" {
		return fmt.Sprintf("%s/%s/%s", dep.APIVersion, dep.Kind, dep.Name)
	}
	return fmt.Sprintf("%s/%s/%s/%s", dep.APIVersion, dep.Kind, dep.Namespace, dep.Name)
}

func (w *walk) checkDependency(ctx context.Context, dep fluxcdv1.Dependency, key objects.Key, expression *cel.Expression) error {
	obj, err := w.o.Objects.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("dependency %s not found: %w", named(dep), err)
	}
	if !dep.Ready {
		return nil
	}
	if expression == nil {
		result, err := health.Evaluate(obj, fluxoperator.Ready)
		if err != nil {
			return fmt.Errorf("dependency %s not ready: %w", named(dep), err)
		}
		if result.Status != status.CurrentStatus {
			return fmt.Errorf("dependency %s not ready: status %s", named(dep), result.Status)
		}
		return nil
	}
	ready, err := expression.EvaluateBoolean(ctx, w.visible(obj).Object)
	if err != nil {
		return fmt.Errorf("dependency %s not ready: %w", named(dep), err)
	}
	if !ready {
		return fmt.Errorf("dependency %s not ready: expression '%s'", named(dep), dep.ReadyExpr)
	}
	return nil
}

// visible leaves out of a dependency what an expression must not see: the set
// reads it with rights that its owner may not have.
func (w *walk) visible(obj *unstructured.Unstructured) *unstructured.Unstructured {
	unstructured.RemoveNestedField(obj.Object, "metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	if obj.GetNamespace() != w.Key.Namespace && obj.GroupVersionKind() == corev1.SchemeGroupVersion.WithKind("Secret") {
		unstructured.RemoveNestedField(obj.Object, "data")
	}
	return obj
}
