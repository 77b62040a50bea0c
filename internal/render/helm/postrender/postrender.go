// Package postrender changes what a chart rendered as a HelmRelease says:
// patches and images of its post-renderers, and then the labels and annotations
// of its commonMetadata. Each object is marked with the HelmRelease that it
// belongs to, as Flux marks it.
//
// The engine hands it to Helm's actions, the tree verbs to render/helm: both
// come to the same objects.
package postrender

import (
	"bytes"
	"fmt"
	"maps"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"hearth/internal/render/helm"
	"hearth/internal/render/kustomize"
)

// Renderer changes what one release rendered. It is a post-renderer of Helm's;
// its methods may be called concurrently.
type Renderer struct {
	// standIn tells that the objects are not those that patches are meant for.
	standIn             bool
	kustomize           []*helmv2.Kustomize
	labels, annotations map[string]string
}

// New returns the renderer of a HelmRelease. One whose chart is a stand-in for
// the real one keeps objects as they are that patches do not fit.
func New(hr *helmv2.HelmRelease, standIn bool) *Renderer {
	r := &Renderer{standIn: standIn, labels: map[string]string{}}
	for _, p := range hr.Spec.PostRenderers {
		if p.Kustomize != nil {
			r.kustomize = append(r.kustomize, p.Kustomize)
		}
	}
	if common := hr.Spec.CommonMetadata; common != nil {
		r.annotations = common.Annotations
		maps.Copy(r.labels, common.Labels)
	}
	r.labels[helmv2.GroupVersion.Group+"/name"] = hr.Name
	r.labels[helmv2.GroupVersion.Group+"/namespace"] = hr.Namespace
	return r
}

// Run changes a stream of manifests.
func (r *Renderer) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	text, err := r.patched(rendered.Bytes())
	if err != nil {
		return nil, err
	}
	nodes, err := kio.ParseAll(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading the rendered manifests: %w", err)
	}
	for _, node := range nodes {
		if err := r.mark(node); err != nil {
			return nil, err
		}
	}
	marked, err := kio.StringAll(nodes)
	if err != nil {
		return nil, fmt.Errorf("writing the rendered manifests: %w", err)
	}
	return bytes.NewBufferString(marked), nil
}

// Objects changes objects, which may be the ones given.
func (r *Renderer) Objects(objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if len(r.kustomize) > 0 && len(objects) > 0 {
		text, err := helm.Stream(objects)
		if err == nil {
			text, err = r.patched(text)
		}
		if err == nil {
			objects, err = helm.Objects("post-renderer", text)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, o := range objects {
		o.SetLabels(with(o.GetLabels(), r.labels))
		if len(r.annotations) > 0 {
			o.SetAnnotations(with(o.GetAnnotations(), r.annotations))
		}
	}
	return objects, nil
}

func with(present, further map[string]string) map[string]string {
	if present == nil {
		present = make(map[string]string, len(further))
	}
	maps.Copy(present, further)
	return present
}

func (r *Renderer) mark(node *kyaml.RNode) error {
	if node.IsNilOrEmpty() {
		return nil
	}
	if err := node.SetLabels(with(node.GetLabels(), r.labels)); err != nil {
		return fmt.Errorf("labelling %s %s: %w", node.GetKind(), node.GetName(), err)
	}
	if len(r.annotations) == 0 {
		return nil
	}
	if err := node.SetAnnotations(with(node.GetAnnotations(), r.annotations)); err != nil {
		return fmt.Errorf("annotating %s %s: %w", node.GetKind(), node.GetName(), err)
	}
	return nil
}

// patched applies the patches and images of all post-renderers, in their order.
func (r *Renderer) patched(manifests []byte) ([]byte, error) {
	for _, spec := range r.kustomize {
		built, err := kustomize.Transform(manifests, kustomization(spec))
		if err != nil && r.standIn {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("post-renderer: %w", err)
		}
		manifests = built
	}
	return manifests, nil
}

func kustomization(spec *helmv2.Kustomize) kustypes.Kustomization {
	var k kustypes.Kustomization
	for _, image := range spec.Images {
		k.Images = append(k.Images, kustypes.Image{Name: image.Name, NewName: image.NewName, NewTag: image.NewTag, Digest: image.Digest})
	}
	for _, patch := range spec.Patches {
		kp := kustypes.Patch{Patch: patch.Patch}
		if t := patch.Target; t != nil {
			kp.Target = &kustypes.Selector{
				ResId:              resid.ResId{Gvk: resid.Gvk{Group: t.Group, Version: t.Version, Kind: t.Kind}, Namespace: t.Namespace, Name: t.Name},
				LabelSelector:      t.LabelSelector,
				AnnotationSelector: t.AnnotationSelector,
			}
		}
		k.Patches = append(k.Patches, kp)
	}
	return k
}
