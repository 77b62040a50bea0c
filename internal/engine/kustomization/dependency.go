package kustomization

import (
	"context"
	"fmt"
	"slices"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/runtime/conditions"
	celtypes "github.com/google/cel-go/common/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// awaitDependencies returns the first dependency that is not ready. A change
// of any of them wakes the Kustomization.
func (w *walk) awaitDependencies(ctx context.Context) error {
	names := make([]types.NamespacedName, len(w.obj.Spec.DependsOn))
	for i, dep := range w.obj.Spec.DependsOn {
		names[i] = dependencyName(w.obj, dep)
	}
	// From now on, so that no change is missed while they are looked at.
	w.wake.dependOn(w.key, names)
	for i, dep := range w.obj.Spec.DependsOn {
		if err := w.checkDependency(ctx, i, names[i], dep.ReadyExpr); err != nil {
			return err
		}
	}
	w.wake.dependOn(w.key, nil)
	return nil
}

func dependencyName(obj *kustomizev1.Kustomization, dep kustomizev1.DependencyReference) types.NamespacedName {
	name := types.NamespacedName{Namespace: dep.Namespace, Name: dep.Name}
	if name.Namespace == "" {
		name.Namespace = obj.Namespace
	}
	return name
}

func (w *walk) checkDependency(ctx context.Context, i int, name types.NamespacedName, expr string) error {
	notReady := func(format string, args ...any) error {
		return &failure{reason: meta.DependencyNotReadyReason, kind: waiting, err: fmt.Errorf(format, args...)}
	}
	dep, err := w.read(ctx, name)
	if apierrors.IsNotFound(err) {
		err := fmt.Errorf("dependency '%s' not found", name)
		return notReady("%w", at(err, w.place("spec", "dependsOn", fmt.Sprint(i))))
	}
	if err != nil {
		return &failure{reason: meta.DependencyNotReadyReason, err: fmt.Errorf("read dependency '%s': %w", name, err)}
	}
	if expr != "" {
		ready, err := w.evaluate(ctx, expr, dep)
		if err != nil {
			return err
		}
		if !ready {
			return notReady("dependency '%s' is not ready according to readyExpr eval", name)
		}
		return nil
	}
	why := ""
	switch {
	case dep.Generation != dep.Status.ObservedGeneration || !conditions.IsReady(dep):
		why = "is not ready"
	case sourceName(dep) == sourceName(w.obj) && !w.source.GetArtifact().HasRevision(dep.Status.LastAppliedRevision):
		why = "revision is not up to date"
	default:
		return nil
	}
	if cycle := w.cycle(ctx, name); cycle != "" {
		return notReady("%w", at(fmt.Errorf("dependency '%s' %s: dependency cycle %s", name, why, cycle), w.place("spec", "dependsOn", fmt.Sprint(i))))
	}
	return notReady("dependency '%s' %s", name, why)
}

// sourceName names the source of a Kustomization: kind, namespace and name.
func sourceName(obj *kustomizev1.Kustomization) [3]string {
	ref := obj.Spec.SourceRef
	if ref.Namespace == "" {
		ref.Namespace = obj.Namespace
	}
	return [3]string{ref.Kind, ref.Namespace, ref.Name}
}

// evaluate asks a dependency's readyExpr.
func (w *walk) evaluate(ctx context.Context, source string, dep *kustomizev1.Kustomization) (bool, error) {
	invalid := func(err error) error {
		return &failure{reason: meta.InvalidCELExpressionReason, kind: terminal,
			err: fmt.Errorf("%s: failed to evaluate dependency %s: %w", terminalMessage, dep.Name, err)}
	}
	expr, err := cel.NewExpression(source, cel.WithCompile(), cel.WithOutputType(celtypes.BoolType), cel.WithStructVariables("self", "dep"))
	if err != nil {
		return false, invalid(err)
	}
	self, err := runtime.DefaultUnstructuredConverter.ToUnstructured(w.obj)
	if err != nil {
		return false, invalid(err)
	}
	other, err := runtime.DefaultUnstructuredConverter.ToUnstructured(dep)
	if err != nil {
		return false, invalid(err)
	}
	ready, err := expr.EvaluateBoolean(ctx, map[string]any{"self": self, "dep": other})
	if err != nil {
		// A field that is not there yet may come.
		return false, &failure{reason: meta.DependencyNotReadyReason, kind: waiting, err: fmt.Errorf("dependency '%s/%s' is not ready: %w", dep.Namespace, dep.Name, err)}
	}
	return ready, nil
}

// cycle returns the way from this Kustomization over one it depends on back to
// itself, or "".
func (w *walk) cycle(ctx context.Context, first types.NamespacedName) string {
	seen := map[types.NamespacedName]bool{}
	path := []types.NamespacedName{w.key}
	var visit func(name types.NamespacedName) bool
	visit = func(name types.NamespacedName) bool {
		if name == w.key {
			path = append(path, name)
			return true
		}
		if seen[name] {
			return false
		}
		seen[name] = true
		obj, err := w.read(ctx, name)
		if err != nil {
			return false // it is told as missing where it is waited for
		}
		path = append(path, name)
		if slices.ContainsFunc(obj.Spec.DependsOn, func(dep kustomizev1.DependencyReference) bool { return visit(dependencyName(obj, dep)) }) {
			return true
		}
		path = path[:len(path)-1]
		return false
	}
	if !visit(first) {
		return ""
	}
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = name.String()
	}
	return strings.Join(names, " → ")
}
