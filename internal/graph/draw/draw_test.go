package draw

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"hearth/charts"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// graphOf computes the graph of a repository in the txtar format.
func graphOf(t testing.TB, archive *txtar.Archive) *graph.Graph {
	t.Helper()
	root := t.TempDir()
	for _, f := range archive.Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return graphAt(t, root)
}

func graphAt(t testing.TB, root string) *graph.Graph {
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
	state, err := desired.Build(context.Background(), r, r.Clusters[0], desired.Options{Charts: fetch})
	if err != nil {
		t.Fatal(err)
	}
	return graph.Build(state)
}

func homelab(t testing.TB) *graph.Graph {
	t.Helper()
	archive, err := txtar.ParseFile("../testdata/homelab.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return graphOf(t, archive)
}

// forms writes a network in every form.
func forms(g *graph.Graph, n *graph.Network) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"txt":  func(w io.Writer) error { return Text(w, g, n) },
		"mmd":  func(w io.Writer) error { return Mermaid(w, n) },
		"dot":  func(w io.Writer) error { return DOT(w, n) },
		"json": func(w io.Writer) error { return JSON(w, "main", n) },
		"svg":  func(w io.Writer) error { return SVG(w, "cluster main", n) },
	}
}

func written(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; run with -update if it is meant):\n%s", name, diff)
	}
}

func TestForms(t *testing.T) {
	g := homelab(t)
	n := g.Network().Overview()
	for form, write := range forms(g, n) {
		golden(t, "homelab."+form, written(t, write))
	}
}

func TestImpactForms(t *testing.T) {
	g := homelab(t)
	n := g.Network()
	failed := n.Node("Cluster/media/photos")
	hits := n.Impact(failed)
	golden(t, "impact.txt", written(t, func(w io.Writer) error { return ImpactText(w, failed, hits) }))
	golden(t, "impact.json", written(t, func(w io.Writer) error { return ImpactJSON(w, "main", failed, hits) }))
	golden(t, "impact.mmd", written(t, func(w io.Writer) error { return Mermaid(w, n.Along(failed, hits)) }))
	alone := n.Node("HTTPRoute/media/photos")
	if got := written(t, func(w io.Writer) error { return ImpactText(w, alone, n.Impact(alone)) }); got != "If HTTPRoute media/photos failed, nothing else would.\n" {
		t.Errorf("the impact of a leaf: %s", got)
	}
}

// hostile is a repository whose names try to break out of every form.
const hostile = `-- .hearth.yaml --
clusters: {main: {path: ., entry: {path: apps}}}
-- apps/all.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: "a\"]; click n0 \"javascript:x\" <script>&amp;\\", namespace: "n\"s"}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: "line\nbreak\u001b[31m"}
  dataFrom: [{extract: {key: "end]]>--> \\\" \u202e"}}]
`

func TestHostileNames(t *testing.T) {
	g := graphOf(t, txtar.Parse([]byte(hostile)))
	n := g.Network().Overview()
	if len(n.Edges) < 2 {
		t.Fatalf("the repository has %d edges", len(n.Edges))
	}
	for form, write := range forms(g, n) {
		text := written(t, write)
		if strings.ContainsAny(text, "\x1b\x00") {
			t.Errorf("%s holds control characters:\n%q", form, text)
		}
		switch form {
		case "svg":
			wellFormed(t, text)
		case "json":
			if !json.Valid([]byte(text)) {
				t.Errorf("this is no JSON:\n%s", text)
			}
		case "mmd":
			for line := range strings.Lines(text) {
				if quotes := strings.Count(line, `"`); quotes != 0 && quotes != 2 {
					t.Errorf("mermaid: a label does not end where it should: %s", line)
				}
			}
		case "dot":
			for line := range strings.Lines(text) {
				bare := strings.NewReplacer(`\\`, "", `\"`, "").Replace(line)
				if strings.Count(bare, `"`)%2 != 0 {
					t.Errorf("dot: a text does not end where it should: %s", line)
				}
			}
		}
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
}

func TestEmptyNetwork(t *testing.T) {
	g := homelab(t)
	none := g.Network().Only(func(*graph.Node) bool { return false })
	for form, write := range forms(g, none) {
		if text := written(t, write); text == "" {
			t.Errorf("%s is empty", form)
		}
	}
}

// TestLayout holds pictures of any kind to what a picture must be: no box lies
// on another one, and everything is on the page.
func TestLayout(t *testing.T) {
	g := homelab(t)
	pictures := map[string]*graph.Network{"homelab": g.Network().Overview(), "everything": g.Network()}
	if corpus := "../../../../shared/corpora/k8s-homelab"; exists(corpus) {
		pictures["corpus"] = graphAt(t, corpus).Network().Overview()
	}
	for name, n := range pictures {
		t.Run(name, func(t *testing.T) {
			l, err := layOut(n)
			if err != nil {
				t.Fatal(err)
			}
			if len(l.boxes) != len(n.Nodes) || len(l.lines) != len(n.Edges) {
				t.Errorf("%d of %d boxes, %d of %d lines", len(l.boxes), len(n.Nodes), len(l.lines), len(n.Edges))
			}
			for i, a := range n.Nodes {
				if b := l.boxes[a]; b.x < 0 || b.y < 0 || b.x+b.w > l.width || b.y+b.h > l.height {
					t.Errorf("%s is not on the page: %+v", a.ID, b)
				}
				for _, b := range n.Nodes[i+1:] {
					if overlap(l.boxes[a], l.boxes[b]) {
						t.Errorf("%s lies on %s", a.ID, b.ID)
					}
				}
			}
			again, err := layOut(n)
			if err != nil {
				t.Fatal(err)
			}
			if first, second := fmt.Sprint(l.boxes), fmt.Sprint(again.boxes); len(first) != len(second) {
				t.Error("the picture differs the second time")
			}
			for _, node := range n.Nodes {
				if l.boxes[node] != again.boxes[node] {
					t.Errorf("%s moves: %v, %v", node.ID, l.boxes[node], again.boxes[node])
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func overlap(a, b box) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

func BenchmarkSVG(b *testing.B) {
	n := homelab(b).Network().Overview()
	for b.Loop() {
		if err := SVG(io.Discard, "homelab", n); err != nil {
			b.Fatal(err)
		}
	}
}
