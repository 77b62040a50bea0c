package ruletest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/examples"
)

// Sizes of a made homelab.
const (
	appsOfNamespace = 25
	appsOfDatabase  = 4 // one application in so many has one
)

// Homelab writes a homelab of so many applications to a temporary folder: the
// cluster main of the example with its infrastructure, and applications beside
// its own, each with a release, a secret, a volume and a route, and some with a
// database. A Kustomization a namespace applies those of its applications. They
// keep the rules.
func Homelab(t testing.TB, applications int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, examples.Homelab); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "homelab")
	apps := filepath.Join(root, "kubernetes", "main", "apps", "kustomization.yaml")
	namespaces, err := os.ReadFile(apps)
	if err != nil {
		t.Fatal(err)
	}
	for made := 0; made < applications; made += appsOfNamespace {
		namespace := fmt.Sprintf("made-%03d", made/appsOfNamespace)
		folder := filepath.Join(root, "kubernetes", "main", "apps", namespace)
		namespaces = append(namespaces, "  - "+namespace+".yaml\n"...)
		put(t, folder+".yaml", strings.ReplaceAll(madeParent, "@namespace", namespace))
		var installs []string
		for i := made; i < min(applications, made+appsOfNamespace); i++ {
			app := fmt.Sprintf("app-%05d", i)
			installs = append(installs, "  - "+app+"/install.yaml")
			makeApp(t, filepath.Join(folder, app), i, strings.NewReplacer("@namespace", namespace, "@app", app))
		}
		put(t, filepath.Join(folder, "kustomization.yaml"), fmt.Sprintf(madeNamespaceKustomization, namespace, strings.Join(installs, "\n")))
		put(t, filepath.Join(folder, "namespace.yaml"), fmt.Sprintf(madeNamespace, namespace))
	}
	put(t, apps, string(namespaces)) // its list of resources stands last
	return root
}

func makeApp(t testing.TB, folder string, i int, names *strings.Replacer) {
	t.Helper()
	install, release := madeInstall, madeRelease
	if i%appsOfDatabase == 0 {
		install = madeDatabaseInstall + strings.Replace(install, "  dependsOn:\n", "  dependsOn:\n    - name: @app-database\n      namespace: @namespace\n", 1)
		put(t, filepath.Join(folder, "db", "kustomization.yaml"), madeKustomization+"  - cluster.yaml\n")
		put(t, filepath.Join(folder, "db", "cluster.yaml"), names.Replace(madeDatabase))
	}
	put(t, filepath.Join(folder, "install.yaml"), names.Replace(install))
	put(t, filepath.Join(folder, "app", "kustomization.yaml"), madeKustomization+"  - helmrelease.yaml\n  - secrets.yaml\n")
	put(t, filepath.Join(folder, "app", "helmrelease.yaml"), names.Replace(release))
	put(t, filepath.Join(folder, "app", "secrets.yaml"), names.Replace(madeSecret))
}

func put(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
