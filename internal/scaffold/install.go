package scaffold

import (
	"cmp"
	"path"

	"go.yaml.in/yaml/v3"
)

// installOrder is the order in which a Flux Kustomization is written.
var installOrder = []string{
	"commonMetadata", "targetNamespace", "path", "sourceRef", "dependsOn", "healthChecks", "healthCheckExprs",
	"decryption", "postBuild", "prune", "wait", "deletionPolicy", "interval", "retryInterval", "timeout",
}

// installComputed are the fields that each Kustomization has for itself.
var installComputed = []string{"path", "dependsOn", "healthChecks", "healthCheckExprs", "patches", "components", "images", "wait", "suspend"}

// install plans the Flux Kustomizations of the application.
func (b *builder) install() error {
	var docs []document
	if b.Database {
		checks := fields(
			"healthChecks", []*yaml.Node{fields("apiVersion", postgresVersion, "kind", "Cluster", "name", b.Name, "namespace", b.Namespace)},
			"healthCheckExprs", []*yaml.Node{fields("apiVersion", postgresVersion, "kind", "Cluster", "current", "status.phase == 'Cluster in healthy state'")},
		)
		docs = append(docs, b.kustomization(b.databaseName(), databaseFolder, b.databaseNeeds(), checks))
	}
	docs = append(docs, b.kustomization(b.Name, b.layout.app, b.applicationNeeds(), fields()))
	text, err := write(docs...)
	if err != nil {
		return err
	}
	b.create(path.Join(b.folder, b.layout.install), text)
	return nil
}

// kustomization makes one Flux Kustomization.
func (b *builder) kustomization(name, folder string, needs []dependency, more *yaml.Node) document {
	main := b.mains()
	metadata := fields("name", name)
	for _, field := range []string{"namespace", "labels", "annotations"} {
		var t tally
		for _, w := range main {
			t.add(w.at("metadata", field), w.name, w.namespace)
		}
		set(metadata, field, t.most(b.Name, b.Namespace))
	}
	spec := b.learnFields(main, []string{"spec"}, installOrder, installComputed, []string{"interval", "prune", "sourceRef"})
	set(spec, "path", "./"+path.Join(b.folder, folder))
	set(spec, "wait", false)
	set(spec, "dependsOn", b.dependsOn(needs))
	for _, field := range fieldNames(more) {
		set(spec, field, get(more, field))
	}
	if len(main) == 0 {
		b.standardInstall(spec)
	}
	object := fields("apiVersion", "kustomize.toolkit.fluxcd.io/v1", "kind", "Kustomization", "metadata", metadata, "spec", sorted(spec, installOrder))
	return document{object, b.layout.comments["Kustomization"]}
}

// standardInstall sets what the domain model wants where no application shows
// what the repository wants.
func (b *builder) standardInstall(spec *yaml.Node) {
	entry := b.state.Cluster.Entry
	set(spec, "targetNamespace", b.Namespace)
	set(spec, "sourceRef", fields("kind", entry.Kind, "name", entry.Name, "namespace", entry.Namespace))
	set(spec, "prune", true)
	set(spec, "interval", "1h")
	set(spec, "timeout", "5m")
}

// mains are the Flux Kustomizations of the applications themselves.
func (b *builder) mains() []written {
	var list []written
	for _, s := range b.layout.samples {
		if s.isMain() {
			list = append(list, written{s.doc, s.name, s.namespace})
		}
	}
	return list
}

// dependsOn lists dependencies. The namespace is left out where all
// Kustomizations live in one.
func (b *builder) dependsOn(needs []dependency) []*yaml.Node {
	var list []*yaml.Node
	for _, d := range needs {
		namespace := d.namespace
		if b.oneNamespace() {
			namespace = ""
		}
		list = append(list, fields("name", d.name, "namespace", namespace))
	}
	return list
}

// oneNamespace reports whether the Kustomizations of all applications live in
// one namespace, whatever they apply to.
func (b *builder) oneNamespace() bool {
	first := ""
	for _, s := range b.layout.samples {
		if first = cmp.Or(first, s.Namespace); s.Namespace != first {
			return false
		}
	}
	return len(b.layout.samples) > 1
}

// installNamespace is the namespace that the new Kustomizations live in.
func (b *builder) installNamespace() string {
	if b.oneNamespace() {
		return b.layout.samples[0].Namespace
	}
	return b.Namespace
}

const postgresVersion = "postgresql.cnpg.io/v1"

// databaseFolder is the folder of a database, as the domain model has it.
const databaseFolder = "db"
