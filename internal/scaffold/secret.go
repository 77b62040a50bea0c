package scaffold

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/repo"
)

// store is the store that secrets are read from: the owner's choice, or what
// most ExternalSecrets name.
func (b *builder) store() repo.SecretStore {
	if b.config.Declared("secretStore") {
		return b.config.SecretStore
	}
	var stores tally
	for _, w := range b.documentsOf(secretsGroup, "ExternalSecret") {
		if name := w.Text("spec", "secretStoreRef", "name"); name != "" {
			stores.addText(w.Text("spec", "secretStoreRef", "kind")+"/"+name, "", "")
		}
	}
	kind, name, _ := strings.Cut(stores.commonestText("", "", b.config.SecretStore.Kind+"/"+b.config.SecretStore.Name), "/")
	if kind == "" {
		kind = "SecretStore"
	}
	return repo.SecretStore{Kind: kind, Name: name}
}

// secretNames learns how ExternalSecrets and the Secrets that they make are
// called.
func (b *builder) secretNames() (external, target string) {
	var externals, targets tally
	for _, s := range b.layout.samples {
		if !s.isMain() {
			continue
		}
		for _, o := range s.Objects {
			w, ok := writtenAs(o)
			if !ok || o.GetKind() != "ExternalSecret" || o.GroupVersionKind().Group != secretsGroup || !strings.HasPrefix(o.GetName(), s.name) {
				continue
			}
			externals.addText(o.GetName(), s.name, "")
			targets.addText(w.Text("spec", "target", "name"), s.name, "")
		}
	}
	external = externals.commonestText(b.Name, "", b.Name)
	return external, targets.commonestText(b.Name, "", external)
}

// secretFields are the fields of ExternalSecrets that each has for itself.
var secretFields = []string{"data", "dataFrom", "secretStoreRef", "target"}

// externalSecret makes an ExternalSecret that reads the application's item.
func (b *builder) externalSecret(name, target, kind string, data *yaml.Node) document {
	all := b.documentsOf(secretsGroup, "ExternalSecret")
	version := tally{}
	for _, w := range all {
		version.addText(w.APIVersion(), "", "")
	}
	spec := b.learnFields(all, []string{"spec"}, []string{"refreshInterval"}, secretFields, nil)
	if get(spec, "refreshInterval") == nil {
		set(spec, "refreshInterval", "12h")
	}
	store := b.store()
	set(spec, "secretStoreRef", fields("kind", store.Kind, "name", store.Name))
	into := fields("name", target)
	learned := b.learnFields(all, []string{"spec", "target"}, []string{"creationPolicy"}, []string{"name", "template"}, nil)
	into.Content = append(into.Content, learned.Content...)
	template := b.learnFields(all, []string{"spec", "target", "template"}, nil, []string{"data", "type", "metadata", "templateFrom", "mergePolicy"}, nil)
	set(template, "type", kind)
	set(template, "data", data)
	set(into, "template", template)
	set(spec, "target", into)
	set(spec, "dataFrom", []*yaml.Node{fields("extract", fields("key", b.Name))})
	object := fields("apiVersion", version.commonestText("", "", secretsGroup+"/v1"), "kind", "ExternalSecret",
		"metadata", fields("name", name), "spec", spec)
	return document{object, b.layout.comments["ExternalSecret"]}
}

// secrets plans what the application reads from the vault.
func (b *builder) secrets() []planned {
	data := fields()
	needed := append([]string{}, b.Secrets...)
	if b.Database {
		set(data, "DB_URL", b.databaseURL())
		needed = append(needed, passwordField)
	}
	for _, key := range b.Secrets {
		set(data, key, "{{ ."+key+" }}")
	}
	if len(data.Content) == 0 {
		return nil
	}
	var external string
	external, b.secret = b.secretNames()
	b.note("the item %s of the vault needs the fields %s", b.Name, strings.Join(needed, ", "))
	return []planned{{b.layout.secrets, b.externalSecret(external, b.secret, "", data)}}
}

// planned is a file of a folder.
type planned struct {
	name string
	document
}

// createAll plans the files of a folder, and the kustomization that lists them.
func (b *builder) createAll(folder string, files []planned) error {
	var names []string
	for _, f := range files {
		text, err := write(f.document)
		if err != nil {
			return err
		}
		b.create(path.Join(folder, f.name), text)
		names = append(names, b.layout.listed(f.name))
	}
	object := b.folderKustomization()
	set(object, "resources", names)
	text, err := write(document{object, b.layout.comments["kustomize"]})
	if err != nil {
		return err
	}
	b.create(path.Join(folder, kustomizationNames[0]), text)
	return nil
}

// ownFields are the fields of a folder's kustomization that each has for itself.
var ownFields = []string{
	"apiVersion", "kind", "resources", "components", "configMapGenerator", "secretGenerator", "generatorOptions", "patches",
	"patchesStrategicMerge", "patchesJson6902", "images", "replacements", "configurations", "transformers", "helmCharts", "namePrefix", "nameSuffix",
}

// folderKustomization makes the kustomization of a folder of objects, without
// its resources.
func (b *builder) folderKustomization() *yaml.Node {
	var all []written
	for _, s := range b.layout.samples {
		if !s.isMain() {
			continue
		}
		for _, d := range b.state.Repository.Documents() {
			if isKustomizationFile(d.File) && path.Dir(d.File) == s.Path {
				all = append(all, written{d, s.name, s.namespace})
			}
		}
	}
	object := fields("apiVersion", "kustomize.config.k8s.io/v1beta1", "kind", "Kustomization")
	learned := b.learnFields(all, nil, []string{"namespace", "labels"}, ownFields, nil)
	object.Content = append(object.Content, learned.Content...)
	return object
}
