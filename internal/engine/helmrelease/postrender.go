package helmrelease

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/postrenderer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"hearth/internal/source"
)

// kustomizing is held while a kustomize build runs: its OpenAPI data is global.
var kustomizing sync.Mutex

// postRenderer changes what a chart rendered as the spec says, and marks each
// object with the HelmRelease it belongs to.
func (s *step) postRenderer() postrenderer.PostRenderer {
	p := &postRenderer{
		standIn: s.chart.Annotation(source.StandInAnnotation) != "",
		labels: map[string]string{
			helmv2.GroupVersion.Group + "/name":      s.hr.Name,
			helmv2.GroupVersion.Group + "/namespace": s.hr.Namespace,
		},
	}
	for _, r := range s.hr.Spec.PostRenderers {
		if r.Kustomize != nil {
			p.kustomize = append(p.kustomize, r.Kustomize)
		}
	}
	if common := s.hr.Spec.CommonMetadata; common != nil {
		p.annotations = common.Annotations
		labels := maps.Clone(common.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, p.labels)
		p.labels = labels
	}
	return p
}

type postRenderer struct {
	// standIn tells that the objects are not those that patches are meant for.
	standIn             bool
	kustomize           []*helmv2.Kustomize
	labels, annotations map[string]string
}

// Run changes a stream of manifests.
func (p *postRenderer) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	for _, spec := range p.kustomize {
		built, err := kustomized(rendered.Bytes(), spec)
		if err != nil && p.standIn {
			continue
		}
		if err != nil {
			return nil, err
		}
		rendered = bytes.NewBuffer(built)
	}
	nodes, err := kio.ParseAll(rendered.String())
	if err != nil {
		return nil, fmt.Errorf("reading the rendered manifests: %w", err)
	}
	for _, node := range nodes {
		if err := p.mark(node); err != nil {
			return nil, err
		}
	}
	marked, err := kio.StringAll(nodes)
	if err != nil {
		return nil, fmt.Errorf("writing the rendered manifests: %w", err)
	}
	return bytes.NewBufferString(marked), nil
}

func (p *postRenderer) mark(node *kyaml.RNode) error {
	if node.IsNilOrEmpty() {
		return nil
	}
	labels := node.GetLabels()
	maps.Copy(labels, p.labels)
	if err := node.SetLabels(labels); err != nil {
		return fmt.Errorf("labelling %s %s: %w", node.GetKind(), node.GetName(), err)
	}
	if len(p.annotations) == 0 {
		return nil
	}
	annotations := node.GetAnnotations()
	maps.Copy(annotations, p.annotations)
	if err := node.SetAnnotations(annotations); err != nil {
		return fmt.Errorf("annotating %s %s: %w", node.GetKind(), node.GetName(), err)
	}
	return nil
}

// kustomized applies the patches and images of a post-renderer.
func kustomized(manifests []byte, spec *helmv2.Kustomize) ([]byte, error) {
	const file = "manifests.yaml"
	k := kustypes.Kustomization{Resources: []string{file}}
	k.APIVersion, k.Kind = kustypes.KustomizationVersion, kustypes.KustomizationKind
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
	description, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("post-renderer: %w", err)
	}
	fs := filesys.MakeFsInMemory()
	if err := fs.WriteFile("kustomization.yaml", description); err != nil {
		return nil, fmt.Errorf("post-renderer: %w", err)
	}
	if err := fs.WriteFile(file, manifests); err != nil {
		return nil, fmt.Errorf("post-renderer: %w", err)
	}
	built, err := build(fs)
	if err != nil {
		return nil, fmt.Errorf("post-renderer: kustomize: %w", err)
	}
	return built.AsYaml()
}

// build turns kustomize's panics on odd patches into errors.
func build(fs filesys.FileSystem) (built resmap.ResMap, err error) {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it gave up: %v", r)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = kustypes.LoadRestrictionsNone
	return krusty.MakeKustomizer(options).Run(fs, ".")
}
