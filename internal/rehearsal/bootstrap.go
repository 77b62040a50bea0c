package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/engine/helmfile"
	"hearth/internal/render/helm"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// bootstrapOwner applies what is there before Flux runs.
const bootstrapOwner = client.FieldOwner("hearth-bootstrap")

// bootstrapWait bounds how long one release of the bootstrap may take to become
// ready; the next one starts then all the same.
const bootstrapWait = 30 * time.Second

// bootstrap makes what the repository's bootstrap supplies before Flux runs:
// its objects, then CRDs, then releases in the order of their needs. Each is an
// assumption; what cannot be made is a problem, and the rest goes on.
func (s *Stage) bootstrap(ctx context.Context, c client.Client) error {
	b := s.cluster.Bootstrap
	for _, p := range b.Problems {
		s.problem("%s", p)
	}
	for _, o := range b.Objects {
		if err := s.supply(ctx, c, o); err != nil {
			return err
		}
	}
	installed := map[string]bool{}
	for _, r := range inOrder(b.Releases) {
		if err := s.supplyRelease(ctx, r); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.problem("%s: %v", r.Place, err)
		}
		installed[r.ID()] = true
		for _, k := range b.Kustomizations {
			if k.After == r.ID() {
				s.supplyKustomization(ctx, c, k)
			}
		}
	}
	for _, k := range b.Kustomizations {
		if !installed[k.After] {
			s.supplyKustomization(ctx, c, k)
		}
	}
	return ctx.Err()
}

// supply applies one object, and its namespace before it.
func (s *Stage) supply(ctx context.Context, c client.Client, o repo.Object) error {
	s.assumptions.Add(domain.AssumedBootstrap, o.Ref.String(), fmt.Sprintf("%s supplies it before Flux runs", o.Place))
	if err := apply(ctx, c, o.Object.DeepCopy()); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.problem("%s: %v", o.Place, err)
	}
	return nil
}

// apply creates an object, or changes it to what it should be.
func apply(ctx context.Context, c client.Client, obj *unstructured.Unstructured) error {
	if namespace := obj.GetNamespace(); namespace != "" {
		if err := ensureNamespace(ctx, c, namespace); err != nil {
			return err
		}
	}
	obj.SetManagedFields(nil)
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), bootstrapOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", obj.GetKind(), client.ObjectKeyFromObject(obj), err)
	}
	return nil
}

func ensureNamespace(ctx context.Context, c client.Client, name string) error {
	namespace := &unstructured.Unstructured{}
	namespace.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	namespace.SetName(name)
	if err := c.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

// supplyRelease installs a release, or only its CRDs.
func (s *Stage) supplyRelease(ctx context.Context, r repo.Release) error {
	chart, err := s.bootstrapChart(ctx, r)
	if err != nil {
		return err
	}
	release := helmfile.Release{Namespace: r.Namespace, Name: r.Name, Chart: chart, Version: r.Version, Values: s.bootstrapValues(r)}
	if r.CRDsOnly {
		s.assumptions.Add(domain.AssumedBootstrap, "CRDs of "+r.ID(), fmt.Sprintf("%s supplies them before Flux runs", r.Place))
		return s.engine.installer.InstallCRDs(ctx, release)
	}
	s.assumptions.Add(domain.AssumedBootstrap, "Release "+r.ID(), fmt.Sprintf("%s installs it before Flux runs", r.Place))
	return s.engine.installer.Install(ctx, release)
}

func (s *Stage) bootstrapChart(ctx context.Context, r repo.Release) (*helm.Chart, error) {
	request := source.ChartRequest{URL: r.Chart, Version: r.Version}
	if !strings.HasPrefix(r.Chart, "oci://") {
		i := strings.LastIndex(r.Chart, "/")
		request.URL, request.Name = r.Chart[:max(i, 0)], r.Chart[i+1:]
	}
	fetched, err := s.engine.charts.Fetch(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.engine.loaded.Load(ctx, fetched.Path, fetched.Digest)
}

// bootstrapValues are those of the helmfile. Where it reads them from a Go
// template they are those of the HelmRelease that takes the release over,
// which is what such templates read.
func (s *Stage) bootstrapValues(r repo.Release) map[string]any {
	values := map[string]any{}
	templated := slices.ContainsFunc(r.ValueFiles, func(f string) bool { return strings.HasSuffix(f, ".gotmpl") })
	if templated {
		for _, doc := range s.repository.Index(s.cluster).HelmReleases {
			mine := doc.Namespace() == r.Namespace || doc.Namespace() == "" && strings.Contains(doc.File, "/"+r.Namespace+"/")
			if doc.Name() != r.Name || !mine {
				continue
			}
			if spec, ok := doc.Object()["spec"].(map[string]any); ok {
				if v, ok := spec["values"].(map[string]any); ok {
					values = helm.Merge(values, v)
				}
			}
		}
	}
	for _, v := range r.Values {
		values = helm.Merge(values, v)
	}
	return values
}

// supplyKustomization builds and applies a folder.
func (s *Stage) supplyKustomization(ctx context.Context, c client.Client, k repo.Kustomization) {
	s.assumptions.Add(domain.AssumedBootstrap, "Folder "+k.Path, fmt.Sprintf("%s applies it before Flux runs", k.Place))
	empty := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	built, err := kustomize.Build(ctx, kustomize.Request{Root: s.repository.Root, Path: k.Path, Kustomization: empty, Offline: s.options.Offline})
	if err != nil {
		s.problem("%s: build %s: %v", k.Place, k.Path, err)
		return
	}
	for _, obj := range built.Objects {
		if obj.GetNamespace() == "" && s.namespaced(obj.GroupVersionKind()) {
			obj.SetNamespace(k.Namespace)
		}
		if err := s.applyKnown(ctx, c, obj, k.Place); err != nil {
			s.problem("%s: %v", k.Place, err)
		}
	}
}

// applyKnown applies an object, after its kind was made known if it was not.
func (s *Stage) applyKnown(ctx context.Context, c client.Client, obj *unstructured.Unstructured, place domain.Place) error {
	err := apply(ctx, c, obj)
	if err == nil || !isUnknownKind(err) {
		return err
	}
	handled, assumeErr := s.unknownKind(ctx, obj.GroupVersionKind(), place)
	if !handled {
		return errors.Join(err, assumeErr)
	}
	return apply(ctx, c, obj)
}

// inOrder sorts releases so that each comes after those that it needs; a cycle
// is broken at its last link. CRDs come first.
func inOrder(releases []repo.Release) []repo.Release {
	byID := map[string]repo.Release{}
	for _, r := range releases {
		if !r.CRDsOnly {
			byID[r.ID()] = r
		}
	}
	var ordered []repo.Release
	seen := map[string]bool{}
	var visit func(r repo.Release)
	visit = func(r repo.Release) {
		if seen[r.ID()] {
			return
		}
		seen[r.ID()] = true
		for _, need := range r.Needs {
			if needed, ok := byID[need]; ok {
				visit(needed)
			}
		}
		ordered = append(ordered, r)
	}
	for _, r := range releases {
		if r.CRDsOnly {
			ordered = append(ordered, r)
		}
	}
	for _, r := range releases {
		if !r.CRDsOnly {
			visit(r)
		}
	}
	return ordered
}
