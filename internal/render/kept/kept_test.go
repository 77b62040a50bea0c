package kept_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/kept"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
)

const homelab = `
-- .hearth.yaml --
clusters: {main: {path: main, entry: {path: main/apps}}}
-- main/apps/x.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
-- main/app/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: my-
resources: [config.yaml]
components: [../part]
-- main/app/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {size: "1", host: "${HOST}"}
-- main/part/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
commonLabels: {part: one}
-- main/bare/deep/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: bare}
`

// open writes the homelab, with some files replaced, and opens it.
func open(t *testing.T, b *kept.Builds, replaced map[string]string) *repo.Repository {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lab")
	for _, f := range txtar.Parse([]byte(homelab)).Files {
		put(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	for name, text := range replaced {
		put(t, filepath.Join(dir, name), text)
	}
	r, err := repo.Open(t.Context(), dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.Still(t.Context(), r)
	return r
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func request(r *repo.Repository, path string, variables map[string]string) kustomize.Request {
	return kustomize.Request{
		Root: r.Root, Path: path, Offline: true, Always: true, Variables: variables, Parsed: r.Parsed,
		Kustomization: &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}},
	}
}

// TestBuilds finds the same build again, wherever the tree stands, and no other.
func TestBuilds(t *testing.T) {
	store := &kept.Store{Dir: t.TempDir()}
	host := map[string]string{"HOST": "a"}
	builds := &kept.Builds{Store: store}
	first, err := builds.Build(t.Context(), open(t, builds, nil), request(open(t, builds, nil), "./main/app", host))
	if err != nil {
		t.Fatal(err)
	}
	entries := count(t, store)
	if entries == 0 {
		t.Fatal("nothing is kept")
	}
	for _, test := range []struct {
		name      string
		path      string
		replaced  map[string]string
		variables map[string]string
		again     bool
	}{
		{"the same elsewhere", "main/app", nil, host, true},
		{"a file beside", "main/app", map[string]string{"main/apps/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n"}, host, true},
		{"another variable", "main/app", nil, map[string]string{"HOST": "b"}, false},
		{"another file", "main/app", map[string]string{"main/app/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"}, host, false},
		{"a file more", "main/app", map[string]string{"main/app/more.yaml": "a: b\n"}, host, false},
		{"the component", "main/app", map[string]string{"main/part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonLabels: {part: two}\n"}, host, false},
		{"a folder without a kustomization", "main/bare", nil, nil, false},
		{"the same again", "main/bare", nil, nil, true},
		{"deep in it", "main/bare", map[string]string{"main/bare/deep/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"}, nil, false},
		{"the first once more", "main/app", nil, host, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			builds := &kept.Builds{Store: store}
			r := open(t, builds, test.replaced)
			before := count(t, store)
			got, err := builds.Build(t.Context(), r, request(r, test.path, test.variables))
			if err != nil {
				t.Fatal(err)
			}
			if again := count(t, store) == before; again != test.again {
				t.Errorf("found again: %v, want %v", again, test.again)
			}
			want, err := kustomize.Build(t.Context(), request(r, test.path, test.variables))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("it is not what is built anew (-anew +kept):\n%s", diff)
			}
		})
	}
	if len(first.Objects) != 1 {
		t.Errorf("%d objects, want 1", len(first.Objects))
	}
}

func count(t *testing.T, s *kept.Store) int {
	t.Helper()
	list, err := os.ReadDir(s.Dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(list)
}

// TestErrorsAreNotKept builds anew what could not be built.
func TestErrorsAreNotKept(t *testing.T) {
	builds := &kept.Builds{Store: &kept.Store{Dir: t.TempDir()}}
	r := open(t, builds, map[string]string{"main/app/config.yaml": "a: [b"})
	if _, err := builds.Build(context.Background(), r, request(r, "main/app", nil)); err == nil {
		t.Error("a broken file was built")
	}
	if n := count(t, builds.Store); n != 0 {
		t.Errorf("%d entries are kept of what cannot be built", n)
	}
}

// TestStore keeps entries whole, and no more than it may.
func TestStore(t *testing.T) {
	s := &kept.Store{Dir: filepath.Join(t.TempDir(), "kept"), Entries: 2}
	s.Put("a", []byte("one\ntwo"))
	if data, ok := s.Get("a"); !ok || string(data) != "one\ntwo" {
		t.Errorf("got %q, %v", data, ok)
	}
	if info, err := os.Stat(filepath.Join(s.Dir, "a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info, err)
	}
	put(t, filepath.Join(s.Dir, "a"), "spoilt")
	if data, ok := s.Get("a"); ok {
		t.Errorf("got %q of what was spoilt", data)
	}
	for _, name := range []string{"b", "c", "d"} {
		s.Put(name, []byte(name))
	}
	s.Trim()
	if n := count(t, s); n != 2 {
		t.Errorf("%d entries are left, want 2", n)
	}
	var none *kept.Store
	none.Put("a", nil)
	none.Trim()
	if _, ok := none.Get("a"); ok {
		t.Error("a store that is none has an entry")
	}
}

// TestSideBySide lets several write and read one entry.
func TestSideBySide(t *testing.T) {
	s := &kept.Store{Dir: t.TempDir()}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s.Put("a", []byte("content"))
			if data, ok := s.Get("a"); !ok || string(data) != "content" {
				t.Errorf("got %q, %v", data, ok)
			}
		})
	}
	group.Wait()
}
