package schema

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestEmbeddedIsCurrent makes the schemas anew from the modules that the
// program is built with.
func TestEmbeddedIsCurrent(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Skip("the module of Kubernetes is not there:", err)
	}
	if _, err := os.Stat(strings.TrimSpace(string(dir)) + "/api/openapi-spec/v3"); err != nil {
		t.Skip("the module of Kubernetes is not there:", err)
	}
	command := exec.Command("go", "run", "generate.go", "generate_enums.go", "generate_custom.go", "-print")
	var problems bytes.Buffer
	command.Stderr = &problems
	want, err := command.Output()
	if err != nil {
		t.Fatal(err, problems.String())
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schemas.gz is not what go generate makes of the modules: run go generate ./internal/schema")
	}
}

// TestEmbeddedDecodes decodes every schema, and follows every reference.
func TestEmbeddedDecodes(t *testing.T) {
	a := unpack()
	if len(a.kinds) < 90 || len(a.custom) < 25 {
		t.Fatalf("%d kinds and %d custom kinds only", len(a.kinds), len(a.custom))
	}
	for kind, name := range a.kinds {
		if a.definition(name) == nil {
			t.Errorf("%s: there is no definition %s", kind, name)
		}
	}
	for name := range a.texts {
		n := a.definition(name)
		if n == nil {
			t.Errorf("%s does not decode", name)
			continue
		}
		eachNode(n, func(n *node) {
			if n.Ref != "" && a.resolve(n) == nil {
				t.Errorf("%s refers to %s, which is not there", name, n.Ref)
			}
		})
	}
	for kind, d := range a.custom {
		for _, v := range d.versions {
			if v.schema() == nil {
				t.Errorf("%s %s of %s does not decode", kind.kind, v.name, kind.group)
			}
		}
	}
}

func eachNode(n *node, f func(*node)) {
	f(n)
	for _, p := range n.Properties {
		eachNode(p, f)
	}
	if n.Items != nil {
		eachNode(n.Items, f)
	}
	if n.AdditionalProperties != nil && n.AdditionalProperties.schema != nil {
		eachNode(n.AdditionalProperties.schema, f)
	}
}

// TestMetadataIsKnown guards what every object is held against.
func TestMetadataIsKnown(t *testing.T) {
	n := unpack().definition(objectMeta)
	if n == nil || n.Properties["labels"] == nil {
		t.Fatal("there is no definition of metadata")
	}
}

func TestNewestFirst(t *testing.T) {
	versions := []string{"a/v1beta1", "a/v1", "v1", "a/v2alpha1", "a/v2"}
	newestFirst(versions)
	if got, want := strings.Join(versions, " "), "a/v2 v1 a/v1 a/v1beta1 a/v2alpha1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
