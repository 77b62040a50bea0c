package scaffold

import (
	"fmt"
	"path"
	"slices"

	"hearth/internal/manifest"
)

// namespace plans the entry in the namespace's kustomization, and the
// namespace where it is new.
func (b *builder) namespace() error {
	folder := path.Join(b.layout.apps, b.Namespace)
	entry := b.layout.listed(path.Join(b.Name, b.layout.install))
	if own := b.kustomizationIn(folder); own != nil {
		b.add(own.File, "resources", entry)
		return nil
	}
	for _, f := range b.state.Repository.Files() {
		if within(folder, f.Path) {
			return fmt.Errorf("the folder %s has no kustomization.yaml that could list %s: add one first", folder, entry)
		}
	}
	return b.newNamespace(folder, entry)
}

// kustomizationIn returns the kustomization of a folder, or nil.
func (b *builder) kustomizationIn(folder string) *manifest.Document {
	for _, d := range b.state.Repository.Documents() {
		if isKustomizationFile(d.File) && path.Dir(d.File) == folder {
			return d
		}
	}
	return nil
}

// newNamespace plans the folder of a namespace, and its entry in the
// kustomization of all of them, where there is one.
func (b *builder) newNamespace(folder, entry string) error {
	kustomizations := b.namespaceKustomizations()
	object := fields("apiVersion", "kustomize.config.k8s.io/v1beta1", "kind", "Kustomization")
	learned := b.learnFields(kustomizations, nil, []string{"namespace"}, ownFields, nil)
	object.Content = append(object.Content, learned.Content...)
	if len(kustomizations) == 0 {
		set(object, "namespace", b.Namespace)
	}
	set(object, "components", b.components())
	resources := []string{entry}
	if b.namesNamespace() {
		resources = append([]string{b.layout.listed(namespaceFile)}, resources...)
		text, err := write(b.namespaceObject())
		if err != nil {
			return err
		}
		b.create(path.Join(folder, namespaceFile), text)
	}
	set(object, "resources", resources)
	text, err := write(document{object, b.layout.comments["kustomize"]})
	if err != nil {
		return err
	}
	b.create(path.Join(folder, kustomizationNames[0]), text)
	if above := b.kustomizationIn(b.layout.apps); above != nil {
		name := b.Namespace
		if listed := items(above, "resources"); len(listed) > 0 && listed[0][0] == '.' {
			name = "./" + name
		}
		b.add(above.File, "resources", name)
	}
	return nil
}

// namespaceKustomizations are those of the other namespaces.
func (b *builder) namespaceKustomizations() []written {
	var list []written
	for _, d := range namespaceFiles(b.state, b.layout.apps) {
		name := path.Base(path.Dir(d.File))
		list = append(list, written{d, "", name})
	}
	return list
}

// components are those that most namespaces include; all namespaces are equally
// deep.
func (b *builder) components() []string {
	all := b.namespaceKustomizations()
	counts := map[string]int{}
	var order []string
	for _, w := range all {
		for _, c := range items(w.Document, "components") {
			if counts[c] == 0 {
				order = append(order, c)
			}
			counts[c]++
		}
	}
	return slices.DeleteFunc(order, func(c string) bool { return counts[c]*2 <= len(all) })
}

// bringsComponent reports whether the namespace includes a component's folder,
// or will.
func (b *builder) bringsComponent(folder string) bool {
	base, list := path.Join(b.layout.apps, b.Namespace), b.components()
	if own := b.kustomizationIn(base); own != nil {
		list = items(own, "components")
	}
	return slices.ContainsFunc(list, func(c string) bool { return path.Join(base, c) == folder })
}

// namespaceFile is where a namespace stands.
const namespaceFile = "namespace.yaml"

// namesNamespace reports whether most namespaces' folders hold their Namespace,
// and nothing makes the new one already.
func (b *builder) namesNamespace() bool {
	all := b.namespaceKustomizations()
	listing := 0
	for _, w := range all {
		if slices.ContainsFunc(items(w.Document, "resources"), func(r string) bool { return path.Base(r) == namespaceFile }) {
			listing++
		}
	}
	if listing*2 <= len(all) && len(all) > 0 {
		return false
	}
	return b.state.Find("", "Namespace", "", b.Namespace) == nil
}

// namespaceObject makes a Namespace with the labels and annotations that most
// have.
func (b *builder) namespaceObject() document {
	var all []written
	for _, d := range b.state.Repository.Documents() {
		if d.Kind() == "Namespace" && path.Dir(path.Dir(d.File)) == b.layout.apps {
			name := path.Base(path.Dir(d.File))
			all = append(all, written{d, "", name})
		}
	}
	metadata := fields("name", b.Namespace)
	for _, field := range []string{"labels", "annotations"} {
		set(metadata, field, b.learnFields(all, []string{"metadata", field}, nil, nil, nil))
	}
	if len(all) == 0 {
		set(metadata, "annotations", fields(neverPrune, "disabled"))
	}
	return document{fields("apiVersion", "v1", "kind", "Namespace", "metadata", metadata), b.layout.comments["Namespace"]}
}
