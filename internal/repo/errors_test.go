package repo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	for path, want := range map[string]string{
		filepath.Join(dir, "gone"): "does not exist: give the folder of a homelab repository",
		file:                       "is a file: give the folder of a homelab repository",
		filepath.Join(file, "x"):   "not a directory",
	} {
		if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCluster(t *testing.T) {
	r := &Repository{Root: "/lab", Clusters: []*Cluster{{Name: "main", Path: "kubernetes/main"}, {Name: "staging", Path: "kubernetes/staging"}}}
	for _, test := range []struct{ name, inside, want, err string }{
		{name: "main", inside: ".", want: "main"},
		{name: "", inside: ".", err: "/lab has the clusters main, staging: choose one with --cluster"},
		{name: "prod", inside: ".", err: `/lab has no cluster "prod": choose one of main, staging with --cluster`},
		{name: "", inside: "kubernetes/staging/apps", want: "staging"},
		{name: "main", inside: "kubernetes/staging", want: "main"},
		{name: "", inside: "kubernetes/mainland", err: "choose one"},
	} {
		r.inside = test.inside
		c, err := r.Cluster(test.name)
		if test.err == "" && (err != nil || c.Name != test.want) {
			t.Errorf("%+v: %v, %v", test, c, err)
		}
		if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestDefaultCluster(t *testing.T) {
	r := &Repository{Root: "/lab", Clusters: []*Cluster{{Name: "main", Path: "a"}, {Name: "staging", Path: "b"}}, inside: "."}
	r.Config.DefaultCluster = "staging"
	if c, err := r.Cluster(""); err != nil || c.Name != "staging" {
		t.Errorf("Cluster(\"\") = %v, %v; want the default", c, err)
	}
	if c, err := r.Cluster("main"); err != nil || c.Name != "main" {
		t.Errorf("Cluster(\"main\") = %v, %v", c, err)
	}
	r.inside = "a"
	if c, err := r.Cluster(""); err != nil || c.Name != "main" {
		t.Errorf("inside main, Cluster(\"\") = %v, %v; want the folder's", c, err)
	}
}

func TestSymbolicLinksStayInside(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "x.yaml"), "apiVersion: v1\nkind: Secret\nmetadata: {name: hunter2}\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "clusters", "home", "apps.yaml"), "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}\n")
	for name, target := range map[string]string{"apps": outside, "file.yaml": filepath.Join(outside, "x.yaml"), "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Documents() {
		if d.Name() == "hunter2" {
			t.Errorf("%s was read", d.File)
		}
	}
	if len(r.Problems) != 2 {
		t.Errorf("problems %v", r.Problems)
	}
}
