package repo

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "write what was read into the test archives")

// TestOpen reads the repositories in testdata. Each is an archive whose file
// "want" tells what must be found in it.
func TestOpen(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := -1
			dir := t.TempDir()
			for i, f := range archive.Files {
				if f.Name == "want" {
					want = i
					continue
				}
				write(t, filepath.Join(dir, f.Name), string(f.Data))
			}
			if want < 0 {
				t.Fatal("the archive has no file want")
			}
			got := describe(t, dir)
			if *update {
				archive.Files[want].Data = []byte(got)
				write(t, name, string(txtar.Format(archive)))
				return
			}
			if diff := cmp.Diff(string(archive.Files[want].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// describe tells everything about the repository in a folder.
func describe(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	r, err := Open(t.Context(), dir, Options{})
	if err != nil {
		fmt.Fprintf(&out, "error %s\n", err)
	} else {
		for _, c := range r.Clusters {
			describeCluster(&out, r, c)
		}
		for _, p := range r.Problems {
			fmt.Fprintf(&out, "problem %s\n", p)
		}
	}
	text := strings.ReplaceAll(out.String(), dir, "REPO")
	return strings.ReplaceAll(text, "git.invalid/"+filepath.Base(dir), "git.invalid/REPO")
}

func describeCluster(out *strings.Builder, r *Repository, c *Cluster) {
	fmt.Fprintf(out, "cluster %s in %s\n", c.Name, c.Path)
	fmt.Fprintf(out, "  entry %s, by %s at %s\n", c.Entry.Path, c.Entry.FoundBy, c.Entry.Place)
	for _, o := range c.Entry.Objects() {
		spec, _, _ := unstructured.NestedMap(o.Object, "spec")
		fmt.Fprintf(out, "  %s %s/%s %v\n", o.GetKind(), o.GetNamespace(), o.GetName(), spec)
	}
	x := r.Index(c)
	fmt.Fprintf(out, "  holds %d Kustomizations, %d HelmReleases, %d ExternalSecrets\n", len(x.Kustomizations), len(x.HelmReleases), len(x.ExternalSecrets))
	b := c.Bootstrap
	for _, o := range b.Objects {
		fmt.Fprintf(out, "  object %s at %s %v\n", o.Ref, o.Place, o.Object.Object["stringData"])
	}
	for _, rel := range b.Releases {
		fmt.Fprintf(out, "  release %s %s %s needs %v crds %v values %v %v at %s\n", rel.ID(), rel.Chart, rel.Version, rel.Needs, rel.CRDsOnly, rel.Values, rel.ValueFiles, rel.Place)
	}
	for _, k := range b.Kustomizations {
		fmt.Fprintf(out, "  kustomization %s namespace %q after %q at %s\n", k.Path, k.Namespace, k.After, k.Place)
	}
	for _, p := range b.Problems {
		fmt.Fprintf(out, "  problem %s\n", p)
	}
}
