package repo

import (
	"cmp"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// fluxInstances finds the FluxInstances of the tree that sync something.
func (r *Repository) fluxInstances() []Entry {
	var found []Entry
	for _, d := range r.tree.of(operatorGroup, "FluxInstance") {
		sync, _ := d.Value("spec", "sync")
		patches, _ := d.Value("spec", "kustomize", "patches")
		at := d.Place("spec", "sync", "path")
		if e, ok := r.syncEntry(sync, patches, d.Namespace(), at); ok {
			e.FoundBy, e.Place = FoundInFluxInstance, at
			found = append(found, e)
		}
	}
	return found
}

// fluxReleases finds the HelmReleases of the chart flux-instance, whose values
// are a FluxInstance's spec.
func (r *Repository) fluxReleases() []Entry {
	const chart = "flux-instance"
	sources := map[string]bool{chart: true} // names of OCIRepositories that hold the chart
	for _, source := range r.tree.of(sourceGroup, "OCIRepository") {
		if path.Base(source.Text("spec", "url")) == chart {
			sources[source.Name()] = true
		}
	}
	var found []Entry
	for _, d := range r.tree.of(helmGroup, "HelmRelease") {
		if d.Text("spec", "chart", "spec", "chart") != chart && !sources[d.Text("spec", "chartRef", "name")] {
			continue
		}
		values := instanceValues{doc: d, at: []string{"spec", "values"}}
		if _, ok := d.Find("spec", "values", "instance", "sync"); !ok {
			if values, ok = r.valuesFile(d); !ok {
				continue
			}
		}
		sync, _ := values.field("instance", "sync")
		patches, _ := values.field("instance", "kustomize", "patches")
		at := values.place("instance", "sync", "path")
		if e, ok := r.syncEntry(sync, patches, d.Namespace(), at); ok {
			e.FoundBy, e.Place = FoundInFluxRelease, at
			found = append(found, e)
		}
	}
	return found
}

// instanceValues are the chart's values: in the release itself, or in a file.
type instanceValues struct {
	doc *manifest.Document
	at  []string
}

func (v instanceValues) path(field []string) []string {
	return append(append([]string(nil), v.at...), field...)
}

func (v instanceValues) field(field ...string) (any, bool) { return v.doc.Value(v.path(field)...) }

func (v instanceValues) place(field ...string) domain.Place { return v.doc.Place(v.path(field)...) }

// valuesFile finds the values that a ConfigMap brings, made by the
// kustomization beside the release from a file.
func (r *Repository) valuesFile(d *manifest.Document) (instanceValues, bool) {
	folder := path.Dir(d.File)
	candidates := []string{}
	for _, k := range r.tree.documents {
		if path.Dir(k.File) != folder || !isKustomizationFile(k.File) {
			continue
		}
		generators, _ := k.Value("configMapGenerator")
		for _, g := range list(generators) {
			for _, f := range list(mapping(g)["files"]) {
				entry, _ := f.(string)
				_, file, ok := strings.Cut(entry, "=")
				if !ok {
					file = entry
				}
				candidates = append(candidates, path.Join(folder, file))
			}
		}
	}
	for _, name := range append(candidates, path.Join(folder, "helm", "values.yaml"), path.Join(folder, "values.yaml")) {
		for _, doc := range r.readValues(name) {
			if _, ok := doc.Find("instance", "sync"); ok {
				return instanceValues{doc: doc}, true
			}
		}
	}
	return instanceValues{}, false
}

// syncEntry makes an entry of a FluxInstance's sync block, as flux-operator
// does: source and Kustomization are named after the namespace, and the
// instance's patches apply to them, too.
func (r *Repository) syncEntry(sync, patches any, namespace string, at domain.Place) (Entry, bool) {
	s := mapping(sync)
	text := func(key string) string {
		value, _ := s[key].(string)
		return value
	}
	if text("path") == "" && text("url") == "" {
		return Entry{}, false
	}
	e := Entry{
		Kind: text("kind"), URL: text("url"), Ref: text("ref"), Path: text("path"),
		Namespace: cmp.Or(namespace, fluxNamespace), Name: text("name"), Interval: text("interval"),
	}.complete("")
	if secret := text("pullSecret"); secret != "" {
		_ = unstructured.SetNestedField(e.objects[0].Object, secret, "spec", "secretRef", "name")
	}
	if provider := text("provider"); provider != "" {
		_ = unstructured.SetNestedField(e.objects[0].Object, provider, "spec", "provider")
	}
	objects, err := patched(e.objects, list(patches))
	if err != nil {
		r.Problems = append(r.Problems, &Problem{Place: at, Message: "the patches of the instance cannot be applied to what it syncs: " + err.Error()})
		return e, true
	}
	e.objects = objects
	return e, true
}

func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
