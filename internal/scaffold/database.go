package scaffold

import (
	"path"

	"go.yaml.in/yaml/v3"

	"hearth/internal/render/desired"
)

// passwordField is the field of the vault's item that holds the password of
// the database; its owner is called like the application.
const passwordField = "DB_PASSWORD"

// database plans the folder of the database.
func (b *builder) database() error {
	if !b.Database {
		return nil
	}
	if b.databaseOperator() == nil && !b.isUsed("postgresql.cnpg.io", "Cluster") {
		return b.lacks("--database", "CloudNativePG")
	}
	data := fields("username", b.Name, "password", "{{ ."+passwordField+" }}")
	secret := b.externalSecret(b.databaseName(), b.databaseName(), "kubernetes.io/basic-auth", data)
	folder := path.Join(b.folder, databaseFolder)
	return b.createAll(folder, []planned{
		{"cluster.yaml", b.postgres()},
		{b.layout.secrets, secret},
	})
}

// postgres makes the database cluster: like most of the repository's where they
// agree.
func (b *builder) postgres() document {
	clusters := b.documentsOf("postgresql.cnpg.io", "Cluster")
	var images, instances tally
	for _, w := range clusters {
		if image := w.Text("spec", "imageName"); isPlainPostgres(image) {
			images.addText(image, "", "")
		}
		instances.add(w.at("spec", "instances"), "", "")
	}
	spec := fields(
		"imageName", images.commonestText("", "", ""),
		"instances", orOne(instances.commonest("", "")),
		"storage", fields("size", "5Gi", "storageClass", b.classFor(databaseUse)),
		"bootstrap", fields("initdb", fields("database", b.Name, "owner", b.Name, "secret", fields("name", b.databaseName()))),
	)
	// The volumes go with the object, so Flux must not remove it by itself.
	metadata := fields("name", b.Name, "annotations", fields(neverPrune, "disabled"))
	object := fields("apiVersion", postgresVersion, "kind", "Cluster", "metadata", metadata, "spec", spec)
	return document{object, b.layout.comments["Cluster"]}
}

// neverPrune is the annotation that keeps Flux from deleting an object.
const neverPrune = "kustomize.toolkit.fluxcd.io/prune"

func orOne(n *yaml.Node) any {
	if n == nil {
		return 1
	}
	return n
}

// isPlainPostgres reports whether an image is PostgreSQL and no more: others
// come with extensions that one application needs.
func isPlainPostgres(image string) bool {
	parsed, err := ParseImage(image)
	return err == nil && path.Base(parsed.Repository) == "postgresql"
}

// databaseURL is where the application finds its database.
func (b *builder) databaseURL() string {
	return "postgres://" + b.Name + ":{{ ." + passwordField + " }}@" + b.Name + "-rw." + b.Namespace + ".svc.cluster.local:5432/" + b.Name
}

// documentsOf lists the objects of a kind as they stand in the repository.
func (b *builder) documentsOf(group, kind string) []written {
	var list []written
	for o := range b.state.All() {
		if gvk := o.GroupVersionKind(); gvk.Group != group || gvk.Kind != kind {
			continue
		}
		if w, ok := writtenAs(o); ok {
			list = append(list, w)
		}
	}
	return list
}

// writtenAs returns the document of an object that has one of its own, under
// the names of its application.
func writtenAs(o *desired.Object) (written, bool) {
	doc, inside := o.Document()
	if doc == nil || len(inside) > 0 || o.Kustomization == nil {
		return written{}, false
	}
	return written{doc, o.GetName(), o.GetNamespace()}, true
}
