package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func corpus(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "corpora", "k8s-homelab")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("the corpus is not at hand: %v", err)
	}
	return dir
}

func TestCorpus(t *testing.T) {
	r, err := Open(t.Context(), corpus(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("problem: %v", p)
	}
	entries := map[string]string{}
	for _, c := range r.Clusters {
		entries[c.Name] = c.Path + " " + c.Entry.Path + " " + string(c.Entry.FoundBy)
	}
	want := map[string]string{
		"main":    "kubernetes/main kubernetes/main/cluster/config HelmRelease of flux-instance",
		"staging": "kubernetes/staging kubernetes/staging/cluster/config HelmRelease of flux-instance",
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Fatal(diff)
	}
	if _, err := r.Cluster(""); err == nil {
		t.Error("a cluster is chosen out of two")
	}
	main, err := r.Cluster("main")
	if err != nil {
		t.Fatal(err)
	}
	x := r.Index(main)
	if got := [2]int{len(x.Kustomizations), len(x.ExternalSecrets)}; got != [2]int{95, 43} {
		t.Errorf("Kustomizations and ExternalSecrets: %v", got)
	}
	b := main.Bootstrap
	for _, p := range b.Problems {
		t.Errorf("bootstrap problem: %v", p)
	}
	if len(b.Objects) != 3 {
		t.Errorf("%d objects", len(b.Objects))
	}
	for _, o := range b.Objects {
		if o.Ref.Kind != "Secret" || o.Place.Line == 0 {
			t.Errorf("object %v at %v", o.Ref, o.Place)
		}
	}
	needs, crds := map[string]int{}, 0
	for _, release := range b.Releases {
		if release.CRDsOnly {
			crds++
			continue
		}
		needs[release.ID()] = len(release.Needs)
	}
	if crds != 3 {
		t.Errorf("%d releases for CRDs", crds)
	}
	wantNeeds := map[string]int{
		"kube-system/cilium": 0, "kube-system/coredns": 1, "system/spegel": 1, "cert-manager/cert-manager": 1,
		"external-secrets/external-secrets": 1, "flux-system/flux-operator": 1, "flux-system/flux-instance": 1,
	}
	if diff := cmp.Diff(wantNeeds, needs); diff != "" {
		t.Error(diff)
	}
	if len(b.Kustomizations) != 1 || b.Kustomizations[0].Path != "kubernetes/main/apps/kube-system/cilium/config" || b.Kustomizations[0].After != "kube-system/cilium" {
		t.Errorf("kustomizations %+v", b.Kustomizations)
	}
}

func TestCorpusOpenedInside(t *testing.T) {
	// A copy, marked as a root, is opened in a cluster's folder.
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(corpus(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), filepath.Join(dir, "kubernetes", "staging", "apps"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := r.Cluster(""); err != nil || c.Name != "staging" {
		t.Errorf("cluster %v, %v", c, err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := corpus(b)
	for b.Loop() {
		if _, err := Open(b.Context(), dir, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenMany opens a made-up repository of 2,000 applications.
func BenchmarkOpenMany(b *testing.B) {
	dir := b.TempDir()
	file := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	const kustomization = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: %s}\nspec: {path: ./%s, sourceRef: {kind: GitRepository, name: flux-system}}\n"
	file("clusters/home/apps.yaml", fmt.Sprintf(kustomization, "apps", "apps"))
	for i := range 2000 {
		app := fmt.Sprintf("apps/ns%d/app%d", i%50, i)
		file(app+"/ks.yaml", fmt.Sprintf(kustomization, filepath.Base(app), app+"/app"))
		file(app+"/app/release.yaml", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec: {chartRef: {kind: OCIRepository, name: app-template}}\n")
	}
	for b.Loop() {
		r, err := Open(b.Context(), dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if x := r.Index(r.Clusters[0]); len(x.HelmReleases) != 2000 {
			b.Fatalf("%d releases", len(x.HelmReleases))
		}
	}
}
