package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/render/desired"
)

// kustomizations writes Kustomizations of the namespace flux-system, one a
// line: NAME [path=P] [wait] [checks=NAME] [after=NAME,…].
func kustomizations(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		words := strings.Fields(line)
		path, extra := "empty", ""
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "path":
				path = value
			case "wait":
				extra += ", wait: true"
			case "checks":
				extra += fmt.Sprintf(", healthChecks: [{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, name: %s, namespace: flux-system}]", value)
			case "after":
				extra += ", dependsOn: [{name: " + strings.ReplaceAll(value, ",", "}, {name: ") + "}]"
			}
		}
		fmt.Fprintf(&b, `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %s, namespace: flux-system}
spec: {path: ./%s, interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: flux-system}%s}
`, words[0], path, extra)
	}
	return b.String()
}

const empty = "-- empty/kustomization.yaml --\nresources: []\n"

func TestDependsOn(t *testing.T) {
	files := "-- apps/all.yaml --\n" +
		kustomizations("a", "b after=a", "c after=b", "parent path=below after=a", "waits path=waited wait", "after after=waits", "lazy path=lazily", "later after=lazy", "picks path=picked checks=chosen", "last after=picks", "stray after=none") +
		"-- below/all.yaml --\n" + kustomizations("child") +
		"-- waited/all.yaml --\n" + kustomizations("inner path=deeper", "sibling") +
		"-- deeper/all.yaml --\n" + kustomizations("innermost") +
		"-- lazily/all.yaml --\n" + kustomizations("unawaited") +
		"-- picked/all.yaml --\n" + kustomizations("chosen", "unchosen") + empty
	g := graphOf(t, files)
	for _, test := range []struct {
		k, on string
		want  bool
	}{
		{"b", "a", true},
		{"c", "a", true},
		{"a", "b", false},
		{"a", "a", false},
		{"child", "a", true},          // its parent waits
		{"child", "parent", true},     // its parent applies it
		{"parent", "child", false},    // and not the other way round
		{"after", "waits", true},      //
		{"after", "inner", true},      // waits waits for what it applies
		{"after", "sibling", true},    //
		{"after", "innermost", false}, // inner does not wait
		{"later", "unawaited", false}, // lazy does not wait
		{"last", "chosen", true},      // by a health check
		{"last", "unchosen", false},   //
		{"c", "child", false},         //
		{"stray", "a", false},         // waits for what does not exist
		{"child", "flux-system", true},
	} {
		k, on := g.State.Of("flux-system", test.k), g.State.Of("flux-system", test.on)
		if k == nil || on == nil {
			t.Fatalf("no %s or %s", test.k, test.on)
		}
		if got := g.DependsOn(k, on); got != test.want {
			t.Errorf("%s depends on %s: %v, want %v", test.k, test.on, got, test.want)
		}
	}
}

func TestCycles(t *testing.T) {
	for _, test := range []struct {
		name  string
		files string
		want  []string
	}{
		{"none", kustomizations("a", "b after=a", "c after=a,b"), nil},
		{"itself", kustomizations("a after=a"), []string{"a"}},
		{"two", kustomizations("a after=b", "b after=a"), []string{"a b"}},
		{"three and a bystander", kustomizations("a after=c", "b after=a", "c after=b", "d after=a"), []string{"a c b"}},
		{"two circles", kustomizations("a after=b", "b after=a", "x after=y", "y after=x"), []string{"a b", "x y"}},
		{"a parent that waits for a child that waits for it", kustomizations("p path=below wait") + "-- below/all.yaml --\n" + kustomizations("q after=p"), []string{"p q"}},
		{"a child that waits for its parent", kustomizations("p path=below") + "-- below/all.yaml --\n" + kustomizations("q after=p"), nil},
		{"through a parent", kustomizations("p path=below after=x", "x after=q") + "-- below/all.yaml --\n" + kustomizations("q"), []string{"p x q"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := graphOf(t, "-- apps/all.yaml --\n"+test.files+empty)
			var got []string
			for _, cycle := range g.Cycles() {
				got = append(got, names(cycle))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("cycles (-want +got):\n%s", diff)
			}
			if got := len(g.Sequence()); got != len(g.State.Kustomizations) {
				t.Errorf("%d of %d Kustomizations are in order", got, len(g.State.Kustomizations))
			}
		})
	}
}

func names(list []*desired.Kustomization) string {
	var parts []string
	for _, k := range list {
		parts = append(parts, k.Name)
	}
	return strings.Join(parts, " ")
}

func TestSequence(t *testing.T) {
	g := graphOf(t, "-- apps/all.yaml --\n"+kustomizations("a after=c", "b path=below after=a", "c")+
		"-- below/all.yaml --\n"+kustomizations("z", "y after=z")+empty)
	if got, want := names(g.Sequence()), "flux-system c a b z y"; got != want {
		t.Errorf("the sequence is %s, want %s", got, want)
	}
}

// BenchmarkDependsOn asks every pair of a long chain.
func BenchmarkDependsOn(b *testing.B) {
	var lines []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("k%03d after=k%03d", i+1, i))
	}
	g := graphOf(b, "-- apps/all.yaml --\n"+kustomizations(lines...)+empty)
	for b.Loop() {
		for _, k := range g.State.Kustomizations {
			for _, on := range g.State.Kustomizations {
				g.DependsOn(k, on)
			}
		}
	}
}
