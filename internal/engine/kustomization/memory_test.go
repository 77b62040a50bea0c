package kustomization

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/ssa"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func name(s string) types.NamespacedName { return types.NamespacedName{Namespace: "ns", Name: s} }

func TestInterest(t *testing.T) {
	i := newInterest[string]()
	i.set(name("a"), []string{"x", "y"})
	i.set(name("b"), []string{"y"})
	i.set(name("a"), []string{"y", "z"})
	want := map[string]map[types.NamespacedName]bool{
		"y": {name("a"): true, name("b"): true},
		"z": {name("a"): true},
	}
	if diff := cmp.Diff(want, i.in); diff != "" {
		t.Error(diff)
	}
	i.set(name("a"), nil)
	i.set(name("b"), nil)
	if len(i.in) != 0 || len(i.of) != 0 {
		t.Errorf("nobody waits, and yet: %v %v", i.in, i.of)
	}
}

func TestTraceTellsAChangedObject(t *testing.T) {
	spec := trace{uid: "u", version: "5", generation: 2, labels: map[string]string{"a": "b"}}
	plain := trace{uid: "u", version: "5"}
	for what, test := range map[string]struct {
		before trace
		change func(*trace)
		same   bool
	}{
		"a status":               {spec, func(o *trace) { o.version = "6" }, true},
		"a spec":                 {spec, func(o *trace) { o.version, o.generation = "6", 3 }, false},
		"a label":                {spec, func(o *trace) { o.version, o.labels = "6", nil }, false},
		"an annotation":          {spec, func(o *trace) { o.version, o.annotations = "6", map[string]string{"c": "d"} }, false},
		"another object":         {spec, func(o *trace) { o.uid = "v" }, false},
		"nothing":                {plain, func(*trace) {}, true},
		"what has no generation": {plain, func(o *trace) { o.version = "6" }, false},
	} {
		after := test.before
		test.change(&after)
		if got := test.before.same(after); got != test.same {
			t.Errorf("after a change of %s they are the same: %t", what, got)
		}
	}
}

func TestLedgerForgetsAFailedStage(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "ns"}}}
	answered := obj.DeepCopy()
	answered.SetResourceVersion("7")
	var l ledger
	l.note(answered)
	l.commit([]*unstructured.Unstructured{obj})
	if len(l.entries) != 1 {
		t.Fatalf("the ledger has %d entries", len(l.entries))
	}
	for _, e := range l.entries {
		if e.asked != ask(obj) || e.version != "7" {
			t.Errorf("the entry is %+v", e)
		}
	}
	l.note(answered)
	l.clear()
	l.commit([]*unstructured.Unstructured{obj})
	if len(l.entries) != 0 {
		t.Error("an answer survived a failure")
	}
}

func TestSecretsAreMasked(t *testing.T) {
	w := &walk{}
	w.hide([]string{"abc", "abcdef", ""})
	if got, want := w.mask("abcdef and abc, but not ab"), "***** and *****, but not ab"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgress(t *testing.T) {
	var written []string
	p := progress{patient: true, write: func(_ context.Context, m string) error { written = append(written, m); return nil }}
	for _, step := range []string{"one", "two"} {
		if err := p.tell(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	if len(written) != 0 {
		t.Errorf("a retry told %v before anything changed", written)
	}
	if err := errors.Join(p.flush(t.Context()), p.tell(t.Context(), "three"), p.flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(written, want) {
		t.Errorf("told %v, want %v", written, want)
	}
	written = nil
	silent := progress{silent: true, write: p.write}
	if err := errors.Join(silent.tell(t.Context(), "one"), silent.flush(t.Context())); err != nil || len(written) > 0 || silent.last != "one" {
		t.Errorf("silently told %v, %v", written, err)
	}
}

func TestInventory(t *testing.T) {
	change := func(kind, name string, action ssa.Action) ssa.ChangeSetEntry {
		id, err := object.ParseObjMetadata("ns_" + name + "__" + kind)
		if err != nil {
			t.Fatal(err)
		}
		return ssa.ChangeSetEntry{ObjMetadata: id, GroupVersion: "v1", Action: action}
	}
	before := inventoryOf(&ssa.ChangeSet{Entries: []ssa.ChangeSetEntry{change("Service", "b", ""), change("ConfigMap", "a", ""), change("Secret", "c", "")}})
	after := inventoryOf(&ssa.ChangeSet{Entries: []ssa.ChangeSetEntry{change("ConfigMap", "a", "")}})
	if diff := cmp.Diff([]kustomizev1.ResourceRef{{ID: "ns_a__ConfigMap", Version: "v1"}, {ID: "ns_b__Service", Version: "v1"}, {ID: "ns_c__Secret", Version: "v1"}}, before.Entries); diff != "" {
		t.Error(diff)
	}
	stale, err := inventoryObjects(before, after)
	if err != nil || len(stale) != 2 || stale[0].GetKind() != "Secret" || stale[1].GetKind() != "Service" {
		t.Fatalf("stale are %v, %v", stale, err)
	}
	left := survivors(stale, &ssa.ChangeSet{Entries: []ssa.ChangeSetEntry{change("Service", "b", ssa.DeletedAction), change("Secret", "c", ssa.UnknownAction)}})
	if len(left) != 1 || left[0].GetName() != "c" {
		t.Errorf("survivors are %v", left)
	}
	addEntries(after, left)
	if got := after.Entries[1].ID; got != "ns_c__Secret" {
		t.Errorf("listed again: %s", got)
	}
	if _, err := inventoryObjects(&kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{{ID: "nonsense"}}}, nil); err == nil {
		t.Error("a broken inventory is read")
	}
}
