package kustomization

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	generator "github.com/fluxcd/pkg/kustomize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/kustomize"
	"hearth/internal/render/sops"
)

// build makes the objects, and notes where each stands.
func (w *walk) build(ctx context.Context, root string) (*kustomize.Result, *failure) {
	failed := func(err error) (*kustomize.Result, *failure) {
		return nil, &failure{reason: meta.BuildFailedReason, err: err}
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(w.obj)
	if err != nil {
		return failed(err)
	}
	self := &unstructured.Unstructured{Object: content}
	vars, err := w.variables(ctx, self)
	if err != nil {
		return failed(err)
	}
	if w.inputs, err = w.inputsWith(vars); err != nil {
		return failed(err)
	}
	decrypter, err := w.decrypter(ctx)
	if err != nil {
		return failed(err)
	}
	built, err := kustomize.Build(ctx, kustomize.Request{
		Root:          root,
		Path:          w.obj.Spec.Path,
		Kustomization: self,
		Variables:     vars,
		Strict:        !w.o.LenientSubstitution,
		Always:        w.obj.GetSubstituteStrategy() == kustomizev1.SubstituteStrategyAlways,
		Offline:       w.o.Offline,
		Decrypter:     decrypter,
	})
	if errors.Is(err, kustomize.ErrPathNotFound) {
		return nil, &failure{reason: meta.ArtifactFailedReason, err: at(err, w.place("spec", "path"))}
	}
	if err != nil {
		return failed(err)
	}
	w.digest = built.Digest
	for i, obj := range built.Objects {
		w.o.Index.Put(render.KeyOf(obj), built.Origins[i])
	}
	for _, obj := range built.Objects {
		if encrypted(obj) {
			err := fmt.Errorf("%s is SOPS encrypted, configuring decryption is required for this secret to be reconciled", ssautil.FmtUnstructured(obj))
			return failed(at(err, w.o.Index.PlaceOf(obj)))
		}
	}
	return built, nil
}

// variables reads what postBuild.substituteFrom names, and remembers what of
// it is secret.
func (w *walk) variables(ctx context.Context, self *unstructured.Unstructured) (map[string]string, error) {
	if w.obj.Spec.PostBuild == nil {
		return nil, nil
	}
	ctx = generator.ContextWithSecretVarsCollector(ctx, func(secret map[string]string) { w.hide(slices.Collect(maps.Values(secret))) })
	vars, err := generator.LoadVariables(ctx, w.client, *self)
	if err != nil {
		return nil, at(fmt.Errorf("post build failed: %w", err), w.place("spec", "postBuild", "substituteFrom"))
	}
	return vars, nil
}

// encrypted reports whether an object is a Secret that SOPS encrypted and that
// nothing says is to be applied so.
func encrypted(obj *unstructured.Unstructured) bool {
	_, found, _ := unstructured.NestedFieldNoCopy(obj.Object, "sops")
	return found && ssautil.IsSecret(obj) && !sops.Disabled(obj)
}

// place returns where the Kustomization itself stands, or one of its fields.
func (w *walk) place(field ...string) domain.Place {
	return w.o.Index.Place(render.Key{Group: ownerGroup, Kind: kustomizev1.KustomizationKind, Namespace: w.key.Namespace, Name: w.key.Name}, field...)
}
