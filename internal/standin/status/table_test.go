package status

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// perform plays one object by the built-in table and returns its status and
// what is made for it.
func perform(t *testing.T, manifest string) (map[string]any, map[string]*unstructured.Unstructured) {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(manifest), &obj.Object); err != nil {
		t.Fatal(err)
	}
	obj.Object = whole(obj.Object).(map[string]any)
	table, err := newTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := table.find(obj.GroupVersionKind().GroupKind())
	if r == nil {
		t.Fatalf("no row for %s", obj.GetKind())
	}
	status, wanted, err := r.prepare(t.Context(), obj, 7)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]*unstructured.Unstructured{}
	for _, o := range wanted {
		made[o.GetKind()+" "+o.GetName()] = o
	}
	return status, made
}

func TestPasswordsRepeat(t *testing.T) {
	if password(seedOf(1, "a"), "x") != password(seedOf(1, "a"), "x") {
		t.Error("the same seed, object and name give two passwords")
	}
	different := map[string]bool{}
	for _, p := range []string{password(seedOf(1, "a"), "x"), password(seedOf(2, "a"), "x"), password(seedOf(1, "b"), "x"), password(seedOf(1, "a"), "y")} {
		different[p] = true
	}
	if len(different) != 4 {
		t.Error("seed, object and name do not all matter")
	}
}

func TestUsersRowWins(t *testing.T) {
	rows, err := Parse([]byte("- {group: cert-manager.io, kind: Issuer, leave: true}\n- group: example.org\n  kind: '*'\n  status: '{\"x\": 1}'\n"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := newTable(rows)
	if err != nil {
		t.Fatal(err)
	}
	if r := table.find(schema.GroupKind{Group: "cert-manager.io", Kind: "Issuer"}); !r.Leave {
		t.Error("the user's row does not override the table's")
	}
	if r := table.find(schema.GroupKind{Group: "example.org", Kind: "Anything"}); r == nil || r.line != 2 {
		t.Errorf("row of the group is %+v", r)
	}
	if r := table.find(schema.GroupKind{Group: "example.com", Kind: "Anything"}); r != nil {
		t.Errorf("a row for a kind that none names: %+v", r)
	}
}

func TestParseErrorsNameTheLine(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unknown field": {"- group: a.b\n  kind: C\n  colour: red\n", "line 3"},
		"no kind":       {"- group: a.b\n", "line 1: a row of a.b has to name its kind"},
		"duration":      {"- group: a.b\n  kind: C\n  delay: {min: soon, max: 1s}\n", `line 3: "soon" is no duration`},
		"delay":         {"- group: a.b\n  kind: C\n  delay: {min: 2s, max: 1s}\n", "line 1: C.a.b: the longest delay"},
		"expression":    {"\n- group: a.b\n  kind: C\n  status: '{\"x\": }'\n", "line 2: C.a.b: status: ERROR"},
		"selector":      {"- group: a.b\n  kind: C\n  pods: '=='\n", "is no label selector"},
		"condition":     {"- group: a.b\n  kind: C\n  conditions: [{type: Ready, status: yes}]\n", "none of True, False, Unknown"},
		"no list":       {"group: a.b\n", "line 1: it is no list"},
		"two documents": {"- {group: a.b, kind: C}\n---\n- {group: a.b, kind: D}\n", "more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestExpressionsAreBounded(t *testing.T) {
	e, err := newExpression(`lists.range(100000).map(a, lists.range(100000).map(b, a * b))`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.eval(t.Context(), map[string]any{}, ""); err == nil {
		t.Error("an endless expression ended")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(builtIn)
	f.Add([]byte("- group: a.b\n  kind: C\n  delay: {min: 1s, max: 2s}\n  status: '{\"x\": self.metadata.name}'\n"))
	f.Add([]byte("- &a {group: a, kind: b}\n- *a\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<14 {
			t.Skip("longer than it takes to find anything")
		}
		rows, err := Parse(in)
		if err != nil {
			return
		}
		if _, err := newTable(rows); err != nil {
			t.Errorf("what was parsed is refused: %v", err)
		}
	})
}
