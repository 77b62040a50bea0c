package repo

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
)

// Discovery says how an entry was found.
type Discovery string

// The ways of finding an entry, in the order in which they are tried.
const (
	FoundInConfig       Discovery = ".hearth.yaml"
	FoundInFluxRelease  Discovery = "HelmRelease of flux-instance"
	FoundInFluxInstance Discovery = "FluxInstance"
	FoundInSync         Discovery = "gotk-sync.yaml"
	FoundInFolder       Discovery = "clusters folder"
	FoundAsRoot         Discovery = "Kustomization that no other applies"
)

// Names that Flux's installers use.
const (
	fluxNamespace  = "flux-system"
	sourceInterval = "1m"
	syncInterval   = "10m"
)

// Entry is where a cluster's Flux starts to read: a source, and the
// Kustomization that applies a folder of it.
type Entry struct {
	Kind string // of the source: GitRepository, OCIRepository or Bucket
	URL  string // of the source; a made-up one where the tree does not tell
	// Ref is what the source follows: a Git reference such as
	// refs/heads/main, an OCI tag or digest, or a bucket's name.
	Ref       string
	Path      string // of the root Kustomization, below the repository's root
	Namespace string // of both objects
	Name      string // of the root Kustomization
	Interval  string // of the source; a Go duration
	FoundBy   Discovery
	Place     domain.Place // where the tree says so

	objects []*unstructured.Unstructured
}

// Objects returns the source and the root Kustomization as Flux's installer
// would make them, the source first. The caller owns them.
func (e *Entry) Objects() []*unstructured.Unstructured {
	list := make([]*unstructured.Unstructured, len(e.objects))
	for i, o := range e.objects {
		list[i] = o.DeepCopy()
	}
	return list
}

// complete fills in what the tree left out, and makes the objects.
func (e Entry) complete(sourceName string) Entry {
	e.Kind = cmp.Or(e.Kind, "GitRepository")
	e.Namespace = cmp.Or(e.Namespace, fluxNamespace)
	e.Name = cmp.Or(e.Name, e.Namespace)
	e.Interval = cmp.Or(e.Interval, sourceInterval)
	e.Path = clean(e.Path)
	sourceName = cmp.Or(sourceName, e.Name)
	e.objects = []*unstructured.Unstructured{e.source(sourceName), e.kustomization(sourceName)}
	return e
}

func (e Entry) source(name string) *unstructured.Unstructured {
	spec := map[string]any{"interval": e.Interval}
	switch e.Kind {
	case "OCIRepository":
		spec["url"] = e.URL
		spec["ref"] = map[string]any{"tag": cmp.Or(e.Ref, "latest")}
	case "Bucket":
		spec["endpoint"] = e.URL
		spec["bucketName"] = e.Ref
	default:
		spec["url"] = e.URL
		spec["ref"] = map[string]any{"name": cmp.Or(e.Ref, "refs/heads/main")}
	}
	return fluxObject("source.toolkit.fluxcd.io/v1", e.Kind, e.Namespace, name, spec)
}

func (e Entry) kustomization(source string) *unstructured.Unstructured {
	return fluxObject("kustomize.toolkit.fluxcd.io/v1", "Kustomization", e.Namespace, e.Name, map[string]any{
		"interval":  syncInterval,
		"path":      "./" + strings.TrimPrefix(e.Path, "."),
		"prune":     true,
		"sourceRef": map[string]any{"kind": e.Kind, "name": source},
	})
}

func fluxObject(apiVersion, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion,
		"kind":       kind,
		"metadata":   map[string]any{"name": name, "namespace": namespace},
		"spec":       spec,
	}}
}
