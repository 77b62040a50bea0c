package layout

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var appLayout = &rule.Rule{
	Name:     "app-layout",
	Topic:    topic,
	Severity: rule.Info,
	Title:    "Applications are laid out as most of the repository's are",
	Why: "Where every application has the same shape its files are found without looking, and scripts and people can rely on it. " +
		"The shape is the one that at least four in five of the repository's applications have, whatever it is called; with fewer than five there is none.",
	Remedy:  "Rename the file or folder as the others are called, and correct what names it: the kustomization.yaml of the namespace, or spec.path.",
	Section: "App Structure Triad",
	Bad: `# all other applications say install.yaml
resources:
  - immich/ks.yaml
`,
	Good: `resources:
  - immich/install.yaml
`,
	Check: checkShape,
}

// A shape is the repository's convention where this many applications, and
// this share of them in percent, have it.
const (
	fewest      = 5
	clearMargin = 80
)

// app is a folder whose Flux Kustomizations build what is below it.
type app struct {
	folder         string
	kustomizations []*desired.Kustomization
	releases       []*desired.Release
}

// trait is one thing of an application's shape.
type trait struct {
	value  string
	object *desired.Object
	// field and text are what to point at; none for the object itself.
	field []string
	text  string
}

func checkShape(p *rule.Pass) {
	apps := findApps(p.Clusters)
	parts := commonParts(apps)
	for _, aspect := range []struct {
		of   func(*app) (trait, bool)
		says string
	}{
		{(*app).file, "the Flux Kustomization of this application is in %s; %d of %d applications here have it in %s"},
		{(*app).main, "this application is built from %s; %d of %d applications here are built from %s"},
		{(*app).database, "the database of this application is built from %s; %d of %d here are built from %s"},
		{(*app).release, "the HelmRelease of this application is in %s; %d of %d here are in %s"},
	} {
		var traits []trait
		for _, a := range apps {
			if t, ok := aspect.of(a); ok {
				traits = append(traits, t)
			}
		}
		usual, count := majority(traits)
		for _, t := range traits {
			if usual != "" && t.value != usual && !parts[t.value] {
				p.Report(rule.Finding{
					Place: t.object.Place(t.field...), Text: t.text, Object: t.object.Ref,
					Message: fmt.Sprintf(aspect.says, t.value, count, len(traits), usual),
					Gist:    t.value + " instead of " + usual,
				})
			}
		}
	}
}

// majority returns the value that nearly all have, and how many do; "" where
// there is none.
func majority(traits []trait) (value string, count int) {
	counts := map[string]int{}
	for _, t := range traits {
		counts[t.value]++
	}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if counts[v] > count {
			value, count = v, counts[v]
		}
	}
	if count < fewest || count*100 < len(traits)*clearMargin {
		return "", 0
	}
	return value, count
}

// findApps returns the applications of all clusters, ordered by folder.
func findApps(clusters []*rule.Cluster) []*app {
	byFolder := map[string]*app{}
	for _, c := range clusters {
		of := map[*desired.Kustomization]*app{}
		for _, k := range c.State.Kustomizations {
			folder := path.Dir(k.Object.File())
			built, ok := builtFolder(k)
			if !ok || k.Parent == nil || folder == "." || !within(folder, built) || c.State.Unknown(k.Spec.Path) {
				continue
			}
			if byFolder[folder] == nil {
				byFolder[folder] = &app{folder: folder}
			}
			of[k] = byFolder[folder]
			of[k].kustomizations = append(of[k].kustomizations, k)
		}
		for _, r := range c.State.Releases {
			if a := of[r.Object.Kustomization]; a != nil {
				a.releases = append(a.releases, r)
			}
		}
	}
	var apps []*app
	for _, folder := range slices.Sorted(maps.Keys(byFolder)) {
		apps = append(apps, byFolder[folder])
	}
	return apps
}

// commonParts are the folders that several applications have: where one has no
// other part than such a one it is called what it is everywhere.
func commonParts(apps []*app) map[string]bool {
	count := map[string]int{}
	for _, a := range apps {
		for _, k := range a.kustomizations {
			count[a.part(k)]++
		}
	}
	common := map[string]bool{}
	for part, n := range count {
		common[part] = n > 1
	}
	return common
}

// part is the folder of a Kustomization in that of its application.
func (a *app) part(k *desired.Kustomization) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(k.Path, a.folder), "/"), "the application's own folder")
}

// file is the file of the Flux Kustomizations; none where there are several.
func (a *app) file() (trait, bool) {
	first := a.kustomizations[0]
	for _, k := range a.kustomizations {
		if k.Object.File() != first.Object.File() {
			return trait{}, false
		}
	}
	return trait{value: path.Base(first.Object.File()), object: first.Object}, true
}

// main is the folder of the application itself.
func (a *app) main() (trait, bool) {
	main, _ := a.roles()
	return a.below(main)
}

// database is the folder of the application's database.
func (a *app) database() (trait, bool) {
	_, database := a.roles()
	return a.below(database)
}

// roles tells the Kustomization of the application from that of its database,
// on which it depends. Other shapes have no roles.
func (a *app) roles() (main, database *desired.Kustomization) {
	switch len(a.kustomizations) {
	case 1:
		return a.kustomizations[0], nil
	case 2:
		for i, k := range a.kustomizations {
			other := a.kustomizations[1-i]
			if slices.ContainsFunc(other.Objects, isDatabase) && !slices.ContainsFunc(k.Objects, isDatabase) && dependsOn(k, other) {
				return k, other
			}
		}
	}
	return nil, nil
}

func dependsOn(k, on *desired.Kustomization) bool {
	return slices.ContainsFunc(k.Spec.DependsOn, func(d kustomizev1.DependencyReference) bool {
		return d.Name == on.Name && cmp.Or(d.Namespace, k.Namespace) == on.Namespace
	})
}

// below is the part that a Kustomization builds.
func (a *app) below(k *desired.Kustomization) (trait, bool) {
	if k == nil {
		return trait{}, false
	}
	return trait{value: a.part(k), object: k.Object, field: []string{"spec", "path"}, text: k.Spec.Path}, true
}

// release is the file of the HelmRelease, where the application has one.
func (a *app) release() (trait, bool) {
	if len(a.releases) != 1 || !within(a.folder, a.releases[0].Object.File()) {
		return trait{}, false
	}
	o := a.releases[0].Object
	return trait{value: path.Base(o.File()), object: o}, true
}
