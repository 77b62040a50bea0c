package scaffold

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
)

// layout is where applications stand, and how their files are called.
type layout struct {
	// apps is the folder of the namespaces' folders.
	apps string
	// install, release, secrets and source are names of files; app is the name
	// of the folder with an application's objects.
	install, release, secrets, source, app string
	// dotted says that resources are listed as ./NAME.
	dotted bool
	// databaseSuffix ends the names of what belongs to a database.
	databaseSuffix string
	// comments stand above the objects of a kind.
	comments map[string]string
	samples  []sample
}

// sample is an application that stands where applications stand: in the folder
// apps/NAMESPACE/NAME.
type sample struct {
	*desired.Kustomization
	doc             *manifest.Document
	folder          string
	namespace, name string
}

// learnLayout looks at the applications that there are.
func learnLayout(state *desired.State) (layout, error) {
	l := layout{comments: map[string]string{}}
	var all []sample
	var apps tally
	for _, k := range state.Kustomizations {
		if s, ok := sampleOf(k); ok {
			all = append(all, s)
			apps.addText(path.Dir(path.Dir(s.folder)), "", "")
		}
	}
	l.apps = apps.commonestText("", "", "")
	if l.apps == "" {
		return l, fmt.Errorf("no application of cluster %s stands in a folder NAMESPACE/NAME of its own, so that there is no telling where another one belongs: write the first one by hand", state.Cluster.Name)
	}
	for _, s := range all {
		if path.Dir(path.Dir(s.folder)) == l.apps {
			l.samples = append(l.samples, s)
		}
	}
	l.learnFiles(state)
	l.learnComments(state)
	return l, nil
}

// sampleOf reads a Kustomization that stands in the folder of an application
// and leads below it.
func sampleOf(k *desired.Kustomization) (sample, bool) {
	doc, inside := k.Object.Document()
	if doc == nil || len(inside) > 0 {
		return sample{}, false
	}
	s := sample{Kustomization: k, doc: doc, folder: path.Dir(doc.File), name: k.Name, namespace: k.Spec.TargetNamespace}
	if s.namespace == "" {
		s.namespace = k.Namespace
	}
	above := path.Dir(s.folder)
	if path.Base(above) != s.namespace {
		s.namespace = path.Base(above) // where all Kustomizations live in one namespace
		if k.Spec.TargetNamespace != "" {
			return sample{}, false
		}
	}
	return s, above != "." && path.Dir(above) != "." && within(s.folder, k.Path)
}

// isMain reports whether it is the application itself, and not its database or
// another part.
func (s sample) isMain() bool { return path.Base(s.folder) == s.name }

// hasMain reports whether an application of its own name stands in a folder.
func (l *layout) hasMain(folder string) bool {
	return slices.ContainsFunc(l.samples, func(s sample) bool { return s.folder == folder && s.isMain() })
}

// learnFiles learns the names of files.
func (l *layout) learnFiles(state *desired.State) {
	var install, release, secrets, source, app, databases tally
	for _, s := range l.samples {
		install.addText(path.Base(s.doc.File), "", "")
		if s.isMain() {
			app.addText(strings.TrimPrefix(s.Path, s.folder+"/"), s.name, s.namespace)
		}
		for _, o := range s.Objects {
			file := o.File()
			if !within(s.Path, file) {
				continue
			}
			switch o.GetKind() {
			case "HelmRelease":
				release.addText(path.Base(file), "", "")
			case "ExternalSecret":
				secrets.addText(path.Base(file), "", "")
			case "OCIRepository", "HelmRepository":
				source.addText(path.Base(file), "", "")
			case "Cluster":
				if suffix, ok := strings.CutPrefix(s.name, path.Base(s.folder)+"-"); ok && l.hasMain(s.folder) {
					databases.addText("-"+suffix, "", "")
				}
			}
		}
	}
	l.install = install.commonestText("", "", "install.yaml")
	l.release = release.commonestText("", "", "helmrelease.yaml")
	l.secrets = secrets.commonestText("", "", "secrets.yaml")
	l.source = source.commonestText("", "", "ocirepository.yaml")
	l.app = app.commonestText("app", "", "app")
	if strings.Contains(l.app, "/") || strings.HasPrefix(l.app, ".") {
		l.app = "app"
	}
	l.databaseSuffix = databases.commonestText("", "", "-database")
	l.learnDots(state)
}

// learnDots learns how the kustomizations of namespaces list what is below them.
func (l *layout) learnDots(state *desired.State) {
	dotted, plain := 0, 0
	for _, d := range namespaceFiles(state, l.apps) {
		for _, item := range items(d, "resources") {
			if strings.HasPrefix(item, "./") {
				dotted++
			} else {
				plain++
			}
		}
	}
	l.dotted = dotted > plain
}

// listed is how a file below a kustomization is listed.
func (l *layout) listed(file string) string {
	if l.dotted {
		return "./" + file
	}
	return file
}

// namespaceFiles are the kustomizations of the namespaces' folders.
func namespaceFiles(state *desired.State, apps string) []*manifest.Document {
	var list []*manifest.Document
	for _, d := range state.Repository.Documents() {
		if isKustomizationFile(d.File) && path.Dir(path.Dir(d.File)) == apps {
			list = append(list, d)
		}
	}
	return list
}

func isKustomizationFile(file string) bool {
	return slices.Contains(kustomizationNames, path.Base(file))
}

var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// items returns a list of texts of a document.
func items(d *manifest.Document, path ...string) []string {
	n, ok := d.Find(path...)
	if !ok || n.Kind != yaml.SequenceNode {
		return nil
	}
	var list []string
	for _, item := range n.Content {
		list = append(list, item.Value)
	}
	return list
}

// schemaComment begins the comment that tells editors the schema of a file.
const schemaComment = "# yaml-language-server:"

// learnComments learns which comment stands above most objects of a kind.
func (l *layout) learnComments(state *desired.State) {
	tallies := map[string]*tally{}
	for _, d := range state.Repository.Documents() {
		if !within(path.Dir(l.apps), d.File) || len(d.Node.Content) == 0 {
			continue
		}
		key := commentKey(d)
		if tallies[key] == nil {
			tallies[key] = &tally{}
		}
		tallies[key].addText(schemaLine(d), "", "")
	}
	for key, t := range tallies {
		if n := t.most("", ""); n != nil {
			l.comments[key] = n.Value
		}
	}
}

// commentKey tells files of kustomize, with a kind or without, and of which
// kind objects are. A HelmRelease of another chart has another schema.
func commentKey(d *manifest.Document) string {
	if isKustomizationFile(d.File) {
		return "kustomize"
	}
	return d.Kind()
}

func schemaLine(d *manifest.Document) string {
	for _, n := range []*yaml.Node{d.Node, d.Node.Content[0]} {
		for line := range strings.Lines(n.HeadComment) {
			if strings.HasPrefix(line, schemaComment) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// within reports whether a file is a folder or lies in it.
func within(folder, file string) bool {
	return folder == "." || file == folder || strings.HasPrefix(file, folder+"/")
}
