package render

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hearth/internal/domain"
)

func TestPlace(t *testing.T) {
	root := t.TempDir()
	content := `# a comment
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  a: "1"
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app
spec:
  values:
    list:
      - name: x
      - name: y
        port: 80
`
	if err := os.MkdirAll(filepath.Join(root, "apps"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "apps/a.yaml"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	release := Key{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease", Namespace: "apps", Name: "app"}
	renamed := Key{Kind: "ConfigMap", Namespace: "apps", Name: "my-settings-x"}
	var index Index
	index.Put(release, Origin{Root: root, File: "apps/a.yaml"})
	index.Put(renamed, Origin{Root: root, File: "apps/a.yaml"})
	index.Put(Key{Kind: "Secret", Name: "elsewhere"}, Origin{Root: root, File: "apps/none.yaml"})
	index.Put(Key{Kind: "Secret", Name: "escapes"}, Origin{Root: root, File: "../../etc/passwd"})
	index.Put(Key{Kind: "Secret", Name: "line"}, Origin{Root: root, File: "apps/a.yaml", Line: 9})

	for _, test := range []struct {
		key   Key
		field []string
		want  string
	}{
		{release, nil, "apps/a.yaml:9"},
		{release, []string{"spec", "values", "list", "1", "port"}, "apps/a.yaml:18"},
		{release, []string{"spec", "values", "list", "7", "port"}, "apps/a.yaml:15"},
		{release, []string{"status"}, "apps/a.yaml:9"},
		{renamed, nil, "apps/a.yaml:2"},
		{renamed, []string{"data", "a"}, "apps/a.yaml:7"},
		{Key{Kind: "Secret", Name: "elsewhere"}, []string{"data"}, "apps/none.yaml"},
		{Key{Kind: "Secret", Name: "escapes"}, []string{"data"}, "../../etc/passwd"},
		{Key{Kind: "Secret", Name: "line"}, []string{"spec", "values"}, "apps/a.yaml:14"},
		{Key{Kind: "Secret", Name: "unknown"}, nil, ""},
	} {
		if got := index.Place(test.key, test.field...).String(); got != test.want {
			t.Errorf("%v %v stands at %q, want %q", test.key, test.field, got, test.want)
		}
	}
	index.Remove(release)
	if place := index.Place(release); place.Known() {
		t.Errorf("a removed object stands at %s", place)
	}
}

func TestNilIndex(t *testing.T) {
	var index *Index
	index.Put(Key{}, Origin{})
	index.Remove(Key{})
	if got := index.Place(Key{}); got != (domain.Place{}) {
		t.Errorf("a nil index knows %s", got)
	}
}

func TestIndexConcurrently(t *testing.T) {
	var index Index
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				index.Put(Key{Name: "a"}, Origin{File: "a"})
				index.Place(Key{Name: "a"})
			}
		})
	}
	group.Wait()
}
