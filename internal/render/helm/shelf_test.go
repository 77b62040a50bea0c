package helm

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/kept"
)

func shelfIn(dir string) *Shelf {
	return &Shelf{Store: &kept.Store{Dir: dir, Entries: 100}, Program: "test"}
}

func entriesOf(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(list)
}

func TestShelfKeepsWhatIsTheSame(t *testing.T) {
	dir := t.TempDir()
	c := loadChart(t, demanding)
	base := Request{Chart: c, Name: "one", Namespace: "ns", Values: Values{Map: map[string]any{"text": "a", "n": 1}}, Shelf: shelfIn(dir)}
	first, err := Render(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if n := entriesOf(t, dir); n != 1 {
		t.Fatalf("%d entries", n)
	}
	again, err := Render(t.Context(), base)
	if err != nil || !cmp.Equal(first, again) || entriesOf(t, dir) != 1 {
		t.Errorf("the same release again: %v, %d entries\n%s", err, entriesOf(t, dir), cmp.Diff(first, again))
	}
	// What is kept is what is used.
	for _, entry := range []string{firstEntry(t, dir)} {
		data, _ := base.Shelf.Store.Get(entry)
		base.Shelf.Store.Put(entry, []byte(strings.Replace(string(data), "name: one-1.0.0", "name: kept", 1)))
	}
	if used, err := Render(t.Context(), base); err != nil || cmp.Equal(first, used) {
		t.Errorf("what is kept is not used: %v", err)
	}
	// Whatever it depends on gives it another name.
	changed := map[string]string{}
	for name, content := range demanding {
		changed[name] = content
	}
	changed["files/a.txt"] = "other"
	others := map[string]func(*Request){
		"name": func(r *Request) { r.Name = "two" }, "namespace": func(r *Request) { r.Namespace = "other" }, "version": func(r *Request) { r.Version = "2.0.0" },
		"upgrade": func(r *Request) { r.Upgrade = true }, "values": func(r *Request) { r.Values.Map = map[string]any{"text": "b", "n": 1} },
		"type of a value": func(r *Request) { r.Values.Map = map[string]any{"text": "a", "n": 1.0} }, "capabilities": func(r *Request) { r.Capabilities = recent(t) },
		"program": func(r *Request) { r.Shelf = &Shelf{Store: r.Shelf.Store, Program: "other"} }, "chart": func(r *Request) { r.Chart = loadChart(t, changed) },
	}
	names := map[string]string{base.shelved(): "itself"}
	for what, change := range others {
		r := base
		change(&r)
		if before, ok := names[r.shelved()]; ok || r.shelved() == "" {
			t.Errorf("another %s has the name of %s", what, before)
		}
		names[r.shelved()] = what
	}
}

func firstEntry(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) == 0 {
		t.Fatalf("no entries: %v", err)
	}
	return list[0].Name()
}

func TestShelfLeavesOutWhatVariesOrIsSecret(t *testing.T) {
	plain := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, test := range map[string]struct {
		template string
		change   func(*Request)
	}{
		"random":        {plain + "data: {a: {{ randAlphaNum 8 }}}", nil},
		"time":          {plain + "data: {a: \"{{ now | unixEpoch }}\"}", nil},
		"a certificate": {plain + "data: {a: {{ (genCA \"ca\" 1).Cert | b64enc }}}", nil},
		"a lookup": {plain, func(r *Request) {
			r.Lookup = func(string, string, string, string) (map[string]any, error) { return nil, nil }
		}},
		"a secret value": {plain + "data: {a: {{ .Values.password | default \"none\" }}}", func(r *Request) { r.Values.Secrets.Add("correct-horse") }},
		"a failure":      {`{{ fail "no" }}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := Request{Chart: loadChart(t, map[string]string{"templates/a.yaml": test.template}), Name: "r", Shelf: shelfIn(dir)}
			if test.change != nil {
				test.change(&r)
			}
			_, _ = Render(t.Context(), r) // one of them fails
			if n := entriesOf(t, dir); n != 0 {
				t.Errorf("%d entries are kept", n)
			}
		})
	}
}

// TestShelfIsShared renders many releases at once on one shelf, part of whose
// entries are damaged.
func TestShelfIsShared(t *testing.T) {
	dir := t.TempDir()
	c := loadChart(t, demanding)
	render := func(i int) []*unstructured.Unstructured {
		objects, err := Render(t.Context(), Request{Chart: c, Name: "r" + strings.Repeat("x", i%5), Namespace: "ns", Shelf: shelfIn(dir)})
		if err != nil {
			t.Error(err)
		}
		return objects
	}
	want := [5][]*unstructured.Unstructured{}
	for i := range want {
		want[i] = render(i)
	}
	if err := os.WriteFile(filepath.Join(dir, firstEntry(t, dir)), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			if got := render(i); !cmp.Equal(want[i%5], got) {
				t.Errorf("release %d:\n%s", i, cmp.Diff(want[i%5], got))
			}
		})
	}
	group.Wait()
}
