package desired

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render"
	"hearth/internal/render/kustomize"
)

// bootstrap adds what is there before Flux runs. What releases of a bootstrap
// make is left out: the tree's HelmReleases take them over.
func (b *builder) bootstrap() {
	for _, o := range b.Cluster.Bootstrap.Objects {
		b.add(&Object{
			Unstructured: o.Object, Ref: o.Ref, Bootstrap: true, state: b.State,
			origin: render.Origin{Root: b.Repository.Root, File: o.Place.File, Line: o.Place.Line},
		})
	}
	for _, k := range b.Cluster.Bootstrap.Kustomizations {
		empty := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
		built, err := b.options.Builds.Build(b.ctx, b.Repository, kustomize.Request{Root: b.Repository.Root, Path: k.Path, Kustomization: empty, Offline: true, Parsed: b.Repository.Parsed})
		if err != nil {
			// The Kustomization that takes the folder over tells it too, mostly.
			continue
		}
		b.bootstrapRead = append(b.bootstrapRead, built.Read...)
		for i, content := range built.Objects {
			b.add(&Object{Unstructured: content, Ref: refOf(content), Bootstrap: true, origin: built.Origins[i], state: b.State})
		}
	}
}
