package graph

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"hearth/charts"
	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// config makes the folder apps the entry of the cluster main.
const config = "-- .hearth.yaml --\nclusters: {main: {path: ., entry: {path: apps}}}\n"

// graphOf computes the graph of a repository in the txtar format. Files that
// come before the first marker are apps/all.yaml.
func graphOf(t testing.TB, files string) *Graph {
	t.Helper()
	if !strings.HasPrefix(files, "-- ") {
		files = "-- apps/all.yaml --\n" + files
	}
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(config + files)).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Build(statesOf(t, root)[0])
}

// statesOf computes the states of all clusters of a repository, with the charts
// that Hearth brings along and those in its own tree.
func statesOf(t testing.TB, root string) []*desired.State {
	t.Helper()
	r, err := repo.Open(t.Context(), root, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fetch, err := source.NewCharts(source.ChartOptions{
		Mapping: r.Config.Sources, Root: r.Root, CacheDir: filepath.Join(t.TempDir(), "charts"),
		Embedded: charts.FS, Offline: true, StandIn: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	var states []*desired.State
	for _, c := range r.Clusters {
		s, err := desired.Build(context.Background(), r, c, desired.Options{Charts: fetch})
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	return states
}

// objectOf reads one object.
func objectOf(t testing.TB, text string) *desired.Object {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{Object: content}
	return &desired.Object{Unstructured: o, Ref: domain.Ref{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}}
}
